//! Session tokens: 256 random bits in a cookie, their SHA-256 in the store.

use std::fmt;

use actix_web::http::header::{self, HeaderMap};
use rr_domain::Random;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::auth::cookie::cookie_name;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// A session's token. Only its hash reaches the store.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// Characters of a token: 256 bits of URL-safe base64 without padding.
    const LENGTH: usize = 43;

    /// A new token.
    pub(crate) fn new(random: &Random) -> SessionToken {
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(random.bytes());
        SessionToken(Zeroizing::new(url_safe(&*bytes)))
    }

    fn parse(text: &str) -> Option<SessionToken> {
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = text.len() == SessionToken::LENGTH && text.bytes().all(alphabet);
        fits.then(|| SessionToken(Zeroizing::new(text.to_owned())))
    }

    /// The text for the cookie.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// What the store knows the session by.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(redacted)")
    }
}

/// What the request's cookies hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Presented {
    /// No session, or the empty value that is left when one was cleared.
    Nothing,
    /// Something that cannot be a token, and so is nobody's session.
    Nonsense,
    /// A token.
    Session(SessionToken),
}

/// The session that the request's cookies name. A value that cannot be a token does not hide one
/// that can (an old or foreign cookie must not lock a browser out); two that differ are refused.
pub(super) fn presented_session(headers: &HeaderMap, https: bool) -> Outcome<Presented> {
    let name = cookie_name(https);
    let mut found = Presented::Nothing;
    for line in headers.get_all(header::COOKIE) {
        let pairs = line.to_str().unwrap_or("").split(';');
        let values = pairs.filter_map(|pair| pair.trim().split_once('='));
        for (_, value) in values.filter(|(key, _)| *key == name) {
            found = match (found, SessionToken::parse(value)) {
                (Presented::Session(other), Some(token)) if other != token => {
                    return Err(Problem::new(Code::ConflictingCredentials));
                }
                (_, Some(token)) => Presented::Session(token),
                (Presented::Nothing, None) if !value.is_empty() => Presented::Nonsense,
                (found, None) => found,
            };
        }
    }
    Ok(found)
}

/// URL-safe base64 without padding.
fn url_safe(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            let sextet = (word >> (18 - 6 * position)) & 0x3f;
            text.push(char::from(ALPHABET[usize::try_from(sextet).unwrap_or(0)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xff, 0xfe, 0xfb], "__77"),
        ] {
            assert_eq!(url_safe(bytes), text);
        }
    }

    #[test]
    fn a_token_has_256_bits_and_does_not_show() {
        let token = SessionToken::new(&Random::new(|buffer| buffer.fill(0xa5)));
        assert_eq!(token.expose().len(), 43);
        assert_eq!(SessionToken::parse(token.expose()).as_ref(), Some(&token));
        assert_eq!(format!("{token:?}"), "SessionToken(redacted)");
        assert_eq!(token.hash(), <[u8; 32]>::from(Sha256::digest(token.expose())));
    }

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let token = "t".repeat(43);
        let other = "o".repeat(43);
        let ask = |cookies: &str, https: bool| {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, HeaderValue::from_str(cookies).unwrap());
            presented_session(&headers, https).map(|found| match found {
                Presented::Session(token) => Some(token.expose().to_owned()),
                Presented::Nothing | Presented::Nonsense => None,
            })
        };
        assert_eq!(
            ask(&format!("a=b; rr_session={token}; c=d"), false).unwrap(),
            Some(token.clone())
        );
        assert_eq!(ask(&format!("__Host-rr_session={token}"), true).unwrap(), Some(token.clone()));
        // Over https only the name that a browser guards is looked at.
        assert_eq!(ask(&format!("rr_session={token}"), true).unwrap(), None);
        assert_eq!(ask("rr_session=short", false).unwrap(), None);
        assert_eq!(ask("rr_session=", false).unwrap(), None);
        let twice = format!("rr_session={token}; rr_session={token}");
        assert_eq!(ask(&twice, false).unwrap(), Some(token.clone()));
        let two = format!("rr_session={token}; rr_session={other}");
        assert_eq!(ask(&two, false).unwrap_err().code(), Code::ConflictingCredentials);
    }
}
