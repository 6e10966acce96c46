//! Secrets on their way to the hash of new ones.

use std::sync::Arc;

use rr_keys::Grant;
use tokio::sync::Semaphore;

use crate::problem::Chain;
use crate::state::AppState;

/// So many are moved at a time, that others who write have room; the rest are when they are loaded again.
const MOST: usize = 32;

/// Room for those that are being moved.
pub(crate) fn room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MOST))
}

/// Has the store keep the secret that was let in under the hash of new ones, where it stands under another: once
/// each time it is loaded. Nobody waits for it, for the key is good either way, and what fails is tried again when
/// the key is loaded again.
pub(crate) fn move_to_newest(state: &Arc<AppState>, grant: &Grant) {
    let Some(way) = grant.outdated().filter(|way| way.from != way.to) else { return };
    let Ok(room) = Arc::clone(&state.moves).try_acquire_owned() else { return };
    let (state, key_id) = (Arc::clone(state), grant.key_id());
    actix_web::rt::spawn(async move {
        if let Err(error) = state.store.move_secret(way).await {
            tracing::debug!(error = %Chain(&error), %key_id, "a key keeps its old hash for now");
        }
        drop(room);
    });
}
