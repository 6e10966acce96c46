//! The answer to a request that is not let in, formed once for every framework.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::{Denial, Grant, RateLimitStatus};

/// What the store's failure asks of a caller: long enough for a restart, short enough for a patient client.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// The media type of [`Refusal::body`].
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not let in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Reason {
    /// It shows no key.
    NoCredential,
    /// It shows two credentials that differ.
    ConflictingCredentials,
    /// Its key does not open the door.
    Denied(Denial),
    /// The store could not say whether there is such a key.
    StoreFailed(Arc<dyn Error + Send + Sync>),
    /// The service has not said who judges its keys. Nobody is let in.
    NotConfigured,
}

/// A request that was not let in, and what to answer.
///
/// Both adapters leave a copy for the service's own log: the tower layer in the response's extensions, the
/// actix extractors as the response's error. The answer names no cause of a failed store; the
/// [`source`](Error::source) of this does.
#[derive(Debug, Clone)]
pub struct Refusal {
    reason: Reason,
    realm: Arc<str>,
}

impl Refusal {
    pub(super) fn new(reason: Reason, realm: Arc<str>) -> Self {
        Self { reason, realm }
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The HTTP status: 400, 401, 403, 429, 500 or 503.
    pub fn status(&self) -> u16 {
        match &self.reason {
            Reason::NoCredential => 401,
            Reason::ConflictingCredentials => 400,
            Reason::Denied(denial) => denial.http_status(),
            Reason::StoreFailed(_) => 503,
            Reason::NotConfigured => 500,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match &self.reason {
            Reason::NoCredential => "unauthenticated",
            Reason::ConflictingCredentials => "conflicting_credentials",
            Reason::Denied(denial) => denial.code(),
            Reason::StoreFailed(_) => "unavailable",
            Reason::NotConfigured => "internal",
        }
    }

    /// How long to wait before trying again, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.reason {
            Reason::Denied(denial) => denial.retry_after(),
            Reason::StoreFailed(_) => Some(STORE_PAUSE),
            _ => None,
        }
    }

    /// The header fields of the answer, `content-type` included; names are in lower case.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("content-type", MEDIA_TYPE.to_owned())];
        if let Some(challenge) = self.challenge() {
            fields.push(("www-authenticate", challenge));
        }
        if let Some(wait) = self.retry_after() {
            fields.push(("retry-after", whole_seconds(wait).to_string()));
        }
        if let Reason::Denied(denial) = &self.reason
            && let Some(limits) = denial.limits()
        {
            fields.extend(limit_fields(limits));
        }
        fields
    }

    /// The problem as JSON. The type is `about:blank`, so the title is that of the status; `code` tells
    /// programs what happened, and a missing permission is named in `required` and `missing`.
    pub fn body(&self) -> String {
        let mut problem = json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status(),
            "detail": self.to_string(),
            "code": self.code(),
        });
        if let Reason::Denied(Denial::MissingPermission { required, missing }) = &self.reason {
            problem["required"] = json!(required);
            problem["missing"] = json!(missing);
        }
        problem.to_string()
    }

    fn title(&self) -> &'static str {
        match self.status() {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        }
    }

    /// `WWW-Authenticate` after RFC 6750, section 3. A request without a key is told the scheme and nothing
    /// else; one whose address or rate is wrong would gain nothing from another token and is told nothing.
    fn challenge(&self) -> Option<String> {
        let error = match &self.reason {
            Reason::NoCredential => None,
            Reason::ConflictingCredentials => Some("invalid_request"),
            Reason::Denied(Denial::MissingPermission { .. }) => Some("insufficient_scope"),
            Reason::Denied(denial) if denial.http_status() == 401 => Some("invalid_token"),
            _ => return None,
        };
        let mut challenge = format!("Bearer realm={}", quoted(&self.realm));
        if let Some(error) = error {
            challenge.push_str(&format!(", error={}", quoted(error)));
        }
        if let Reason::Denied(Denial::MissingPermission { required, .. }) = &self.reason
            && is_scope(required)
        {
            challenge.push_str(&format!(", scope={}", quoted(required)));
        }
        Some(challenge)
    }
}

/// The text for people: what an answer says in `detail`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::NoCredential => {
                f.write_str("this needs a key, as x-api-key or as Authorization: Bearer")
            }
            Reason::ConflictingCredentials => {
                f.write_str("the request shows two different credentials")
            }
            Reason::Denied(denial) => denial.fmt(f),
            Reason::StoreFailed(_) => f.write_str("keys cannot be checked at the moment"),
            Reason::NotConfigured => f.write_str("the service is not set up to check keys"),
        }
    }
}

impl Error for Refusal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::StoreFailed(error) => Some(&**error),
            _ => None,
        }
    }
}

/// What an answer tells a key about its limits, refused or not.
pub(super) fn limit_fields(limits: &RateLimitStatus) -> [(&'static str, String); 2] {
    [("ratelimit", limits.rate_limit()), ("ratelimit-policy", limits.rate_limit_policy())]
}

/// The same for a request that was let in; nothing for a key without limits.
pub(super) fn limit_fields_of(grant: &Grant) -> impl Iterator<Item = (&'static str, String)> {
    grant.rate_limits().as_ref().map(limit_fields).into_iter().flatten()
}

/// Rounded up: a caller that comes back a moment early would be refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// A quoted string (RFC 9110, section 5.6.4). What no header field can carry is left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars().filter(|letter| matches!(letter, ' '..='~')) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

/// Whether a permission can be written as a scope of RFC 6750. Others are named in the body alone.
fn is_scope(permission: &str) -> bool {
    !permission.is_empty()
        && permission.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_that_is_no_scope_is_named_in_the_body_alone() {
        let challenge = |required: &str| {
            let denial = Denial::MissingPermission {
                required: required.to_owned(),
                missing: vec![required.to_owned()],
            };
            let refusal = Refusal::new(Reason::Denied(denial), Arc::from("api"));
            assert!(refusal.body().contains(&serde_json::to_string(required).unwrap()));
            refusal.challenge().unwrap()
        };
        let start = "Bearer realm=\"api\", error=\"insufficient_scope\"";
        assert_eq!(challenge("read:orders/*"), format!("{start}, scope=\"read:orders/*\""));
        for odd in ["", "sp ace", "quo\"te", "back\\slash", "new\nline", "é"] {
            assert_eq!(challenge(odd), start, "{odd:?}");
        }
    }

    #[test]
    fn a_realm_cannot_break_out_of_its_quotes() {
        assert_eq!(quoted("a\"b\\c\r\nd: é"), "\"a\\\"b\\\\cd: \"");
    }

    #[test]
    fn waiting_is_told_in_whole_seconds_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}
