//! Keys in memory, for tests and first steps.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::{KeyHash, KeyRecord, KeyStore, KeyUsage, rotate, secret_end};

/// A store that lives and dies with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    keys: RwLock<HashMap<KeyHash, Kept>>,
    finds: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    record: KeyRecord,
    /// What those before it get, counted from the first use of a pending secret.
    grace: Duration,
}

impl MemoryStore {
    /// A store without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a key in, or replaces the one with this hash.
    pub fn insert(&self, hash: KeyHash, record: KeyRecord) {
        self.write().insert(hash, Kept { record, grace: Duration::ZERO });
    }

    /// Puts in a further secret of a key, pending: its first use ends those before it after this grace.
    pub fn insert_pending(&self, hash: KeyHash, record: KeyRecord, grace: Duration) {
        let record = KeyRecord { secret_pending: true, ..record };
        self.write().insert(hash, Kept { record, grace });
    }

    /// Takes out what stands under this hash; says whether there was anything.
    pub fn remove(&self, hash: KeyHash) -> bool {
        self.write().remove(&hash).is_some()
    }

    /// Changes a key, under every secret that it has. As with any store, the change reaches a verifier
    /// through [`Verifier::forget`](crate::Verifier::forget). Says whether there is such a key.
    pub fn update(&self, id: Uuid, mut change: impl FnMut(&mut KeyRecord)) -> bool {
        let mut keys = self.write();
        let mut found = false;
        for kept in keys.values_mut().filter(|kept| kept.record.id == id) {
            change(&mut kept.record);
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

    fn read(&self) -> RwLockReadGuard<'_, HashMap<KeyHash, Kept>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<KeyHash, Kept>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_active(&self, hash: KeyHash, now: SystemTime) -> bool {
        let mut keys = self.write();
        let Some(new) = keys.get_mut(&hash).filter(|kept| kept.record.secret_pending) else {
            return false;
        };
        let (id, rotated) = (new.record.id, rotate(&new.record, now, new.grace));
        let Ok(grace_until) = rotated else { return false };
        new.record.secret_pending = false;
        let before =
            keys.iter_mut().filter(|(other, kept)| **other != hash && kept.record.id == id);
        for (_, kept) in before {
            kept.record.secret_ends_at = Some(secret_end(kept.record.secret_ends_at, grace_until));
        }
        true
    }
}

impl KeyStore for MemoryStore {
    type Error = Infallible;

    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, Infallible>> + Send {
        self.finds.fetch_add(1, Ordering::Relaxed);
        ready(Ok(self.read().get(&hash).map(|kept| kept.record.clone())))
    }

    fn activate(
        &self,
        hash: KeyHash,
        now: SystemTime,
    ) -> impl Future<Output = Result<bool, Infallible>> + Send {
        ready(Ok(self.make_active(hash, now)))
    }
}
