//! `GET /metrics`: Prometheus text.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;

use tokio::time::timeout;

use crate::auth::{Allowed, ReadMetrics};
use crate::codes::Code;
use crate::metrics::LedgerNumbers;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// Who measures wants to hear of the server most of all when its database is silent.
const PATIENCE: Duration = Duration::from_millis(500);

/// Counters of requests, store, key cache and connections, and the figures that stand by themselves.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "Metrics in OpenMetrics text", body = String,
        content_type = "application/openmetrics-text")))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, state: Data<AppState>) -> Outcome<HttpResponse> {
    let ledger = LedgerNumbers {
        present: timeout(PATIENCE, state.store.present(state.now()))
            .await
            .ok()
            .and_then(Result::ok),
        verified: state.verifications.last(),
    };
    let (store, keys) = (state.store.stats(), state.verifier.stats());
    let text = state
        .metrics
        .render(&store, &keys, state.drain.connections(), state.live.stats(), &ledger)
        .map_err(|_| Problem::new(Code::Internal))?;
    Ok(HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text))
}
