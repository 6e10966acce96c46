//! `GET /api/devops/users`: the users themselves, with personal data.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_store::{UserFilter, UserRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Allowed, ReadUsers};
use crate::problem::Outcome;
use crate::query::Query;
use crate::state::AppState;

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserList {
    users: Vec<User>,
    next_cursor: Option<String>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    id: Uuid,
    email: String,
    role: String,
    plan: Option<String>,
    status: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Users, newest first.
#[utoipa::path(get, path = "/api/devops/users", operation_id = "list_users", tag = "users",
    params(
        ("role" = Option<String>, Query, description = "Only with this role"),
        ("status" = Option<String>, Query, description = "Only with this status"),
        ("q" = Option<String>, Query, description = "Only whose e-mail contains this text"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Users per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of users", body = UserList)))]
pub(crate) async fn get(
    _: Allowed<ReadUsers>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["role", "status", "q", "limit", "cursor"])?;
    let filter = UserFilter {
        role: query.text("role")?,
        status: query.text("status")?,
        q: query.text("q")?,
    };
    let page = state.store.users(filter, query.page()?).await?;
    Ok(HttpResponse::Ok().json(UserList {
        users: page.items.into_iter().map(User::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> User {
        User {
            id: row.id,
            email: row.email,
            role: row.role.as_str().to_owned(),
            plan: row.plan.map(|plan| plan.as_str().to_owned()),
            status: row.status.as_str().to_owned(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
