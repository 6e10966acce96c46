//! Secrets on their way to the hash of new ones.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rr_keys::{Grant, KeyHash};

use crate::problem::Chain;
use crate::state::AppState;

/// So many are moved at a time, that others who write have room; the rest are when they are loaded again.
const MOST: usize = 32;

/// Those that are being moved, by the hash they come from.
#[derive(Default)]
pub(crate) struct Moves(Mutex<HashSet<KeyHash>>);

/// Has the store keep the secret that was let in under the hash of new ones, where it stands under another: once
/// for all who come with it at a time. Nobody waits for it, for the key is good either way, and what fails is tried
/// again when the key is loaded again.
pub(crate) fn move_to_newest(state: &Arc<AppState>, grant: &Grant) {
    let Some(way) = grant.outdated().filter(|way| way.from != way.to) else { return };
    if !state.moves.begin(way.from) {
        return;
    }
    let (state, key_id) = (Arc::clone(state), grant.key_id());
    actix_web::rt::spawn(async move {
        match state.store.move_secret(way).await {
            // Known anew, it is not moved again. Answers to its holder that go on find it under either hash.
            Ok(true) => state.verifier.forget(key_id),
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(error = %Chain(&error), %key_id, "a key keeps its old hash for now");
            }
        }
        state.moves.under_way().remove(&way.from);
    });
}

impl Moves {
    fn begin(&self, from: KeyHash) -> bool {
        let mut under_way = self.under_way();
        under_way.len() < MOST && under_way.insert(from)
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<KeyHash>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
