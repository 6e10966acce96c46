//! A denied key, in the words of the contract.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use rr_keys::Denial;

use crate::codes::Code;
use crate::problem::Problem;

/// When to ask again after a quota that no period renews: somebody may have raised it by then.
const SPENT_FOR_GOOD: Duration = Duration::from_secs(86_400);

/// The answer to a request whose key does not open the door.
pub(super) fn denied(denial: &Denial) -> Problem {
    match denial {
        Denial::MissingPermission { required, missing } => {
            Problem::missing_permission(required, missing.clone())
        }
        other => {
            // A denial that this build does not know yet is refused as an invalid key.
            let mut problem = Problem::new(Code::named(other.code()).unwrap_or(Code::InvalidKey));
            if let Some(limits) = other.limits() {
                problem = problem.rate_limit(limits.rate_limit(), limits.rate_limit_policy());
            }
            let spent = matches!(other, Denial::QuotaExceeded { .. }).then_some(SPENT_FOR_GOOD);
            match other.retry_after().or(spent) {
                Some(span) => problem.retry_after(span),
                None => problem,
            }
        }
    }
}

/// The same to a sender with these headers. Most who send webhooks wait and try again after a 429.
/// Alertmanager takes it as final and tries again after a 503, so to it a limit is a passing trouble
/// like any other.
pub(super) fn suited_to(headers: &HeaderMap, problem: Problem) -> Problem {
    let agent = headers.get(header::USER_AGENT).map_or(&b""[..], |agent| agent.as_bytes());
    match problem.status() {
        StatusCode::TOO_MANY_REQUESTS if agent.starts_with(b"Alertmanager/") => {
            problem.under(Code::Busy)
        }
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_denial_has_its_code_and_status() {
        for (denial, code, status) in [
            (Denial::Malformed, "invalid_key", 401),
            (Denial::Unknown, "invalid_key", 401),
            (Denial::NotYetValid, "key_not_yet_valid", 401),
            (Denial::Expired, "key_expired", 401),
            (Denial::Revoked, "key_revoked", 401),
            (Denial::Disabled, "key_disabled", 401),
            (Denial::Superseded, "key_superseded", 401),
            (Denial::AddressNotAllowed, "address_not_allowed", 403),
            (
                Denial::QuotaExceeded {
                    period: rr_keys::QuotaPeriod::Day,
                    retry_after: None,
                    limits: rr_keys::RateLimitStatus::default(),
                },
                "quota_exceeded",
                429,
            ),
            (
                Denial::TooManyUnknown { retry_after: Duration::from_secs(3) },
                "too_many_attempts",
                429,
            ),
        ] {
            assert_eq!(denial.code(), code);
            assert_eq!(denial.http_status(), status);
            let problem = denied(&denial);
            assert_eq!(problem.code().name(), code);
            assert_eq!(problem.status().as_u16(), status);
        }
    }
}
