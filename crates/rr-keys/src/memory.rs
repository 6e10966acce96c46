//! Keys in memory, for tests and first steps.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use uuid::Uuid;

use crate::{KeyHash, KeyRecord, KeyStore, KeyUsage};

/// A store that lives and dies with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    keys: RwLock<HashMap<KeyHash, KeyRecord>>,
    finds: AtomicU64,
}

impl MemoryStore {
    /// A store without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a key in, or replaces the one with this hash.
    pub fn insert(&self, hash: KeyHash, record: KeyRecord) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(hash, record);
    }

    /// Changes a key, under every secret that it has. As with any store, the change reaches a verifier
    /// through [`Verifier::forget`](crate::Verifier::forget). Says whether there is such a key.
    pub fn update(&self, id: Uuid, mut change: impl FnMut(&mut KeyRecord)) -> bool {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut found = false;
        for record in keys.values_mut().filter(|record| record.id == id) {
            change(record);
            found = true;
        }
        found
    }

    /// Writes down what [`Verifier::take_usage`](crate::Verifier::take_usage) gave, as far as it matters to
    /// later answers: what keys have used of their quotas.
    pub fn write_usage(&self, usage: &[KeyUsage]) {
        for usage in usage {
            let Some(quota) = usage.quota else { continue };
            self.update(usage.key_id, |record| {
                let mut used = record.quotas.used();
                used.merge(quota);
                record.quotas = std::mem::take(&mut record.quotas).with_used(used);
            });
        }
    }

    /// How often it was asked.
    pub fn finds(&self) -> u64 {
        self.finds.load(Ordering::Relaxed)
    }
}

impl KeyStore for MemoryStore {
    type Error = Infallible;

    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, Infallible>> + Send {
        self.finds.fetch_add(1, Ordering::Relaxed);
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(keys.get(&hash).cloned()))
    }
}
