//! `DELETE /api/devops/keys/{id}`: the end of a key.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::show::{key_id, no_such_key};
use crate::auth::{Allowed, ManageKeys};
use crate::detached::detached;
use crate::problem::Outcome;
use crate::state::AppState;

/// Revokes a key for good. From the moment the answer is sent, this server refuses the key.
#[utoipa::path(delete, path = "/api/devops/keys/{id}", operation_id = "revoke_key", tag = "keys",
    params(("id" = uuid::Uuid, Path, description = "The key's id")),
    responses(
        (status = 204, description = "Revoked, now or before"),
        (status = 404, description = "There is no such key", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn delete(
    who: Allowed<ManageKeys>,
    id: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let id = key_id(&id)?;
    let audit = state.audit(&who.caller, &request);
    let here = state.into_inner();
    let revoked = detached(async move {
        let outcome = here.store.revoke_key(id, audit).await;
        // Even after an error, which can hide that the change was committed, and again for a key that was
        // revoked before: another server may have done it a moment ago.
        if !matches!(outcome, Ok(false)) {
            here.forget_key(id);
        }
        Ok(outcome?)
    });
    if revoked.await? { Ok(HttpResponse::NoContent().finish()) } else { Err(no_such_key()) }
}
