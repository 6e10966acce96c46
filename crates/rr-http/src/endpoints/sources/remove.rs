//! `DELETE /api/devops/sources/{source}`: the end of a source.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use rr_store::DEFAULT_SOURCE;

use super::view::conflict;
use crate::auth::{Allowed, ManageWebhooks};
use crate::problem::Outcome;
use crate::sources::no_such_source;
use crate::state::AppState;

/// Removes a source and its secrets. Its events stay for as many days as those of the default source, whose
/// `retention_bytes` does not count them.
#[utoipa::path(delete, path = "/api/devops/sources/{source}", operation_id = "remove_source", tag = "sources",
    params(("source" = String, Path, description = "The source's name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such source", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "The default source cannot be removed", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn delete(
    who: Allowed<ManageWebhooks>,
    name: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    if *name == DEFAULT_SOURCE {
        return Err(conflict("The default source cannot be removed. It can be disabled."));
    }
    let audit = state.audit(&who.caller, &request);
    let removed = state.store.remove_webhook_source(name.into_inner(), audit).await?;
    state.read_sources().await?;
    if removed { Ok(HttpResponse::NoContent().finish()) } else { Err(no_such_source()) }
}
