//! `POST /api/auth/login`: e-mail and password for a session.

use std::fmt;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Label;
use rr_store::{Actor, Audit, Login, NewSession};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::auth::{Checked, SessionToken, address_of, check_same_site, session_cookie};
use crate::body::Body;
use crate::codes::Code;
use crate::exchange::Exchange;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// A session ends after this long without a request…
const IDLE: Duration = Duration::from_secs(30 * 60);
/// …and after this long in any case.
const ABSOLUTE: Duration = Duration::from_secs(12 * 3600);

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    #[schema(max_length = 254)]
    email: String,
    #[schema(max_length = 1024, format = Password)]
    password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    pub(crate) user: SignedInUser,
}

/// A signed-in administrator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedInUser {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) role: String,
}

/// Begins a session. Unknown and wrong get the same answer in the same time.
#[utoipa::path(post, path = "/api/auth/login", operation_id = "login", tag = "session", request_body = Credentials,
    responses(
        (status = 200, description = "Signed in; the session is in the cookie", body = SignedIn),
        (status = 401, description = "E-mail or password is wrong", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many failures; see Retry-After",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    check_same_site(request.headers(), state.settings.public_url.as_deref())?;
    let Credentials { email, password } = body.json().await?;
    let (email, password) = (email.trim().to_lowercase(), Zeroizing::new(password));
    check_lengths(&state, &email, &password)?;

    let address = address_of(&state, &request);
    let attempt = state
        .throttle
        .login(&email, address, state.now())
        .map_err(|wait| Problem::new(Code::TooManyAttempts).retry_after(wait))?;
    let login = state.store.find_login(email).await?.filter(is_administrator);
    let stored = login.as_ref().map(|login| login.password_hash.clone());
    let checked = state.passwords.check(password, stored, state.random.bytes()).await?;
    let Some(login) = login.filter(|_| checked != Checked::Wrong) else {
        tracing::warn!(address = ?address, "a sign-in failed");
        return Err(Problem::new(Code::InvalidCredentials));
    };
    state.throttle.succeeded(&attempt);

    let audit = Audit {
        at: state.now(),
        actor: Actor::Administrator(login.id),
        request_id: Exchange::id_of(&request),
        address,
    };
    if let Checked::RightButWeak(stronger) = checked {
        let (from, by) = (login.password_hash.clone(), audit.clone());
        state.store.rehash_password(login.id, from, stronger, by).await?;
    }
    let token = begin_session(&state, &request, &login, audit).await?;
    let cookie = session_cookie(&token, state.settings.is_https(), ABSOLUTE);
    let user =
        SignedInUser { id: login.id, email: login.email, role: login.role.as_str().to_owned() };
    Ok(HttpResponse::Ok().insert_header((header::SET_COOKIE, cookie)).json(SignedIn { user }))
}

fn check_lengths(state: &AppState, email: &str, password: &str) -> Outcome<()> {
    if !(1..=254).contains(&email.len()) || email.contains('\0') {
        return Err(Problem::field("/email", "must have 1 to 254 bytes"));
    }
    // Before it is hashed: the length is the sender's choice and the hashing our work.
    if !(1..=state.settings.limits.password_bytes).contains(&password.len()) {
        return Err(Problem::field("/password", "must have 1 to 1024 bytes"));
    }
    Ok(())
}

fn is_administrator(login: &Login) -> bool {
    login.role == Label::ADMIN && login.status == Label::ACTIVE
}

async fn begin_session(
    state: &AppState,
    request: &HttpRequest,
    login: &Login,
    audit: Audit,
) -> Outcome<SessionToken> {
    let token = SessionToken::new(&state.random);
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let session = NewSession {
        token_hash: token.hash(),
        user_id: login.id,
        idle: IDLE,
        absolute: ABSOLUTE,
        user_agent: agent.map(|agent| agent.chars().take(200).collect()),
    };
    state.store.create_session(session, audit).await?;
    Ok(token)
}
