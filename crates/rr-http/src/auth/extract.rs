//! The extractors that handlers name in their signatures.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{Either, LocalBoxFuture};
use rr_domain::{Label, Timestamp};
use rr_keys::{Grant, Request, VerifyError};
use uuid::Uuid;

use super::credential::{Credential, credential};
use super::denial::{denied, suited_to};
use super::permission::{Needs, Permission};
use super::session::SessionToken;
use super::{Admin, Caller, CallerId, KeyCaller, check_same_site, client_address};
use crate::codes::Code;
use crate::exchange::Exchange;
use crate::moves::move_to_newest;
use crate::problem::{Chain, Outcome, Problem};
use crate::state::AppState;

/// A caller that has the permission `P`: a key that grants it, or an administrator.
#[derive(Debug)]
pub struct Allowed<P> {
    /// Who it is.
    pub caller: Caller,
    permission: PhantomData<P>,
}

/// A signed-in administrator; no key will do.
#[derive(Debug)]
pub struct Administrator {
    /// Who it is.
    pub caller: Caller,
    /// The same, known to be an administrator.
    pub admin: Admin,
}

impl<P: Needs> FromRequest for Allowed<P> {
    type Error = Problem;
    type Future = Either<Ready<Outcome<Self>>, LocalBoxFuture<'static, Outcome<Self>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let allowed = |caller| Allowed { caller, permission: PhantomData };
        let permission = P::PERMISSION.name();
        // Nearly every caller is a key in memory, for which nothing has to be awaited.
        if let Some(known) = by_known_key(request, permission).transpose() {
            return Either::Left(ready(known.map(allowed)));
        }
        let request = request.clone();
        Either::Right(Box::pin(
            async move { authenticate(&request, permission).await.map(allowed) },
        ))
    }
}

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Outcome<Administrator>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = state_of(&request)?;
            match credential(request.headers(), state.settings.is_https())? {
                Credential::Nothing => Err(Problem::unauthenticated()),
                Credential::NoSession => Err(Problem::session_over()),
                Credential::Key(key) => {
                    // A bad key is told so; a good one still is no administrator.
                    by_key(state, &request, key, None).await?;
                    Err(Problem::new(Code::NotAdministrator))
                }
                Credential::Session(token) => {
                    let admin = by_session(state, &request, &token).await?;
                    Ok(Administrator { caller: Caller::Administrator(admin.clone()), admin })
                }
            }
        })
    }
}

/// The state that the server was started with.
pub(crate) fn state_of(request: &HttpRequest) -> Outcome<&Arc<AppState>> {
    let state = request.app_data::<Data<AppState>>().map(|data| &**data);
    state.ok_or_else(|| Problem::new(Code::Internal))
}

async fn authenticate(request: &HttpRequest, permission: &'static str) -> Outcome<Caller> {
    let state = state_of(request)?;
    match credential(request.headers(), state.settings.is_https())? {
        Credential::Nothing => Err(Problem::unauthenticated()),
        Credential::NoSession => Err(Problem::session_over()),
        Credential::Key(key) => {
            by_key(state, request, key, Some(permission)).await.map(Caller::Key)
        }
        Credential::Session(token) => {
            by_session(state, request, &token).await.map(Caller::Administrator)
        }
    }
}

async fn by_key(
    state: &Arc<AppState>,
    request: &HttpRequest,
    key: &str,
    permission: Option<&'static str>,
) -> Outcome<KeyCaller> {
    let address = address_of(state, request);
    let grant = admit(state, key, permission, address)
        .await
        .map_err(|problem| suited_to(request.headers(), problem))?;
    Ok(key_caller(request, grant, address))
}

/// A caller with a key that can be judged from memory; `None` when somebody has to be asked.
fn by_known_key(request: &HttpRequest, permission: &'static str) -> Outcome<Option<Caller>> {
    let state = state_of(request)?;
    let (headers, peer) = (request.headers(), request.peer_addr());
    let known = known_key(state, headers, peer, permission, state.now())?;
    Ok(known.map(|(grant, address)| Caller::Key(key_caller(request, grant, address))))
}

/// The grant of a key in memory, and where it is used from; `None` when somebody has to be asked.
pub(crate) fn known_key(
    state: &AppState,
    headers: &HeaderMap,
    peer: Option<SocketAddr>,
    permission: &'static str,
    now: Timestamp,
) -> Outcome<Option<(Grant, Option<IpAddr>)>> {
    let Credential::Key(key) = credential(headers, state.settings.is_https())? else {
        return Ok(None);
    };
    let address = client_address(peer, headers, &state.settings.trusted_proxies);
    let wanted = Request::requires(permission).from(address);
    match state.verifier.try_verify(key, &wanted, now.to_system_time()) {
        Some(Ok(grant)) => Ok(Some((grant, address))),
        Some(Err(denial)) => Err(suited_to(headers, denied(&denial))),
        None => Ok(None),
    }
}

/// A caller that showed no credential and proved otherwise that it speaks for a key: judged, limited and counted
/// like one that shows it, by what the store says of the key now.
pub(crate) async fn vouched_for(
    request: &HttpRequest,
    key_id: Uuid,
    permission: Permission,
) -> Outcome<Caller> {
    let state = state_of(request)?;
    let record = state.store.key_record(key_id).await?.ok_or_else(Problem::unauthenticated)?;
    let address = address_of(state, request);
    let wanted = Request::requires(permission.name()).from(address);
    let grant = state.verifier.vouch(record, &wanted, state.now().to_system_time());
    let grant = grant.map_err(|denial| suited_to(request.headers(), denied(&denial)))?;
    Ok(Caller::Key(key_caller(request, grant, address)))
}

fn key_caller(request: &HttpRequest, grant: Grant, address: Option<IpAddr>) -> KeyCaller {
    Exchange::note_caller(request, CallerId::of_key(&grant));
    KeyCaller { id: grant.key_id(), grant, address }
}

/// Lets a key in that is good and has the permission.
pub(crate) async fn admit(
    state: &Arc<AppState>,
    key: &str,
    permission: Option<&'static str>,
    address: Option<IpAddr>,
) -> Outcome<Grant> {
    let wanted = match permission {
        Some(permission) => Request::requires(permission).from(address),
        None => Request::any().from(address),
    };
    let now = state.now().to_system_time();
    match state.verifier.verify(key, &wanted, now).await {
        Ok(grant) => {
            move_to_newest(state, &grant);
            Ok(grant)
        }
        Err(VerifyError::Denied(denial)) => Err(denied(&denial)),
        Err(VerifyError::Store(error)) => Err(Problem::of_store(&error)),
    }
}

async fn by_session(
    state: &AppState,
    request: &HttpRequest,
    token: &SessionToken,
) -> Outcome<Admin> {
    let (now, hash) = (state.now(), token.hash());
    let session = state.store.session(hash, now).await?.ok_or_else(Problem::session_over)?;
    // A session outlives neither the role nor the good standing of its user.
    if session.role != Label::ADMIN || session.status != Label::ACTIVE {
        return Err(Problem::session_over());
    }
    if !request.method().is_safe() {
        check_same_site(request.headers(), state.settings.public_url.as_deref())?;
    }
    // Noting the use must not stop it: on a full disk an administrator should still see that.
    if let Err(error) = state.store.touch_session(hash, now).await {
        tracing::warn!(error = %Chain(&error), "the use of a session could not be noted");
    }
    let caller = CallerId { id: session.user_id, is_key: false, limits: None };
    Exchange::note_caller(request, caller);
    Ok(Admin {
        id: session.user_id,
        email: session.email,
        role: session.role.as_str().to_owned(),
        address: address_of(state, request),
    })
}

/// The caller, where one shows a credential; a credential that does not reach is refused. For
/// endpoints that anyone may use and where some see more.
pub(crate) async fn perhaps_allowed<P: Needs>(request: &HttpRequest) -> Outcome<Option<Caller>> {
    let https = state_of(request)?.settings.is_https();
    match credential(request.headers(), https)? {
        Credential::Nothing => Ok(None),
        Credential::NoSession | Credential::Key(_) | Credential::Session(_) => {
            authenticate(request, P::PERMISSION.name()).await.map(Some)
        }
    }
}

/// Where the request comes from.
pub(crate) fn address_of(state: &AppState, request: &HttpRequest) -> Option<IpAddr> {
    client_address(request.peer_addr(), request.headers(), &state.settings.trusted_proxies)
}
