//! One cached key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use uuid::Uuid;

use super::usage::{Counters, KeyUsage};
use crate::decide::judge;
use crate::limit::{Meter, Spent};
use crate::{Denial, KeyHash, KeyRecord, Request};

/// A record as the store gave it, under the hash of the secret that was presented.
pub(super) struct Entry {
    used: Counters,
    /// Set by a hit, cleared when a newcomer passes over this entry in search of a place.
    touched: AtomicBool,
    vacant: bool,
    /// The last microsecond at which the record may be believed without asking the store again.
    fresh_until_us: u64,
    loaded_us: u64,
    hash: KeyHash,
    /// Present when the key has limits; shared by all entries of its identity.
    meter: Option<Arc<Meter>>,
    record: KeyRecord,
    outdated: Option<Box<Outdated>>,
}

/// A key that the store knows under an older scheme, and the way to the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outdated {
    /// The hash in the store.
    pub from: KeyHash,
    /// The hash of the same key under the first of the schemes.
    pub to: KeyHash,
}

/// What a look-up found.
pub(super) struct Found {
    pub(super) record: KeyRecord,
    pub(super) outdated: Option<Outdated>,
}

impl Entry {
    pub(super) fn new(
        hash: KeyHash,
        found: Found,
        meter: Option<Arc<Meter>>,
        loaded_us: u64,
        fresh_until_us: u64,
    ) -> Self {
        let (record, outdated) = (found.record, found.outdated.map(Box::new));
        let (used, touched) =
            (Counters::new(record.permissions.iter().len()), AtomicBool::new(false));
        Self {
            used,
            touched,
            vacant: false,
            fresh_until_us,
            loaded_us,
            hash,
            meter,
            record,
            outdated,
        }
    }

    /// What stands in a free place of the table: of no key, and stale.
    pub(super) fn vacant() -> Self {
        let record = KeyRecord::new(Uuid::nil(), "", SystemTime::UNIX_EPOCH);
        let hash = KeyHash::from_bytes([0; 32]);
        let mut entry = Self::new(hash, record.into(), None, u64::MAX, 0);
        entry.vacant = true;
        entry
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.vacant
    }

    pub(super) fn is_of(&self, hash: &KeyHash) -> bool {
        self.hash == *hash && !self.vacant
    }

    pub(super) fn hash(&self) -> &KeyHash {
        &self.hash
    }

    pub(super) fn record(&self) -> &KeyRecord {
        &self.record
    }

    pub(super) fn outdated(&self) -> Option<Outdated> {
        self.outdated.as_deref().copied()
    }

    /// Whether the record is young enough. A clock that was set back by more than a second makes it stale
    /// too: nobody can tell how old it is then.
    pub(super) fn is_fresh(&self, now_us: u64) -> bool {
        now_us <= self.fresh_until_us && now_us.saturating_add(1_000_000) >= self.loaded_us
    }

    /// Notes a hit for the eviction. Reads first, so that a hot entry's line is not written every time.
    pub(super) fn touch(&self) {
        if !self.touched.load(Ordering::Relaxed) {
            self.touched.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was hit since the last time this was asked.
    pub(super) fn was_touched(&self) -> bool {
        self.touched.swap(false, Ordering::Relaxed)
    }

    /// Judges a request, takes it from the limits and counts it.
    pub(super) fn admit(
        &self,
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> Result<Spent, Denial> {
        let permission = judge(&self.record, request, now)?;
        let spent = match &self.meter {
            None => Spent::default(),
            Some(meter) => meter
                .take(&self.record, instant.nanoseconds)
                .map_err(|overflow| overflow.into_denial(&self.record))?,
        };
        self.used.add(permission, instant.microseconds(), request.address);
        Ok(spent)
    }

    pub(super) fn take_usage(&self) -> Option<KeyUsage> {
        self.used.take(&self.record)
    }

    #[cfg(test)]
    pub(super) fn count_use(&self, now_us: u64, address: Option<std::net::IpAddr>) {
        self.used.add(None, now_us, address);
    }
}

impl From<KeyRecord> for Found {
    fn from(record: KeyRecord) -> Self {
        Self { record, outdated: None }
    }
}

/// A time as a whole number since 1970, the form in which atomics and buckets keep it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant {
    pub(super) nanoseconds: u64,
}

impl Instant {
    /// Earlier than 1970 counts as 1970, later than 2554 as 2554.
    pub(super) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let nanoseconds = since
            .as_secs()
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(since.subsec_nanos()));
        Self { nanoseconds }
    }

    pub(super) fn microseconds(self) -> u64 {
        self.nanoseconds / 1_000
    }
}
