//! Why a webhook is refused, in words for its sender.

use crate::JsonFault;

/// Why a webhook is refused. No variant holds a secret, a signature or a key, so all of it may be
/// shown to the sender and written to a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body is longer than allowed.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The longest body allowed.
        limit: usize,
    },
    /// No signature is there, and this server asks for one.
    #[error(
        "the request must be signed, with Standard Webhooks headers, Stripe-Signature, \
         X-Hub-Signature-256, X-PagerDuty-Signature or X-Webhook-Signature"
    )]
    SignatureMissing,
    /// There is a signature, and it is not ours.
    #[error("the signature does not match the body")]
    SignatureInvalid,
    /// There is a token instead of a signature, and it is not ours.
    #[error("X-Gitlab-Token is none of the source's secrets")]
    TokenInvalid,
    /// The signed time is more than five minutes away.
    #[error("the signed time is more than 300 seconds away from now")]
    SignatureExpired,
    /// A header that matters is repeated or unreadable.
    #[error("the header {header} {problem}")]
    Header {
        /// Its name, in lower case.
        header: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Not JSON by its own declaration.
    #[error("the body must be application/json, or any other type that ends in +json, in UTF-8")]
    MediaType,
    /// A body of lines that does not say so.
    #[error("a batch must be application/x-ndjson in UTF-8: one JSON object a line")]
    LinesMediaType,
    /// The body is compressed.
    #[error("the body must not be encoded (no Content-Encoding but identity)")]
    ContentEncoding,
    /// Not the JSON we accept.
    #[error("{0}")]
    Json(JsonFault),
    /// JSON, and not an object.
    #[error("the body must be a JSON object")]
    NotAnObject,
    /// A member of the body has the wrong type, length or form.
    #[error("{} {problem}", place(pointer))]
    Member {
        /// Where, as a JSON pointer.
        pointer: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::TooLarge { .. } => "body_too_large",
            Refusal::SignatureMissing => "signature_missing",
            Refusal::SignatureInvalid | Refusal::TokenInvalid => "signature_invalid",
            Refusal::SignatureExpired => "signature_expired",
            Refusal::Header { .. } => "invalid_header",
            Refusal::MediaType | Refusal::LinesMediaType => "unsupported_media_type",
            Refusal::ContentEncoding => "unsupported_content_encoding",
            Refusal::Json(_) => "invalid_json",
            Refusal::NotAnObject | Refusal::Member { .. } => "invalid_body",
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Header { .. } | Refusal::Json(_) => 400,
            Refusal::SignatureMissing
            | Refusal::SignatureInvalid
            | Refusal::TokenInvalid
            | Refusal::SignatureExpired => 401,
            Refusal::TooLarge { .. } => 413,
            Refusal::MediaType | Refusal::LinesMediaType | Refusal::ContentEncoding => 415,
            Refusal::NotAnObject | Refusal::Member { .. } => 422,
        }
    }

    /// Where in the body the fault is, as a JSON pointer.
    pub fn pointer(&self) -> Option<&str> {
        match self {
            Refusal::Member { pointer, .. } => Some(pointer),
            Refusal::Json(fault) => Some(&fault.pointer),
            Refusal::NotAnObject => Some(""),
            _ => None,
        }
    }

    /// What to tell the sender.
    pub fn detail(&self) -> String {
        self.to_string()
    }

    /// The same for who is told the pointer beside it.
    pub fn detail_there(&self) -> String {
        match self {
            Refusal::Member { problem, .. } => (*problem).to_owned(),
            Refusal::NotAnObject => "must be a JSON object".to_owned(),
            other => other.to_string(),
        }
    }

    /// The same about an item of a list.
    pub(crate) fn within(self, index: usize) -> Refusal {
        match self {
            Refusal::Member { pointer, problem } => {
                Refusal::Member { pointer: format!("/{index}{pointer}"), problem }
            }
            Refusal::NotAnObject => {
                Refusal::Member { pointer: format!("/{index}"), problem: "must be a JSON object" }
            }
            other => other,
        }
    }

    pub(crate) fn header(header: &str, problem: &'static str) -> Refusal {
        Refusal::Header { header: header.to_owned(), problem }
    }

    pub(crate) fn member(pointer: &str, problem: &'static str) -> Refusal {
        Refusal::Member { pointer: pointer.to_owned(), problem }
    }
}

/// What a pointer points at. The empty one stands for the body, and would be no word in a sentence.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the body" } else { pointer }
}
