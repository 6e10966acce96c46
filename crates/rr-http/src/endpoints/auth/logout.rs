//! `POST /api/auth/logout`: the end of a session.

use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::auth::{Administrator, clear_cookie, presented_session};
use crate::problem::Outcome;
use crate::state::AppState;

/// Ends the session, on every server at once.
#[utoipa::path(post, path = "/api/auth/logout", operation_id = "logout", tag = "session",
    responses((status = 204, description = "Signed out")))]
pub(crate) async fn post(
    who: Administrator,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let https = state.settings.is_https();
    if let Some(token) = presented_session(request.headers(), https)? {
        state.store.end_session(token.hash(), state.audit(&who.caller, &request)).await?;
    }
    Ok(HttpResponse::NoContent()
        .insert_header((header::SET_COOKIE, clear_cookie(https)))
        // Not "cookies": that would take the neighbours' on the same domain along.
        .insert_header((HeaderName::from_static("clear-site-data"), r#""cache", "storage""#))
        .finish())
}
