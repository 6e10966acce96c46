//! `GET /api/devops/dashboard`, also at the path that pages of the first server call.

use actix_web::{HttpRequest, HttpResponse};

use super::answer;
use crate::auth::{Allowed, ReadMetrics};
use crate::figures::Part;
use crate::problem::Outcome;

/// Users and revenue at a glance.
#[utoipa::path(get, path = "/api/devops/dashboard", operation_id = "dashboard", tag = "figures",
    responses(
        (status = 200, description = "The figures", body = crate::openapi::Dashboard,
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match")))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, request: HttpRequest) -> Outcome<HttpResponse> {
    answer(&request, Part::Dashboard).await
}

/// Users and revenue at a glance, where the first server had them.
#[utoipa::path(get, path = "/your-existing-api/dashboard", operation_id = "dashboard_at_its_old_path", tag = "figures",
    responses(
        (status = 200, description = "The figures", body = crate::openapi::Dashboard,
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match")))]
pub(crate) async fn get_old(
    _: Allowed<ReadMetrics>,
    request: HttpRequest,
) -> Outcome<HttpResponse> {
    answer(&request, Part::Dashboard).await
}
