//! `POST /webhook`, also at `/api/stripe/webhook`: what the payment provider reports.

use actix_web::HttpResponse;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// Takes a signed event of the payment provider in. As long as nothing can check its signature, nothing
/// is read: the provider tries again for days.
#[utoipa::path(post, path = "/webhook", operation_id = "stripe_webhook_at_its_old_path", tag = "payments", request_body = Object,
    responses((status = 503, description = "This version takes no payments yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post() -> Outcome<HttpResponse> {
    Err(Problem::new(Code::PaymentsUnavailable))
}

/// Takes a signed event of the payment provider in.
#[utoipa::path(post, path = "/api/stripe/webhook", operation_id = "stripe_webhook", tag = "payments", request_body = Object,
    responses((status = 503, description = "This version takes no payments yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post_api() -> Outcome<HttpResponse> {
    Err(Problem::new(Code::PaymentsUnavailable))
}
