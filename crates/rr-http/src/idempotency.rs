//! The `Idempotency-Key` of a request.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// The caller's name for this request, if it gave one.
pub(crate) fn idempotency_key(request: &HttpRequest) -> Outcome<Option<String>> {
    let Some(value) = request.headers().get(HeaderName::from_static("idempotency-key")) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Some(text.to_owned()))
    } else {
        Err(Problem::new(Code::InvalidHeader)
            .detail("The Idempotency-Key must be 1 to 255 visible ASCII characters."))
    }
}
