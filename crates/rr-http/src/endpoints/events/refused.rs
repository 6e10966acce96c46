//! A refused webhook, in the words of the contract.

use rr_webhooks::{Incoming, Refusal, SignatureHint, WebhookSecret, diagnose};

use crate::codes::Code;
use crate::problem::{FieldError, Problem};

/// The answer to a request that is no event.
pub(super) fn refused(refusal: &Refusal) -> Problem {
    let code = Code::named(refusal.code()).unwrap_or_else(|| Code::of_status(refusal.status()));
    let detail = sentence(refusal.detail());
    match refusal.pointer() {
        Some(pointer) => {
            Problem::fields(code, vec![FieldError::new(pointer, refusal.detail())]).detail(detail)
        }
        None => Problem::new(code).detail(detail),
    }
}

/// What is wrong with a signature that was refused. Who asks has shown a key, and without the
/// secret as well there is nothing to be learnt here.
pub(super) fn hints(
    refusal: &Refusal,
    incoming: &Incoming<'_>,
    secrets: &[WebhookSecret],
) -> Vec<SignatureHint> {
    match refusal {
        Refusal::SignatureMissing | Refusal::SignatureInvalid | Refusal::SignatureExpired => {
            diagnose(incoming, secrets)
        }
        _ => Vec::new(),
    }
}

/// The same words as a sentence.
pub(super) fn sentence(mut text: String) -> String {
    if let Some(first) = text.get(..1) {
        let first = first.to_uppercase();
        text.replace_range(..1, &first);
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_code_and_status() {
        for refusal in [
            Refusal::TooLarge { limit: 5 },
            Refusal::SignatureMissing,
            Refusal::SignatureInvalid,
            Refusal::SignatureExpired,
            Refusal::Header { header: "webhook-id".to_owned(), problem: "is repeated" },
            Refusal::MediaType,
            Refusal::LinesMediaType,
            Refusal::ContentEncoding,
            Refusal::NotAnObject,
            Refusal::Member { pointer: "/event_type".to_owned(), problem: "is too long" },
        ] {
            let problem = refused(&refusal);
            assert_eq!(problem.code().name(), refusal.code());
            assert_eq!(problem.status().as_u16(), refusal.status());
        }
    }
}
