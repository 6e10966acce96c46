//! `POST /api/devops/metrics`: what the DevOps module's script reports; kept as an event.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_store::DEFAULT_SOURCE;
use rr_webhooks::{Incoming, accept_report};
use serde::Serialize;
use utoipa::ToSchema;

use super::refused::refused;
use super::webhook::{Arrival, headers, refuse_when_full, store};
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

/// Takes a report in. The script runs in browsers and cannot keep a signing secret, so reports are
/// not asked for a signature; therefore they are the script's own events and no others, and belong to
/// the source `default`.
#[utoipa::path(post, path = "/api/devops/metrics", operation_id = "report_metrics", tag = "events",
    request_body(content = Object, content_type = "application/json",
        description = "A JSON object whose `event` is `revenue_generated`, `agent_status` or `agent_status_changed`"),
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
    refuse_when_full(&state, &body)?;
    // Never the source that a key is bound to: its secret is not asked for here.
    let source = state.intake(&who.caller, Some(DEFAULT_SOURCE)).await?.terms().source;
    let max_bytes = state.settings.webhook_max_bytes;
    let body = body.bytes(max_bytes).await?;
    let headers = headers(request.headers());
    let (at, key_id) = (state.now(), who.caller.id());
    let incoming = Incoming { headers: &headers, body: &body, received_at: at, key_id };
    let report = accept_report(&incoming, max_bytes).map_err(|refusal| refused(&refusal))?;
    store(vec![report], body, Arrival { caller: &who.caller, state: &state, at, source }).await?;
    Ok(HttpResponse::Ok().json(Received { status: "success" }))
}
