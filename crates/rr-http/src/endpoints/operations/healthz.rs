//! `GET /healthz`: whether the process is alive. It asks nobody else, or a database that is down
//! would have a supervisor restart a server that is well.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// A state in one word.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    pub(crate) status: &'static str,
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "operations",
    responses((status = 200, description = "Alive", body = Health)))]
pub(crate) async fn get() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}
