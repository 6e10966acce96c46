//! What a request shows as its credential, before anybody looks at whether it is good.

use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::auth::session::{Presented, SessionToken, presented_session};
use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// The one credential of a request.
pub(crate) enum Credential<'a> {
    /// None at all.
    Nothing,
    /// A session's cookie with something in it that cannot be a session.
    NoSession,
    /// Something that is meant to be an API key.
    Key(&'a str),
    /// The session of somebody signed in.
    Session(SessionToken),
}

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Finds the credential. Two that differ are refused: whichever we chose, somebody in between
/// might choose the other.
pub(crate) fn credential<'a>(headers: &'a HeaderMap, https: bool) -> Outcome<Credential<'a>> {
    let from_header = headers.get(X_API_KEY).map(text);
    let from_bearer = headers.get(header::AUTHORIZATION).map(|value| bearer(text(value)));
    let key = match (from_header, from_bearer) {
        (Some(a), Some(b)) if a != b => return Err(Problem::new(Code::ConflictingCredentials)),
        (a, b) => a.or(b),
    };
    match (key, presented_session(headers, https)?) {
        (Some(_), Presented::Session(_)) => Err(Problem::new(Code::ConflictingCredentials)),
        (Some(key), Presented::Nonsense | Presented::Nothing) => Ok(Credential::Key(key)),
        (None, Presented::Session(session)) => Ok(Credential::Session(session)),
        (None, Presented::Nonsense) => Ok(Credential::NoSession),
        (None, Presented::Nothing) => Ok(Credential::Nothing),
    }
}

/// A value that is not text is no key; the empty text is refused as one later on.
fn text(value: &header::HeaderValue) -> &str {
    value.to_str().unwrap_or("")
}

/// The token after `Bearer`, in any case. Another scheme is a credential that is not valid here.
fn bearer(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn shown(lines: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        match credential(&headers, false) {
            Ok(Credential::Nothing) => "nothing".to_owned(),
            Ok(Credential::NoSession) => "no session".to_owned(),
            Ok(Credential::Key(key)) => format!("key {key}"),
            Ok(Credential::Session(_)) => "session".to_owned(),
            Err(problem) => problem.code().name().to_owned(),
        }
    }

    #[test]
    fn a_request_shows_one_credential() {
        let session = format!("rr_session={}", "a".repeat(43));
        let session = session.as_str();
        for (lines, expected) in [
            (&[][..], "nothing"),
            (&[("x-api-key", "k")], "key k"),
            (&[("authorization", "Bearer k")], "key k"),
            (&[("authorization", "bEARER k")], "key k"),
            (&[("authorization", "Basic k")], "key "),
            (&[("authorization", "k")], "key "),
            (&[("x-api-key", "k"), ("authorization", "Bearer k")], "key k"),
            (&[("x-api-key", "k"), ("authorization", "Bearer l")], "conflicting_credentials"),
            (&[("cookie", session)], "session"),
            (&[("cookie", session), ("x-api-key", "k")], "conflicting_credentials"),
            (&[("cookie", "theme=dark")], "nothing"),
            (&[("cookie", "rr_session=")], "nothing"),
            (&[("cookie", "rr_session=old")], "no session"),
            (&[("cookie", "rr_session=old"), ("x-api-key", "k")], "key k"),
            (&[("cookie", "theme=dark"), ("x-api-key", "k")], "key k"),
        ] {
            assert_eq!(shown(lines), expected, "{lines:?}");
        }
    }
}
