//! GitHub's public keys, read again where they were read first: GitHub changes them now and then, and a server
//! should not need a restart for that.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use rr_domain::Timestamp;
use rr_webhooks::GithubKeys;

/// How often they are read at most, whoever asks.
const AGAIN: Duration = Duration::from_secs(10);

/// The keys as they were read last, and how to read them again.
#[derive(Clone)]
pub struct GithubKeyring(Arc<Ring>);

struct Ring {
    read: Box<dyn Fn() -> Result<GithubKeys, String> + Send + Sync>,
    last: Mutex<Last>,
}

struct Last {
    keys: GithubKeys,
    read_at: Option<Timestamp>,
}

impl GithubKeyring {
    /// Keys, and where later ones come from. What cannot be read leaves the keys as they are.
    pub fn new(
        keys: GithubKeys,
        read: impl Fn() -> Result<GithubKeys, String> + Send + Sync + 'static,
    ) -> GithubKeyring {
        let last = Mutex::new(Last { keys, read_at: None });
        GithubKeyring(Arc::new(Ring { read: Box::new(read), last }))
    }

    /// The keys of now. A key that GitHub has withdrawn counts no longer than one that is new has to wait.
    pub(crate) async fn keys(&self, now: Timestamp) -> GithubKeys {
        if self.is_due(now) {
            let ring = Arc::clone(&self.0);
            match web::block(move || (ring.read)()).await {
                Ok(Ok(keys)) => self.last().keys = keys,
                Ok(Err(error)) => tracing::warn!(error, "GitHub's keys could not be read again"),
                Err(_) => tracing::warn!("GitHub's keys were not read again"),
            }
        }
        self.last().keys.clone()
    }

    /// Whether to read them; who is told so has to.
    fn is_due(&self, now: Timestamp) -> bool {
        let mut last = self.last();
        let due = last.read_at.is_none_or(|read_at| read_at.plus(AGAIN) <= now);
        if due {
            last.read_at = Some(now);
        }
        due
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for GithubKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GithubKeyring").field(&self.last().keys).finish()
    }
}
