//! Which key a request shows, before anybody looks at whether it is good.

use super::Reason;

/// What one header line shows.
#[derive(PartialEq, Eq)]
enum Shown<'a> {
    Key(&'a [u8]),
    /// An `Authorization` of another scheme.
    Other(&'a [u8]),
}

/// The one key of a request, from the values of its `x-api-key` and `Authorization` lines.
///
/// Two credentials that differ are refused: whichever we chose, somebody in between might choose the other.
/// Another scheme alone counts as no credential (RFC 6750, section 3.1). A value that is no text becomes
/// the empty text, which is no key.
pub(super) fn credential<'a>(
    keys: impl Iterator<Item = &'a [u8]>,
    authorizations: impl Iterator<Item = &'a [u8]>,
) -> Result<&'a str, Reason> {
    let mut lines = keys.map(Shown::Key).chain(authorizations.map(bearer));
    let first = lines.next().ok_or(Reason::NoCredential)?;
    if lines.any(|other| other != first) {
        return Err(Reason::ConflictingCredentials);
    }
    match first {
        Shown::Key(bytes) => Ok(std::str::from_utf8(bytes).unwrap_or_default()),
        Shown::Other(_) => Err(Reason::NoCredential),
    }
}

/// The token after `Bearer`, in any case.
fn bearer(value: &[u8]) -> Shown<'_> {
    match value.split_at_checked("bearer".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer") => match rest {
            [] | [b' ', ..] => Shown::Key(rest.trim_ascii_start()),
            _ => Shown::Other(value),
        },
        _ => Shown::Other(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(keys: &[&'static [u8]], authorizations: &[&'static [u8]]) -> String {
        match credential(keys.iter().copied(), authorizations.iter().copied()) {
            Ok(key) => format!("key {key}"),
            Err(Reason::NoCredential) => "none".to_owned(),
            Err(Reason::ConflictingCredentials) => "conflict".to_owned(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_shows_one_key() {
        type Lines = &'static [&'static [u8]];
        let cases: &[(Lines, Lines, &str)] = &[
            (&[], &[], "none"),
            (&[b"k"], &[], "key k"),
            (&[], &[b"Bearer k"], "key k"),
            (&[], &[b"bEARER  k"], "key k"),
            (&[b"k"], &[b"Bearer k"], "key k"),
            (&[b"k", b"k"], &[], "key k"),
            (&[b"k"], &[b"Bearer l"], "conflict"),
            (&[b"k", b"l"], &[], "conflict"),
            (&[], &[b"Bearer k", b"Bearer l"], "conflict"),
            (&[b"k"], &[b"Basic k"], "conflict"),
            (&[b"Basic k"], &[b"Basic k"], "conflict"),
            (&[], &[b"Basic k"], "none"),
            (&[], &[b"Bearerk"], "none"),
            (&[], &[b"k"], "none"),
            (&[], &[b""], "none"),
            (&[], &[b"Bearer"], "key "),
            (&[b""], &[], "key "),
            (&[b"\xff"], &[], "key "),
            (&[b"k, l"], &[], "key k, l"),
        ];
        for (keys, authorizations, expected) in cases {
            assert_eq!(shown(keys, authorizations), *expected, "{keys:?} {authorizations:?}");
        }
    }
}
