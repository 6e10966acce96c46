//! `POST /api/devops/metrics`: what the DevOps module's script reports; kept as an event.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::webhook::take_in;
use crate::auth::{Allowed, WriteWebhooks};
use crate::body::Body;
use crate::problem::Outcome;
use crate::state::AppState;

/// The report is safe.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    #[schema(example = "success")]
    status: &'static str,
}

/// Takes a report in. The script runs in browsers and cannot keep a signing secret, so reports
/// are not asked for a signature.
#[utoipa::path(post, path = "/api/devops/metrics", operation_id = "report_metrics", tag = "events",
    request_body(content = Object, content_type = "application/json",
        description = "Any JSON object; `event` names it"),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repeat harmless")),
    responses(
        (status = 200, description = "The report is safe", body = Received),
        (status = 409, description = "The same id with another body", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn post(
    who: Allowed<WriteWebhooks>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let intake = state.intake(&who.caller, None).await?;
    take_in(&who.caller, &request, &state, body, intake.unsigned_terms()).await?;
    Ok(HttpResponse::Ok().json(Received { status: "success" }))
}
