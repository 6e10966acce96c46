//! `OPTIONS /api/devops/webhook`: a sender of CloudEvents asks whether it may send.
//!
//! The question protects servers that expect no events from senders that somebody points at them; who
//! may send is decided by the key of each request. So anyone may ask, and everyone gets the same answer.

use actix_web::http::header::{ALLOW, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use rr_webhooks::handshake;

use super::refused::refused;
use super::webhook::headers;
use crate::problem::Outcome;
use crate::routes::{allowed_methods, wrong_method};

const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// Says that events are expected here, at any rate: what is too much is told when it comes, by 429 and
/// 503 with `Retry-After`.
#[utoipa::path(options, path = "/api/devops/webhook", operation_id = "webhook_handshake", tag = "events",
    params(
        ("webhook-request-origin" = String, Header, description = "The system that wants to send"),
        ("webhook-request-rate" = Option<u32>, Header, description = "Requests a minute that it wants to send")),
    responses((status = 200, description = "It may: `WebHook-Allowed-Origin`, and `WebHook-Allowed-Rate` if it asked")))]
pub(crate) async fn options(request: HttpRequest) -> Outcome<HttpResponse> {
    let headers = headers(request.headers());
    let Some(asked) = handshake(&headers).map_err(|refusal| refused(&refusal))? else {
        return wrong_method(request).await;
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ALLOW, allowed_methods(&request)));
    answer.insert_header((ALLOWED_ORIGIN, asked.origin));
    if asked.rate.is_some() {
        answer.insert_header((ALLOWED_RATE, "*"));
    }
    Ok(answer.finish())
}

/// The same for a source that is named, and for names that no source has: who shows no credential does
/// not learn here which there are.
#[utoipa::path(options, path = "/api/devops/webhook/{source}", operation_id = "webhook_handshake_of_source", tag = "events",
    params(
        ("source" = String, Path, description = "The source's name"),
        ("webhook-request-origin" = String, Header, description = "The system that wants to send"),
        ("webhook-request-rate" = Option<u32>, Header, description = "Requests a minute that it wants to send")),
    responses((status = 200, description = "It may: `WebHook-Allowed-Origin`, and `WebHook-Allowed-Rate` if it asked")))]
pub(crate) async fn options_named(request: HttpRequest) -> Outcome<HttpResponse> {
    options(request).await
}
