//! `DELETE /api/devops/sources/{source}/secrets/{secret}`: a secret that is good no more.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::view::{Source, answer};
use crate::auth::{Allowed, ManageWebhooks};
use crate::problem::Outcome;
use crate::sources::no_such_source;
use crate::state::AppState;

/// Ends a secret at once. The only one cannot be ended: without it, the default source's
/// would do, or none.
#[utoipa::path(delete, path = "/api/devops/sources/{source}/secrets/{secret}",
    operation_id = "retire_source_secret", tag = "sources",
    params(
        ("source" = String, Path, description = "The source's name"),
        ("secret" = Uuid, Path, description = "The secret's id")),
    responses(
        (status = 200, description = "The source as it is now", body = Source),
        (status = 404, description = "There is no such source or secret", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "No other secret is good", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn delete(
    who: Allowed<ManageWebhooks>,
    place: Path<(String, String)>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let (name, id) = place.into_inner();
    let id: Uuid = id.parse().map_err(|_| no_such_source())?;
    let audit = state.audit(&who.caller, &request);
    let outcome = state.store.retire_source_secret(name, id, audit).await?;
    answer(&state, outcome).await
}
