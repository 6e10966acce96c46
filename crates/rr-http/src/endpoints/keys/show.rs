//! `GET /api/devops/keys/{id}`: one key.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::view::Key;
use crate::auth::{Allowed, ManageKeys};
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::AppState;

/// One key.
#[utoipa::path(get, path = "/api/devops/keys/{id}", operation_id = "show_key", tag = "keys",
    params(("id" = Uuid, Path, description = "The key's id")),
    responses(
        (status = 200, description = "The key", body = Key),
        (status = 404, description = "There is no such key", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn get(
    _: Allowed<ManageKeys>,
    id: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    Query::read(&request, &[])?;
    let row = state.store.key(key_id(&id)?).await?.ok_or_else(no_such_key)?;
    Ok(HttpResponse::Ok().json(Key::of(row, state.now())))
}

/// A text that is no id names no key.
pub(super) fn key_id(text: &str) -> Outcome<Uuid> {
    Uuid::try_parse(text).map_err(|_| no_such_key())
}

pub(super) fn no_such_key() -> Problem {
    Problem::new(Code::NotFound).detail("There is no such key.")
}
