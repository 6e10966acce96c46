//! `GET /api/devops/sync/commissions`: what affiliates earned.

use actix_web::{HttpRequest, HttpResponse};

use super::answer;
use crate::auth::{Allowed, ReadMetrics};
use crate::figures::Part;
use crate::problem::Outcome;

/// What affiliates earned.
#[utoipa::path(get, path = "/api/devops/sync/commissions", operation_id = "sync_commissions", tag = "figures",
    responses(
        (status = 200, description = "The figures", body = crate::openapi::CommissionFigures,
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match")))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, request: HttpRequest) -> Outcome<HttpResponse> {
    answer(&request, Part::Commissions).await
}
