//! `GET /api/devops/sync/users`: how many users there are, by role and status.

use actix_web::{HttpRequest, HttpResponse};

use super::answer;
use crate::auth::{Allowed, ReadMetrics};
use crate::figures::Part;
use crate::problem::Outcome;

/// How many users there are, by role and status.
#[utoipa::path(get, path = "/api/devops/sync/users", operation_id = "sync_users", tag = "figures",
    responses(
        (status = 200, description = "The figures", body = crate::openapi::UserFigures,
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match")))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, request: HttpRequest) -> Outcome<HttpResponse> {
    answer(&request, Part::Users).await
}
