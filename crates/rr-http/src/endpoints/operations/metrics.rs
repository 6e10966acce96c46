//! `GET /metrics`: Prometheus text.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::auth::{Allowed, ReadMetrics};
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// Counters of requests, store, key cache and connections.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "Metrics in OpenMetrics text", body = String,
        content_type = "application/openmetrics-text")))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, state: Data<AppState>) -> Outcome<HttpResponse> {
    let text = state
        .metrics
        .render(&state.store.stats(), &state.verifier.stats(), state.drain.connections())
        .map_err(|_| Problem::new(Code::Internal))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}
