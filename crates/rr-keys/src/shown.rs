//! Which key a request shows, before anybody looks at whether it is good.

/// Two credentials that differ: whichever we chose, somebody in between might choose the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request shows two credentials that differ")]
pub struct ConflictingCredentials;

/// What one header line shows.
#[derive(PartialEq, Eq)]
enum Shown<'a> {
    Key(&'a [u8]),
    /// An `Authorization` of another scheme.
    Other(&'a [u8]),
}

/// The one key that a request shows, from the values of its `x-api-key` and `Authorization` lines; `None` when it
/// shows none. For services that do without the adapters, which read requests with this too.
///
/// Another scheme alone counts as no credential (RFC 6750, section 3.1): it may be meant for a proxy on the way.
/// Beside a key it is one credential too many. A value that is no text becomes the empty text, which is no key.
///
/// ```
/// let shown = rr_keys::shown_key([], [&b"Bearer rr_k"[..]]);
/// assert_eq!(shown, Ok(Some("rr_k")));
/// assert_eq!(rr_keys::shown_key([], [&b"Basic b3BzOm9wcw=="[..]]), Ok(None));
/// ```
pub fn shown_key<'a>(
    keys: impl IntoIterator<Item = &'a [u8]>,
    authorizations: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<&'a str>, ConflictingCredentials> {
    let keys = keys.into_iter().map(Shown::Key);
    let mut lines = keys.chain(authorizations.into_iter().map(bearer));
    let Some(first) = lines.next() else { return Ok(None) };
    if lines.any(|other| other != first) {
        return Err(ConflictingCredentials);
    }
    Ok(match first {
        Shown::Key(bytes) => Some(std::str::from_utf8(bytes).unwrap_or_default()),
        Shown::Other(_) => None,
    })
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
    use proptest::prelude::*;

    use super::*;

    fn shown(keys: &[&'static [u8]], authorizations: &[&'static [u8]]) -> String {
        match shown_key(keys.iter().copied(), authorizations.iter().copied()) {
            Ok(Some(key)) => format!("key {key}"),
            Ok(None) => "none".to_owned(),
            Err(ConflictingCredentials) => "conflict".to_owned(),
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

    /// The rule said slowly, over all lines at once.
    fn shown_slowly(keys: &[Vec<u8>], authorizations: &[Vec<u8>]) -> Result<String, &'static str> {
        let mut found: Vec<(bool, Vec<u8>)> = keys.iter().map(|key| (true, key.clone())).collect();
        for line in authorizations {
            let lower = line.to_ascii_lowercase();
            let token = lower.starts_with(b"bearer") && (line.len() == 6 || line[6] == b' ');
            let rest: Vec<u8> = line.iter().skip(6).copied().collect();
            let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            found.push(if token { (true, rest[blank..].to_vec()) } else { (false, line.clone()) });
        }
        found.dedup();
        match &found[..] {
            [] | [(false, _)] => Err("none"),
            [(true, key)] => Ok(String::from_utf8(key.clone()).unwrap_or_default()),
            _ => Err("conflict"),
        }
    }

    fn line() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::sample::select(
                [
                    &b"k"[..],
                    b"l",
                    b"",
                    b"Bearer k",
                    b"bearer  k",
                    b"Bearer",
                    b"Bearer\tk",
                    b"Basic k"
                ]
                .to_vec(),
            )
            .prop_map(<[u8]>::to_vec),
            ("[bB][eE]arer[ \t]{0,2}", prop::collection::vec(any::<u8>(), 0..4))
                .prop_map(|(scheme, rest)| [scheme.into_bytes(), rest].concat()),
            prop::collection::vec(any::<u8>(), 0..12),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Bounded fuzzing of the header lines.
        #[test]
        fn any_lines_are_read_by_the_rule(
            keys in prop::collection::vec(line(), 0..3),
            authorizations in prop::collection::vec(line(), 0..3),
        ) {
            let read = match shown_key(
                keys.iter().map(Vec::as_slice),
                authorizations.iter().map(Vec::as_slice),
            ) {
                Ok(Some(key)) => Ok(key.to_owned()),
                Ok(None) => Err("none"),
                Err(ConflictingCredentials) => Err("conflict"),
            };
            prop_assert_eq!(read, shown_slowly(&keys, &authorizations));
        }
    }
}
