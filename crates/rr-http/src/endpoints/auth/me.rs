//! `GET /api/auth/me`: who is signed in.

use actix_web::HttpResponse;

use super::login::{SignedIn, SignedInUser};
use crate::auth::Administrator;
use crate::problem::Outcome;

/// Who is signed in.
#[utoipa::path(get, path = "/api/auth/me", operation_id = "me", tag = "session",
    responses((status = 200, description = "The signed-in administrator", body = SignedIn)))]
pub(crate) async fn get(who: Administrator) -> Outcome<HttpResponse> {
    let user = SignedInUser { id: who.admin.id, email: who.admin.email, role: who.admin.role };
    Ok(HttpResponse::Ok().json(SignedIn { user }))
}
