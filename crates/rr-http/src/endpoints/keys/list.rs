//! `GET /api/devops/keys`: all keys. Reading them changes none.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::Key;
use crate::auth::{Allowed, ManageKeys};
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::AppState;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A page of keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyList {
    keys: Vec<Key>,
    next_cursor: Option<String>,
}

/// Keys, newest first; never a secret nor its hash. With `expires_within_days`, those that work and
/// end within so many days, soonest first.
#[utoipa::path(get, path = "/api/devops/keys", operation_id = "list_keys", tag = "keys",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Keys per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("expires_within_days" = Option<u32>, Query, minimum = 1, maximum = 36_500,
            description = "Only working keys that end within so many days, soonest first")),
    responses((status = 200, description = "A page of keys", body = KeyList)))]
pub(crate) async fn get(
    _: Allowed<ManageKeys>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["limit", "cursor", "expires_within_days"])?;
    let (page, now) = (query.page()?, state.now());
    let page = match days(&query)? {
        None => state.store.keys(page).await?,
        Some(days) => state.store.expiring_keys(now, now.plus(DAY * days), page).await?,
    };
    Ok(HttpResponse::Ok().json(KeyList {
        keys: page.items.into_iter().map(|row| Key::of(row, now)).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

fn days(query: &Query<'_>) -> Outcome<Option<u32>> {
    let Some(text) = query.text("expires_within_days")? else { return Ok(None) };
    let days = text.parse().ok().filter(|days| (1..=36_500).contains(days));
    let wrong = || Problem::parameter("expires_within_days", "must be a number from 1 to 36500");
    days.ok_or_else(wrong).map(Some)
}
