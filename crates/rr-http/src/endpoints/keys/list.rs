//! `GET /api/devops/keys`: all keys. Reading them changes none.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::Key;
use crate::auth::{Allowed, ManageKeys};
use crate::problem::Outcome;
use crate::query::Query;
use crate::state::AppState;

/// A page of keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyList {
    keys: Vec<Key>,
    next_cursor: Option<String>,
}

/// Keys, newest first; never a secret nor its hash.
#[utoipa::path(get, path = "/api/devops/keys", operation_id = "list_keys", tag = "keys",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Keys per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of keys", body = KeyList)))]
pub(crate) async fn get(
    _: Allowed<ManageKeys>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["limit", "cursor"])?;
    let page = state.store.keys(query.page()?).await?;
    let now = state.now();
    Ok(HttpResponse::Ok().json(KeyList {
        keys: page.items.into_iter().map(|row| Key::of(row, now)).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}
