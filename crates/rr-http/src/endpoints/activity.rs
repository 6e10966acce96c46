//! `GET /api/devops/activity`: who did what.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_store::ActivityRow;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::auth::Administrator;
use crate::problem::Outcome;
use crate::query::Query;
use crate::state::AppState;

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivityList {
    activity: Vec<Activity>,
    next_cursor: Option<String>,
}

/// One thing that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `administrator:<id>`, `key:<id>`, `command-line`, `system`, or imported text.
    actor: String,
    #[schema(example = "key.created")]
    action: String,
    #[schema(example = "key:018f2b5e-0000-7000-8000-000000000001")]
    subject: Option<String>,
    #[schema(value_type = Object)]
    detail: Box<RawValue>,
    request_id: Option<String>,
    address: Option<String>,
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/api/devops/activity", operation_id = "list_activity", tag = "operations",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of the log", body = ActivityList)))]
pub(crate) async fn get(
    _: Administrator,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["limit", "cursor"])?;
    let page = state.store.activity(query.page()?).await?;
    Ok(HttpResponse::Ok().json(ActivityList {
        activity: page.items.into_iter().map(Activity::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

impl From<ActivityRow> for Activity {
    fn from(row: ActivityRow) -> Activity {
        Activity {
            id: row.id,
            at: row.at,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            detail: row.detail,
            request_id: row.request_id,
            address: row.address,
        }
    }
}
