//! The verifier.
#![expect(clippy::todo, unused, reason = "signatures first, bodies in the next commit")]

mod entry;
mod grant;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

pub use grant::Grant;

use crate::{Denial, KeyFormat, KeyStore, Request};

/// How a [`Verifier`] works.
#[derive(Debug, Clone)]
pub struct VerifierOptions {
    /// The look of the keys.
    pub format: KeyFormat,
    /// How many keys stay in memory.
    pub capacity: usize,
    /// How long an unknown key is remembered as unknown.
    pub unknown_ttl: Duration,
    /// How many look-ups may turn out to be of unknown keys: from everywhere together.
    pub unknown_budget: Option<crate::RateLimit>,
    /// The same for one address (for IPv6: one /64).
    pub unknown_budget_per_address: Option<crate::RateLimit>,
}

impl Default for VerifierOptions {
    fn default() -> Self {
        todo!()
    }
}

/// Why a verification did not end in a grant.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError<E> {
    /// The key does not open the door.
    #[error(transparent)]
    Denied(Denial),
    /// The store could not answer. Shared, for every caller that waited for the same look-up gets it.
    #[error("the key store did not answer")]
    Store(#[source] Arc<E>),
}

/// How a key was used since usage was last taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUsage {
    /// The identity of the key.
    pub key_id: Uuid,
    /// The number of grants.
    pub count: u64,
    /// The latest of them, to the microsecond.
    pub last_used: SystemTime,
    /// Where that one came from, if that is known.
    pub last_address: Option<IpAddr>,
}

/// Counters of a [`Verifier`] since its making.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Answers from memory.
    pub hits: u64,
    /// Answers that needed the store.
    pub misses: u64,
    /// Unknown keys refused from memory.
    pub negative_hits: u64,
    /// Keys in memory now.
    pub entries: usize,
}

/// Answers whether a presented key is good.
#[derive(Debug)]
pub struct Verifier<S: KeyStore> {
    store: S,
}

impl<S: KeyStore> Verifier<S> {
    /// A verifier with an empty memory.
    pub fn new(store: S, options: VerifierOptions) -> Self {
        todo!()
    }

    /// Judges a presented key.
    pub async fn verify(
        &self,
        presented: &str,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Result<Grant, VerifyError<S::Error>> {
        todo!()
    }

    /// Forgets a key after the store committed a change of it.
    pub fn forget(&self, id: Uuid) {
        todo!()
    }

    /// Forgets all keys.
    pub fn forget_all(&self) {
        todo!()
    }

    /// Takes the usage counted so far.
    pub fn take_usage(&self) -> Vec<KeyUsage> {
        todo!()
    }

    /// Gives counts back that could not be written.
    pub fn restore_usage(&self, usage: Vec<KeyUsage>) {
        todo!()
    }

    /// The counters.
    pub fn stats(&self) -> CacheStats {
        todo!()
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }
}
