//! `GET /`: what this is.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// What this server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct About {
    #[schema(example = "ok")]
    status: &'static str,
    message: &'static str,
    version: &'static str,
}

/// What this server is.
#[utoipa::path(get, path = "/", operation_id = "about", tag = "operations",
    responses((status = 200, description = "It is there", body = About)))]
pub(crate) async fn get() -> HttpResponse {
    HttpResponse::Ok().json(About {
        status: "ok",
        message: "Revenue Ripple integration server. The API is described at /docs.",
        version: env!("CARGO_PKG_VERSION"),
    })
}
