//! Attribute values in header fields (CloudEvents HTTP binding §3.1.3.2).
//!
//! Space, double quote, percent and everything outside visible ASCII are percent-encoded as UTF-8.
//! A reader must also understand a quoted string with backslash escapes, which is undone first.

/// A header value that is no attribute value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be percent-encoded UTF-8")]
pub(super) struct AttributeError;

/// Reads a header value: an optional quoted string, then one round of percent-decoding. A broken
/// escape, a byte outside ASCII and what does not decode to UTF-8 are refused.
pub(super) fn decode_attribute(value: &[u8]) -> Result<String, AttributeError> {
    let unquoted = match value {
        [b'"', inner @ .., b'"'] => unquote(inner)?,
        [b'"', ..] => return Err(AttributeError),
        plain => plain.to_vec(),
    };
    if !unquoted.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(AttributeError);
    }
    let mut decoded = Vec::with_capacity(unquoted.len());
    let mut rest = unquoted.as_slice();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let ([high, low], after) = after.split_first_chunk().ok_or(AttributeError)?;
            decoded.push(hex_digit(*high)? * 16 + hex_digit(*low)?);
            rest = after;
        } else {
            decoded.push(byte);
            rest = after;
        }
    }
    String::from_utf8(decoded).map_err(|_| AttributeError)
}

/// What stands between the quotes; a backslash makes the next byte stand for itself.
fn unquote(inner: &[u8]) -> Result<Vec<u8>, AttributeError> {
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.push(*bytes.next().ok_or(AttributeError)?),
            b'"' => return Err(AttributeError),
            byte => plain.push(byte),
        }
    }
    Ok(plain)
}

fn hex_digit(byte: u8) -> Result<u8, AttributeError> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(AttributeError),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes a value as a header value.
    fn encode_attribute(value: &str) -> String {
        let mut encoded = String::with_capacity(value.len());
        for byte in value.bytes() {
            match byte {
                b'"' | b'%' | ..=b' ' | b'\x7f'.. => encoded.push_str(&format!("%{byte:02X}")),
                visible => encoded.push(char::from(visible)),
            }
        }
        encoded
    }

    #[test]
    fn the_published_example_reads_and_writes() {
        let shown = "Euro € 😀";
        let encoded = "Euro%20%E2%82%AC%20%F0%9F%98%80";
        assert_eq!(encode_attribute(shown), encoded);
        assert_eq!(decode_attribute(encoded.as_bytes()).unwrap(), shown);
        assert_eq!(decode_attribute(encoded.to_lowercase().as_bytes()).unwrap(), "euro € 😀");
    }

    #[test]
    fn quoted_strings_are_understood() {
        for (value, decoded) in [
            (r#""a b""#, "a b"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#""%41\%42""#, "AB"),
            (r#""""#, ""),
            ("a b", "a b"),
            ("%2541", "%41"), // one round only
            ("", ""),
        ] {
            assert_eq!(decode_attribute(value.as_bytes()).unwrap(), decoded, "{value}");
        }
    }

    #[test]
    fn broken_escapes_and_foreign_bytes_are_refused() {
        let bad: [&[u8]; 12] = [
            b"%",
            b"%4",
            b"%zz",
            b"%4g",
            b"%+1",
            b"%ff",
            b"%C3%28",
            b"%F0%82%82%AC",
            b"\xe2\x82\xac",
            b"\"",
            b"\"a\"b\"",
            b"a\tb",
        ];
        for value in bad {
            assert_eq!(decode_attribute(value), Err(AttributeError), "{value:?}");
        }
        assert_eq!(decode_attribute(br#""a\""#), Err(AttributeError));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any::<String>()) {
            let encoded = encode_attribute(&value);
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'));
            prop_assert_eq!(decode_attribute(encoded.as_bytes()), Ok(value));
        }

        #[test]
        fn any_bytes_are_read_or_refused(value in any::<Vec<u8>>()) {
            if let Ok(decoded) = decode_attribute(&value) {
                prop_assert!(decoded.len() <= value.len());
            }
        }
    }
}
