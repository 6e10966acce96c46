//! What a caller is told when a request fails: `application/problem+json` (RFC 9457).
//!
//! Handlers return a [`Problem`] and know no status codes; the table in `codes.rs` does. The
//! frame around the application (`frame.rs`) renders it, because only there the request id is
//! known for every way a request can end.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use rr_webhooks::SignatureHint;
use serde::Serialize;

use crate::codes::Code;

/// The result of everything that can fail with a [`Problem`].
pub type Outcome<T> = Result<T, Problem>;

/// One failed request, as its caller may know it: a stable code, a text, and what a program can
/// act on. Nothing here names SQL, files, hosts or secrets.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    missing: Vec<String>,
    required: Option<String>,
    key_id: Option<uuid::Uuid>,
    retry_after: Option<Duration>,
    challenge: Challenge,
    allow: Option<String>,
    rate_limit: Option<(String, String)>,
    signature_hints: Vec<SignatureHint>,
}

/// What `WWW-Authenticate` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    None,
    Bare,
    InvalidToken,
    InsufficientScope,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or the name of a query parameter.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError { pointer: pointer.into(), detail: detail.into() }
    }
}

impl Problem {
    /// A problem with the public text that the table gives its code.
    pub fn new(code: Code) -> Problem {
        Problem(Box::new(Inner {
            code,
            detail: Cow::Borrowed(code.text()),
            errors: Vec::new(),
            missing: Vec::new(),
            required: None,
            key_id: None,
            retry_after: code.retry_after(),
            challenge: match code.status() {
                401 => Challenge::InvalidToken,
                _ => Challenge::None,
            },
            allow: None,
            rate_limit: None,
            signature_hints: Vec::new(),
        }))
    }

    /// A body or query whose fields are wrong.
    pub fn fields(code: Code, errors: Vec<FieldError>) -> Problem {
        let mut problem = Problem::new(code);
        if let [only] = errors.as_slice() {
            problem.0.detail = Cow::Owned(match only.pointer.as_str() {
                "" => format!("The body: {}", only.detail),
                pointer => format!("{pointer}: {}", only.detail),
            });
        }
        problem.0.errors = errors;
        problem
    }

    /// One wrong field of a body.
    pub fn field(pointer: &str, detail: &str) -> Problem {
        Problem::fields(Code::InvalidBody, vec![FieldError::new(pointer, detail)])
    }

    /// One wrong query parameter.
    pub fn parameter(name: &str, detail: &str) -> Problem {
        Problem::fields(Code::InvalidParameter, vec![FieldError::new(name, detail)])
    }

    /// One query parameter that can be read and makes no sense.
    pub fn unusable(name: &str, detail: &str) -> Problem {
        Problem::fields(Code::UnusableParameter, vec![FieldError::new(name, detail)])
    }

    /// No credential was sent where one is needed.
    pub fn unauthenticated() -> Problem {
        let mut problem = Problem::new(Code::Unauthenticated);
        problem.0.challenge = Challenge::Bare;
        problem
    }

    /// A session was shown that is over, or never was one.
    pub fn session_over() -> Problem {
        Problem::new(Code::Unauthenticated).detail("The session is over. Sign in again.")
    }

    /// The credential is good, and it does not reach this far.
    pub fn missing_permission(required: &str, missing: Vec<String>) -> Problem {
        let mut problem = Problem::new(Code::InsufficientScope);
        problem.0.challenge = Challenge::InsufficientScope;
        problem.0.required = Some(required.to_owned());
        problem.0.missing = missing;
        problem
    }

    /// A method that this path does not have; `allow` lists those it has.
    pub fn method_not_allowed(allow: String) -> Problem {
        let mut problem = Problem::new(Code::MethodNotAllowed);
        problem.0.allow = Some(allow);
        problem
    }

    /// For a failure that only a status tells about, as the framework's own.
    pub fn from_status(status: StatusCode) -> Problem {
        Problem::new(Code::of_status(status.as_u16()))
    }

    /// The same under another code, for a caller that would misunderstand its own.
    #[must_use]
    pub(crate) fn under(mut self, code: Code) -> Problem {
        self.0.code = code;
        self
    }

    /// The same problem with a text of its own. It must be safe to show.
    #[must_use]
    pub fn detail(mut self, text: impl Into<Cow<'static, str>>) -> Problem {
        self.0.detail = text.into();
        self
    }

    /// The same problem pointing at a field.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Problem {
        let detail = self.0.detail.to_string();
        self.0.errors.push(FieldError::new(pointer, detail));
        self
    }

    /// The same problem naming a key.
    #[must_use]
    pub fn key_id(mut self, id: uuid::Uuid) -> Problem {
        self.0.key_id = Some(id);
        self
    }

    /// The same problem telling when to come back.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Problem {
        self.0.retry_after = Some(span);
        self
    }

    /// The same problem with the values of `RateLimit` and `RateLimit-Policy`.
    #[must_use]
    pub fn rate_limit(mut self, limit: String, policy: String) -> Problem {
        self.0.rate_limit = Some((limit, policy));
        self
    }

    /// The same problem with what is wrong with a signature.
    #[must_use]
    pub(crate) fn signature_hints(mut self, hints: Vec<SignatureHint>) -> Problem {
        self.0.signature_hints = hints;
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.code.status_code()
    }

    /// The body, carrying the id of the request that failed.
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let inner = &*self.0;
        let rendered = Rendered {
            r#type: inner.code.uri(),
            title: inner.code.title(),
            status: inner.code.status(),
            detail: &inner.detail,
            code: inner.code.name(),
            request_id,
            error: &inner.detail,
            errors: &inner.errors,
            required: inner.required.as_deref(),
            missing: &inner.missing,
            key_id: inner.key_id,
            signature_hints: &inner.signature_hints,
        };
        // Strings, numbers and lists of strings have a JSON form, so this cannot fail; were it
        // ever to, an empty body with the right status is still an honest answer.
        serde_json::to_vec(&rendered).unwrap_or_default()
    }

    /// The fields of the answer's head that this problem asks for.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        let inner = &*self.0;
        let mut put = |name, text: String| {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        };
        if let Some(challenge) = self.challenge() {
            put(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(span) = inner.retry_after {
            put(header::RETRY_AFTER, whole_seconds(span).to_string());
        }
        if let Some(allow) = &inner.allow {
            put(header::ALLOW, allow.clone());
        }
        if let Some((limit, policy)) = &inner.rate_limit {
            put(header::HeaderName::from_static("ratelimit"), limit.clone());
            put(header::HeaderName::from_static("ratelimit-policy"), policy.clone());
        }
    }

    fn challenge(&self) -> Option<String> {
        const REALM: &str = r#"Bearer realm="revenue-ripple""#;
        match self.0.challenge {
            Challenge::None => None,
            Challenge::Bare => Some(REALM.to_owned()),
            Challenge::InvalidToken => Some(format!(r#"{REALM}, error="invalid_token""#)),
            Challenge::InsufficientScope => {
                let scope = self.0.required.as_deref().unwrap_or_default();
                Some(format!(r#"{REALM}, error="insufficient_scope", scope="{scope}""#))
            }
        }
    }
}

/// Rounded up: a client that comes back a moment too early is refused again.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

#[derive(Serialize)]
struct Rendered<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    /// What clients of the old server read.
    error: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<uuid::Uuid>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    signature_hints: &'a [SignatureHint],
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// The head only: the frame writes the body once it knows the request id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status())
    }
}

impl From<rr_store::StoreError> for Problem {
    fn from(error: rr_store::StoreError) -> Problem {
        Problem::of_store(&error)
    }
}

impl Problem {
    /// A store that is busy or away is temporary trouble; the cause goes to the log and not to
    /// the caller.
    pub(crate) fn of_store(error: &rr_store::StoreError) -> Problem {
        let code = match error {
            // The caller's amounts, which it may know.
            rr_store::StoreError::TooLarge(text) => {
                return Problem::field("", text);
            }
            rr_store::StoreError::Busy => Code::Busy,
            rr_store::StoreError::Outdated => Code::Outdated,
            other if other.is_temporary() => Code::Unavailable,
            _ => Code::Internal,
        };
        if code == Code::Internal {
            tracing::error!(error = %Chain(error), "the store failed");
        } else {
            tracing::warn!(error = %Chain(error), "the store is not available");
        }
        Problem::new(code)
    }
}

/// An error with all its causes, for one log line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(problem: &Problem) -> (serde_json::Value, HeaderMap) {
        let mut headers = HeaderMap::new();
        problem.write_headers(&mut headers);
        (serde_json::from_slice(&problem.body("r-1")).unwrap(), headers)
    }

    #[test]
    fn a_problem_has_the_members_of_the_contract() {
        let (body, headers) = rendered(&Problem::new(Code::NotFound));
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:revenue-ripple:problem:not_found", "title": "Not found",
                "status": 404, "detail": Code::NotFound.text(), "code": "not_found",
                "request_id": "r-1", "error": Code::NotFound.text(),
            })
        );
        assert!(headers.is_empty());
    }

    #[test]
    fn each_kind_of_refusal_has_its_challenge() {
        let challenge = |problem: &Problem| {
            let (_, headers) = rendered(problem);
            headers.get("www-authenticate").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            challenge(&Problem::unauthenticated()).as_deref(),
            Some(r#"Bearer realm="revenue-ripple""#)
        );
        assert_eq!(
            challenge(&Problem::new(Code::KeyExpired)).as_deref(),
            Some(r#"Bearer realm="revenue-ripple", error="invalid_token""#)
        );
        let forbidden =
            Problem::missing_permission("read_metrics", vec!["read_metrics".to_owned()]);
        assert_eq!(
            challenge(&forbidden).as_deref(),
            Some(
                r#"Bearer realm="revenue-ripple", error="insufficient_scope", scope="read_metrics""#
            )
        );
        let (body, _) = rendered(&forbidden);
        assert_eq!(body["required"], "read_metrics");
        assert_eq!(body["missing"], serde_json::json!(["read_metrics"]));
    }

    #[test]
    fn field_errors_carry_pointers_and_a_readable_text() {
        let (body, _) = rendered(&Problem::field("/name", "is required"));
        assert_eq!(body["status"], 422);
        assert_eq!(body["error"], "/name: is required");
        assert_eq!(
            body["errors"],
            serde_json::json!([{"pointer": "/name", "detail": "is required"}])
        );
    }

    #[test]
    fn waiting_is_told_in_whole_seconds_rounded_up() {
        let problem = Problem::new(Code::RateLimited).retry_after(Duration::from_millis(1001));
        let (_, headers) = rendered(&problem);
        assert_eq!(headers.get("retry-after").unwrap(), "2");
        let (_, headers) = rendered(&Problem::new(Code::Busy));
        assert_eq!(headers.get("retry-after").unwrap(), "1");
    }
}
