//! What a request shows as its credential, before anybody looks at whether it is good.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use rr_keys::{ConflictingCredentials, shown_key};

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
/// might choose the other. An `Authorization` of another scheme is none of ours: a browser that signed in to a proxy
/// before the panel sends the proxy's with every request.
pub(crate) fn credential<'a>(headers: &'a HeaderMap, https: bool) -> Outcome<Credential<'a>> {
    let keys = headers.get_all(X_API_KEY).map(HeaderValue::as_bytes);
    let authorizations = headers.get_all(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let conflict = |ConflictingCredentials| Problem::new(Code::ConflictingCredentials);
    match (shown_key(keys, authorizations).map_err(conflict)?, presented_session(headers, https)?) {
        (Some(_), Presented::Session(_)) => Err(Problem::new(Code::ConflictingCredentials)),
        (Some(key), Presented::Nonsense | Presented::Nothing) => Ok(Credential::Key(key)),
        (None, Presented::Session(session)) => Ok(Credential::Session(session)),
        (None, Presented::Nonsense) => Ok(Credential::NoSession),
        (None, Presented::Nothing) => Ok(Credential::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (&[("authorization", "Bearer")], "key "),
            (&[("authorization", "Basic k")], "nothing"),
            (&[("authorization", "k")], "nothing"),
            (&[("authorization", "Basic k"), ("cookie", session)], "session"),
            (&[("authorization", "Basic k"), ("cookie", "rr_session=old")], "no session"),
            (&[("authorization", "Basic k"), ("x-api-key", "k")], "conflicting_credentials"),
            (
                &[("authorization", "Bearer k"), ("authorization", "Bearer l")],
                "conflicting_credentials",
            ),
            (&[("x-api-key", "k"), ("x-api-key", "l")], "conflicting_credentials"),
            (&[("authorization", "Bearer k"), ("cookie", session)], "conflicting_credentials"),
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
