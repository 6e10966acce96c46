//! The one table of everything a request can fail with: code, status, title, public text.
//!
//! Codes are part of the contract: programs match on them, so a code is never renamed.

use std::time::Duration;

use actix_web::http::StatusCode;

/// A row of the table.
struct Row {
    code: Code,
    name: &'static str,
    status: u16,
    title: &'static str,
    text: &'static str,
}

/// Writes one row; only here so that the table below reads as one.
const fn row(
    code: Code,
    name: &'static str,
    status: u16,
    title: &'static str,
    text: &'static str,
) -> Row {
    Row { code, name, status, title, text }
}

/// A stable, public name for one way a request can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says for each what it means, in public words")]
pub enum Code {
    BadRequest,
    ConflictingCredentials,
    RepeatedHeader,
    InvalidHeader,
    InvalidParameter,
    InvalidJson,
    InvalidEncoding,
    Unauthenticated,
    InvalidKey,
    KeyExpired,
    KeyRevoked,
    KeyDisabled,
    KeyNotYetValid,
    KeySuperseded,
    InvalidCredentials,
    SignatureMissing,
    SignatureInvalid,
    SignatureExpired,
    InsufficientScope,
    NotAdministrator,
    AddressNotAllowed,
    OwnBounds,
    CrossSite,
    SourceNotAllowed,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    Timeout,
    AlreadyCreated,
    AlreadyRotated,
    KeyNotRotatable,
    KeyNotChangeable,
    IdempotencyConflict,
    Conflict,
    TooLarge,
    UriTooLong,
    UnsupportedMediaType,
    UnsupportedContentEncoding,
    HostNotAllowed,
    InvalidBody,
    UnusableParameter,
    TooMuchTold,
    RateLimited,
    QuotaExceeded,
    TooManyAttempts,
    HeadersTooLarge,
    TooManyHeaders,
    Internal,
    NotImplemented,
    Busy,
    Unavailable,
    Outdated,
    Draining,
    PaymentsUnavailable,
    AssistantUnavailable,
    GithubAlertsUnavailable,
}

#[rustfmt::skip]
static TABLE: &[Row] = {
    use Code::*;
    &[
    row(BadRequest, "bad_request", 400, "Bad request", "The request could not be read."),
    row(ConflictingCredentials, "conflicting_credentials", 400, "Conflicting credentials", "The request carries more than one credential. Send exactly one."),
    row(RepeatedHeader, "repeated_header", 400, "Repeated header", "A header that may appear once appears more than once."),
    row(InvalidHeader, "invalid_header", 400, "Invalid header", "A header of the request cannot be used as it is."),
    row(InvalidParameter, "invalid_parameter", 400, "Invalid parameter", "A query parameter is wrong; see errors."),
    row(InvalidJson, "invalid_json", 400, "Invalid JSON", "The body is not JSON that can be accepted."),
    row(InvalidEncoding, "invalid_encoding", 400, "Invalid encoding", "The body ended early or its transfer coding is broken."),
    row(Unauthenticated, "unauthenticated", 401, "Authentication required", "This needs an API key (x-api-key or Authorization: Bearer) or an administrator's session."),
    row(InvalidKey, "invalid_key", 401, "Invalid API key", "The API key is not valid."),
    row(KeyExpired, "key_expired", 401, "API key expired", "The API key has expired."),
    row(KeyRevoked, "key_revoked", 401, "API key revoked", "The API key was revoked."),
    row(KeyDisabled, "key_disabled", 401, "API key disabled", "The API key is disabled."),
    row(KeyNotYetValid, "key_not_yet_valid", 401, "API key not yet valid", "The API key is not valid yet."),
    row(KeySuperseded, "key_superseded", 401, "API key secret ended", "This secret of the API key has ended, by a rotation or because it became public; use the key's present one."),
    row(InvalidCredentials, "invalid_credentials", 401, "Sign-in failed", "E-mail or password is wrong."),
    row(SignatureMissing, "signature_missing", 401, "Signature missing", "The webhook must be signed."),
    row(SignatureInvalid, "signature_invalid", 401, "Invalid signature", "The webhook's signature does not match its body."),
    row(SignatureExpired, "signature_expired", 401, "Signature expired", "The webhook's signed time is too far from now."),
    row(InsufficientScope, "insufficient_scope", 403, "Permission missing", "The credential does not have the permission this needs."),
    row(NotAdministrator, "not_administrator", 403, "Administrator only", "Only a signed-in administrator may do this."),
    row(AddressNotAllowed, "address_not_allowed", 403, "Address not allowed", "The API key may not be used from this address."),
    row(OwnBounds, "own_bounds", 403, "A key cannot widen itself", "A key can narrow its own bounds and not widen them; see errors."),
    row(CrossSite, "cross_site_request", 403, "Cross-site request", "A change made with a session cookie must come from this server's own pages."),
    row(SourceNotAllowed, "source_not_allowed", 403, "Source not allowed", "The key may not send as this webhook source, or the source is disabled."),
    row(NotFound, "not_found", 404, "Not found", "There is nothing here."),
    row(MethodNotAllowed, "method_not_allowed", 405, "Method not allowed", "This path does not have that method; see Allow."),
    row(NotAcceptable, "not_acceptable", 406, "Not acceptable", "The answer exists in no form that the request accepts."),
    row(Timeout, "request_timeout", 408, "Request timeout", "The request did not arrive in time."),
    row(AlreadyCreated, "already_created", 409, "Already created", "This Idempotency-Key has made a key already. Its secret was shown once and is not stored."),
    row(AlreadyRotated, "already_rotated", 409, "Already rotated", "This Idempotency-Key has rotated the key already. The new secret was shown once and is not stored."),
    row(KeyNotRotatable, "key_not_rotatable", 409, "Key cannot be rotated", "The key cannot be given a new secret."),
    row(KeyNotChangeable, "key_not_changeable", 409, "Key cannot be changed", "The key was revoked, which is for good: only its name and notes can still be changed."),
    row(IdempotencyConflict, "idempotency_conflict", 409, "Idempotency conflict", "This id was used before with another body."),
    row(Conflict, "conflict", 409, "Conflict", "The request does not fit the present state."),
    row(TooLarge, "body_too_large", 413, "Body too large", "The body is larger than this endpoint takes."),
    row(UriTooLong, "uri_too_long", 414, "URI too long", "The query string is too long."),
    row(UnsupportedMediaType, "unsupported_media_type", 415, "Unsupported media type", "The body must be application/json in UTF-8."),
    row(UnsupportedContentEncoding, "unsupported_content_encoding", 415, "Unsupported content encoding", "The body must be sent without a content coding."),
    row(HostNotAllowed, "host_not_allowed", 421, "Misdirected request", "This server does not answer under the name that the request was sent to."),
    row(InvalidBody, "invalid_body", 422, "Invalid body", "The body does not have the expected form; see errors."),
    row(UnusableParameter, "unusable_parameter", 422, "Parameter makes no sense", "A query parameter can be read and makes no sense; see errors."),
    row(TooMuchTold, "too_much_told", 422, "Too much to read", "More was told in this time than one answer holds. Ask for one service or environment, or for a shorter time."),
    row(RateLimited, "rate_limited", 429, "Too many requests", "The limit is used up for now; see Retry-After."),
    row(QuotaExceeded, "quota_exceeded", 429, "Quota used up", "The key has used up its quota; see RateLimit, and Retry-After for when to try again."),
    row(TooManyAttempts, "too_many_attempts", 429, "Too many attempts", "Too many attempts failed; see Retry-After."),
    row(HeadersTooLarge, "headers_too_large", 431, "Request header fields too large", "The request's header fields are larger than 16 KiB."),
    row(TooManyHeaders, "too_many_headers", 431, "Too many request header fields", "The request has more than 96 header fields."),
    row(Internal, "internal_error", 500, "Internal error", "Something went wrong on our side. The request id finds it in our log."),
    row(NotImplemented, "not_implemented", 501, "Not implemented", "The server does not know this method."),
    row(Busy, "busy", 503, "Busy", "Too much is waiting to be written. Try again shortly."),
    row(Unavailable, "unavailable", 503, "Temporarily unavailable", "The database does not answer for the moment. Try again shortly."),
    row(Outdated, "not_migrated", 503, "Not ready", "The database has migrations waiting. Try again shortly."),
    row(Draining, "draining", 503, "Stopping", "This server is stopping. Try again shortly."),
    row(PaymentsUnavailable, "payments_unavailable", 503, "Payments unavailable", "This version of the server takes no payments yet, whatever is configured."),
    row(AssistantUnavailable, "assistant_unavailable", 503, "Assistant unavailable", "This version of the server has no assistant yet, whatever is configured."),
    row(GithubAlertsUnavailable, "github_alerts_unavailable", 503, "GitHub alerts unavailable", "This server was not given GitHub's public keys (RR_GITHUB_SECRET_SCANNING_KEYS)."),
    ]
};

impl Code {
    /// Every code, in the order of the table.
    pub fn all() -> impl Iterator<Item = Code> {
        TABLE.iter().map(|row| row.code)
    }

    /// The code of that name, as another crate of ours spells it.
    pub fn named(name: &str) -> Option<Code> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.code)
    }

    /// The plainest code with that status.
    pub fn of_status(status: u16) -> Code {
        match status {
            400 => Code::BadRequest,
            401 => Code::Unauthenticated,
            403 => Code::NotAdministrator,
            404 => Code::NotFound,
            405 => Code::MethodNotAllowed,
            406 => Code::NotAcceptable,
            408 => Code::Timeout,
            409 => Code::Conflict,
            413 => Code::TooLarge,
            414 => Code::UriTooLong,
            415 => Code::UnsupportedMediaType,
            421 => Code::HostNotAllowed,
            422 => Code::InvalidBody,
            429 => Code::RateLimited,
            431 => Code::HeadersTooLarge,
            501 => Code::NotImplemented,
            503 => Code::Unavailable,
            402..=499 => Code::BadRequest,
            _ => Code::Internal,
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The status of the answer.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// The status of the answer, as the framework's type.
    pub fn status_code(self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A short name for people.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// What a caller is told when nothing more precise is known.
    pub fn text(self) -> &'static str {
        self.row().text
    }

    /// The problem's `type`.
    pub fn uri(self) -> String {
        format!("urn:revenue-ripple:problem:{}", self.name())
    }

    /// When a caller should come back, where the trouble is temporary.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Code::Busy | Code::Draining => Some(Duration::from_secs(1)),
            Code::Unavailable | Code::Outdated => Some(Duration::from_secs(5)),
            Code::PaymentsUnavailable
            | Code::AssistantUnavailable
            | Code::GithubAlertsUnavailable => Some(Duration::from_secs(3600)),
            _ => None,
        }
    }

    #[expect(clippy::expect_used, reason = "a test holds every code against the table")]
    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.code == self).expect("every code has a row")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(code: Code) -> usize {
        code as usize
    }

    #[test]
    fn every_code_has_exactly_one_row_in_order() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(position(row.code), index, "{} is out of place", row.name);
        }
        assert_eq!(position(Code::GithubAlertsUnavailable) + 1, TABLE.len(), "the last code");
    }

    #[test]
    fn names_are_unique_and_snake_case() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(row.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", row.name);
            assert!(TABLE[..index].iter().all(|other| other.name != row.name), "{}", row.name);
            assert_eq!(Code::named(row.name), Some(row.code));
            assert!(row.status == row.code.status_code().as_u16());
        }
    }

    #[test]
    fn a_status_finds_a_code_of_that_status() {
        for row in TABLE {
            assert_eq!(Code::of_status(row.status).status(), row.status);
        }
        assert_eq!(Code::of_status(418), Code::BadRequest);
        assert_eq!(Code::of_status(599), Code::Internal);
    }

    #[test]
    fn temporary_trouble_says_when_to_come_back() {
        for row in TABLE.iter().filter(|row| row.status == 503) {
            assert!(row.code.retry_after().is_some(), "{}", row.name);
        }
    }
}
