//! `GET /readyz`: whether requests should be sent here.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::healthz::Health;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// Whether the database answers, its migrations are current and the server is not stopping.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "operations",
    responses((status = 200, description = "Ready", body = Health)))]
pub(crate) async fn get(state: Data<AppState>) -> Outcome<HttpResponse> {
    if state.is_draining() {
        return Err(Problem::new(Code::Draining));
    }
    state.store.ready().await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}
