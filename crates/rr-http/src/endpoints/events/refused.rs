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
            Problem::fields(code, vec![FieldError::new(pointer, refusal.detail_there())])
                .detail(detail)
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
    use rr_webhooks::{JsonFault, JsonFaultKind};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_refusal_has_its_code_and_status() {
        let member =
            |pointer: &str, problem| Refusal::Member { pointer: pointer.to_owned(), problem };
        let header = Refusal::Header { header: "webhook-id".to_owned(), problem: "is repeated" };
        let nul = JsonFault { kind: JsonFaultKind::Nul, pointer: "/a".to_owned(), offset: 6 };
        for (refusal, said, there) in [
            (Refusal::TooLarge { limit: 5 }, "The body is longer than 5 bytes.", None),
            (
                Refusal::SignatureMissing,
                "The request must be signed, with Standard Webhooks headers, Stripe-Signature, \
                 X-Hub-Signature-256, X-PagerDuty-Signature or X-Webhook-Signature.",
                None,
            ),
            (Refusal::SignatureInvalid, "The signature does not match the body.", None),
            (Refusal::TokenInvalid, "X-Gitlab-Token is none of the source's secrets.", None),
            (
                Refusal::SignatureExpired,
                "The signed time is more than 300 seconds away from now.",
                None,
            ),
            (header, "The header webhook-id is repeated.", None),
            (
                Refusal::MediaType,
                "The body must be application/json, or any other type that ends in +json, in UTF-8.",
                None,
            ),
            (
                Refusal::LinesMediaType,
                "A batch must be application/x-ndjson in UTF-8: one JSON object a line.",
                None,
            ),
            (
                Refusal::ContentEncoding,
                "The body must not be encoded (no Content-Encoding but identity).",
                None,
            ),
            (
                Refusal::Json(nul),
                "The body holds a NUL character (byte 6).",
                Some(("/a", "the body holds a NUL character (byte 6)")),
            ),
            (
                Refusal::NotAnObject,
                "The body must be a JSON object.",
                Some(("", "must be a JSON object")),
            ),
            (
                member("/event_type", "is too long"),
                "/event_type is too long.",
                Some(("/event_type", "is too long")),
            ),
            (
                member("", "must hold at most 1000 events"),
                "The body must hold at most 1000 events.",
                Some(("", "must hold at most 1000 events")),
            ),
        ] {
            let problem = refused(&refusal);
            assert_eq!(problem.code().name(), refusal.code());
            assert_eq!(problem.status().as_u16(), refusal.status());
            let body: Value = serde_json::from_slice(&problem.body("an id")).unwrap();
            assert_eq!(body["detail"], said);
            let there =
                there.map(|(pointer, detail)| json!([{"pointer": pointer, "detail": detail}]));
            assert_eq!(body.get("errors"), there.as_ref(), "{said}");
        }
    }
}
