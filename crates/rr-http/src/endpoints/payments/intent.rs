//! `POST /create-payment-intent`: a payment inside the caller's own page.

use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Body;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// Nothing needs to be said: the product is fixed. Pages of the first server send fields of their
/// own, which it ignored.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct PaymentIntent {}

/// Begins a payment.
#[utoipa::path(post, path = "/create-payment-intent", operation_id = "create_payment_intent", tag = "payments", request_body = PaymentIntent,
    responses((status = 503, description = "This version takes no payments yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(body: Body) -> Outcome<HttpResponse> {
    let PaymentIntent {} = body.json_or_default().await?;
    Err(Problem::new(Code::PaymentsUnavailable))
}
