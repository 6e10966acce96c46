//! `POST /api/auth/logout`: the end of a session.

use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_store::{Actor, Audit};

use crate::auth::{
    CallerId, Credential, SessionToken, address_of, check_same_site, clear_cookie, credential,
};
use crate::exchange::Exchange;
use crate::problem::Outcome;
use crate::state::AppState;

/// Ends the session, on every server at once. Whoever has none, or one that is over, is signed out
/// already: the answer is the same, and the browser forgets the cookie.
#[utoipa::path(post, path = "/api/auth/logout", operation_id = "logout", tag = "session",
    responses(
        (status = 204, description = "Signed out, now or before"),
        (status = 403, description = "The request comes from another site's page",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(request: HttpRequest, state: Data<AppState>) -> Outcome<HttpResponse> {
    // Whatever it shows: another site must not even clear the cookie.
    check_same_site(request.headers(), state.settings.public_url.as_deref())?;
    let https = state.settings.is_https();
    if let Credential::Session(token) = credential(request.headers(), https)? {
        end(&state, &request, &token).await?;
    }
    Ok(HttpResponse::NoContent()
        .insert_header((header::SET_COOKIE, clear_cookie(https)))
        // Not "cookies": that would take the neighbours' on the same domain along.
        .insert_header((HeaderName::from_static("clear-site-data"), r#""cache", "storage""#))
        .finish())
}

async fn end(state: &AppState, request: &HttpRequest, token: &SessionToken) -> Outcome<()> {
    let (now, hash) = (state.now(), token.hash());
    let Some(session) = state.store.session(hash, now).await? else { return Ok(()) };
    let caller = CallerId { id: session.user_id, is_key: false, limits: None };
    Exchange::note_caller(request, caller);
    let audit = Audit {
        at: now,
        actor: Actor::Administrator(session.user_id),
        request_id: Exchange::id_of(request),
        address: address_of(state, request),
    };
    let outcome = state.store.end_session(hash, audit).await;
    // Even after an error, which can hide that the change was committed.
    state.live.credential_changed(session.user_id);
    outcome?;
    Ok(())
}
