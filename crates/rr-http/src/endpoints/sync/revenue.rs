//! `GET /api/devops/sync/revenue`: what came in, and what comes in every month.

use actix_web::{HttpRequest, HttpResponse};

use super::answer;
use crate::auth::{Allowed, ReadMetrics};
use crate::figures::Part;
use crate::problem::Outcome;

/// What came in, and what comes in every month.
#[utoipa::path(get, path = "/api/devops/sync/revenue", operation_id = "sync_revenue", tag = "figures",
    responses(
        (status = 200, description = "The figures", body = crate::openapi::RevenueFigures,
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match")))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, request: HttpRequest) -> Outcome<HttpResponse> {
    answer(&request, Part::Revenue).await
}
