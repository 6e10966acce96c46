//! Header fields as they arrived.

use crate::Refusal;

/// The longest id, source or type, in characters. Two of them fit a database's index entry.
pub(crate) const LONGEST: usize = 255;

/// A view of a request's header fields. Names are compared without regard to case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headers<'a>(pub(crate) &'a [(&'a str, &'a [u8])]);

impl<'a> Headers<'a> {
    /// The value of a field that may come once. A repeated one is refused: whoever reads the first
    /// and whoever reads the last would act on different requests.
    pub(crate) fn single(self, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
        let mut values = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => Ok(Some(value.trim_ascii())),
            (Some(_), Some(_)) => Err(Refusal::header(name, "must not be repeated")),
        }
    }

    /// An id that a sender chose: 1 to 255 visible ASCII characters.
    pub(crate) fn id(self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.single(name)? else { return Ok(None) };
        let visible = value.iter().all(u8::is_ascii_graphic);
        match std::str::from_utf8(value) {
            Ok(text) if visible && (1..=LONGEST).contains(&text.len()) => Ok(Some(text)),
            _ => Err(Refusal::header(name, "must be 1 to 255 visible ASCII characters")),
        }
    }
}

/// Checks a name that groups or identifies events: a type, a source, an id.
pub(crate) fn check_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else if text.len() > LONGEST && text.chars().count() > LONGEST {
        Err("must have at most 255 characters")
    } else if text.chars().any(char::is_control) {
        Err("must not hold control characters")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_in_any_case_and_only_once() {
        let fields: [(&str, &[u8]); 3] = [("X-A", b" 1 "), ("x-b", b"2"), ("X-B", b"2")];
        let headers = Headers(&fields);
        assert_eq!(headers.single("x-a"), Ok(Some(&b"1"[..])));
        assert_eq!(headers.single("x-c"), Ok(None));
        assert_eq!(headers.single("x-b"), Err(Refusal::header("x-b", "must not be repeated")));
    }

    #[test]
    fn an_id_is_short_and_visible() {
        let long = "x".repeat(255);
        let longer = "x".repeat(256);
        for (value, good) in [
            (&b"msg_1"[..], true),
            (b"\"8e03978e\"", true),
            (long.as_bytes(), true),
            (longer.as_bytes(), false),
            (b"", false),
            (b"a b", false),
            (b"a\tb", false),
            (b"\xff", false),
            ("é".as_bytes(), false),
        ] {
            assert_eq!(Headers(&[("id", value)]).id("id").is_ok(), good, "{value:?}");
        }
    }
}
