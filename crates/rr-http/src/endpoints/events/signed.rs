//! What is taken without a key: webhooks of tools that can send a signature and no header of ours.
//!
//! Whoever signs with a source's own secret acts as the key that the source is bound to, with its conditions,
//! limits and permissions. The default source's secrets are shared with others, so they are not enough.

use actix_web::HttpRequest;
use rr_webhooks::{Incoming, Policy, accept, is_signed, is_signed_with};
use uuid::Uuid;

use super::refused::refused;
use super::webhook::{Arrival, headers, refuse_when_full, store};
use crate::auth::{Permission, vouched_for};
use crate::body::Body;
use crate::problem::{Outcome, Problem};
use crate::sources::Terms;
use crate::state::AppState;

/// Takes an event in for the source of this name. Until the signature is found good every refusal is the one for
/// callers without a credential: whether there is such a source, what it has and what is wrong with the signature
/// is told to nobody. Nothing is asked of the store until then, and the key's limits are not touched.
pub(super) async fn take_in(
    name: &str,
    request: &HttpRequest,
    state: &AppState,
    body: Body,
) -> Outcome<Option<Uuid>> {
    let headers = headers(request.headers());
    if !is_signed(&headers) {
        return Err(Problem::unauthenticated());
    }
    refuse_when_full(state, &body)?;
    let max_bytes = state.settings.webhook_max_bytes;
    let body = body.bytes(max_bytes).await?;
    let found = state.signing_intake(name).await?;
    let (intake, key_id) = found.ok_or_else(Problem::unauthenticated)?;
    let Terms { secrets, format, source } = intake.terms();
    let at = state.now();
    let incoming = Incoming { headers: &headers, body: &body, received_at: at, key_id };
    let policy = Policy { secrets, max_bytes, format };
    if !is_signed_with(&incoming, &policy) {
        return Err(Problem::unauthenticated());
    }
    let caller = vouched_for(request, key_id, Permission::WriteWebhooks).await?;
    // The signature was looked at.
    let policy = Policy { secrets: &[], ..policy };
    let events = accept(&incoming, &policy).map_err(|refusal| refused(&refusal))?;
    store(events, body, Arrival { caller: &caller, state, at, source }).await
}
