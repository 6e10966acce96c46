//! One cached key.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use uuid::Uuid;

use super::spot::{Sought, Spot};
use super::usage::{Counters, KeyUsage};
use super::work;
use crate::decide::{granting, judge};
use crate::hash::Digest;
use crate::limit::{Meter, Spent};
use crate::sync::AtomicU8;
use crate::{Denial, KeyHash, KeyRecord, PermissionSet, Request};

/// Two threads that read the clock at about the same time differ by less.
const CLOCK_SKEW_US: u64 = 1_000_000;

/// Set by a hit, cleared when a newcomer passes over the entry in search of a place.
const TOUCHED: u8 = 1;
/// Set when the key may have changed in the store, never cleared.
const FORGOTTEN: u8 = 2;

/// A record as the store gave it, under what its presented secret is looked for by.
///
/// What an ordinary check looks at stands together here, within two cache lines: with a million keys it is
/// memory that takes the time. The order counts.
#[repr(C)]
pub(super) struct Entry {
    digest: Digest,
    open: Window,
    used: Counters,
    /// The record's own, which nearly always is that of many keys and therefore in the processor's cache.
    permissions: PermissionSet,
    rest: Box<Rest>,
    marks: AtomicU8,
}

/// The time in which nothing but the permission is left to judge: the record is fresh, its secret in use, and the
/// key enabled and neither revoked nor over nor limited in rate or address. What is not sure to be within goes the
/// long way.
#[derive(Clone, Copy)]
struct Window {
    from_ns: u64,
    until_ns: u64,
}

struct Rest {
    record: KeyRecord,
    spot: Spot,
    /// The last microsecond at which the record may be believed without asking the store again.
    fresh_until_us: u64,
    loaded_us: u64,
    /// Present when the key has limits; shared by all entries of its identity.
    meter: Option<Arc<Meter>>,
    outdated: Option<Box<Outdated>>,
    /// Most keys never have any.
    beside: OnceLock<Box<Beside>>,
}

/// What is counted beside the uses.
struct Beside {
    /// Attempts with this secret since it is dead.
    refused: Counters,
    /// Permissions that were needed beside the one that a use asked for.
    noted: Counters,
}

/// A key that the store knows under an older scheme, and the way to the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outdated {
    /// The hash in the store.
    pub from: KeyHash,
    /// The hash of the same key under the scheme of new keys.
    pub to: KeyHash,
}

/// What a look-up found.
pub(super) struct Found {
    pub(super) record: KeyRecord,
    pub(super) outdated: Option<Outdated>,
}

impl Entry {
    pub(super) fn new(
        sought: Sought,
        found: Found,
        meter: Option<Arc<Meter>>,
        loaded_us: u64,
        fresh_until_us: u64,
    ) -> Self {
        let (record, outdated) = (found.record, found.outdated.map(Box::new));
        let spot = sought.spot;
        let rest = Rest {
            record,
            spot,
            fresh_until_us,
            loaded_us,
            meter,
            outdated,
            beside: OnceLock::new(),
        };
        let permissions = rest.record.permissions.clone();
        Self {
            digest: sought.digest,
            open: Window::of(&rest),
            used: Counters::new(permissions.len()),
            permissions,
            rest: Box::new(rest),
            marks: AtomicU8::new(0),
        }
    }

    /// What stands in a free place of the table: of no key, and stale.
    pub(super) fn vacant() -> Self {
        let record = KeyRecord::new(Uuid::nil(), "", SystemTime::UNIX_EPOCH);
        let nothing = Sought { spot: Spot::NONE, digest: Digest::NONE };
        Self::new(nothing, record.into(), None, u64::MAX, 0)
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.is_of(&Digest::NONE)
    }

    pub(super) fn is_of(&self, digest: &Digest) -> bool {
        work::look();
        self.digest == *digest
    }

    pub(super) fn sought(&self) -> Sought {
        Sought { spot: self.rest.spot, digest: self.digest }
    }

    pub(super) fn record(&self) -> &KeyRecord {
        &self.rest.record
    }

    pub(super) fn outdated(&self) -> Option<Outdated> {
        self.rest.outdated.as_deref().copied()
    }

    /// Whether the record may be believed: it is young enough and was not forgotten.
    #[inline]
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        !self.is_forgotten() && (self.open.contains(now) || self.rest.is_fresh(now.microseconds()))
    }

    /// Whether the request can be answered without the store: the record may be believed, and this is not the
    /// first use of a pending secret.
    #[inline]
    pub(super) fn can_answer(
        &self,
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> bool {
        !self.is_forgotten()
            && (self.open.contains(instant)
                || self.rest.is_fresh(instant.microseconds()) && !self.is_first_use(request, now))
    }

    /// Whether the secret is pending and the request good, so that the store has to hear of it before anybody is
    /// let in. One that only a limit refuses is good: whoever sends it has the new secret.
    pub(super) fn is_first_use(&self, request: &Request<'_>, now: SystemTime) -> bool {
        let record = &self.rest.record;
        record.secret_pending && judge(record, request, now).is_ok()
    }

    /// Notes a hit for the eviction. Reads first, so that a hot entry's line is not written every time.
    pub(super) fn touch(&self) {
        if !self.has(TOUCHED) {
            self.marks.fetch_or(TOUCHED, Ordering::Relaxed);
        }
    }

    /// Whether it was hit since the last time this was asked.
    pub(super) fn was_touched(&self) -> bool {
        self.marks.fetch_and(!TOUCHED, Ordering::Relaxed) & TOUCHED != 0
    }

    /// Ends that the record is believed; false when that was so already. Whoever starts after this has returned, on
    /// whatever thread, learned of it by something that orders the two, and then even a relaxed load sees it.
    pub(super) fn forget(&self) -> bool {
        self.marks.swap(FORGOTTEN, Ordering::Relaxed) & FORGOTTEN == 0
    }

    #[inline]
    pub(super) fn is_forgotten(&self) -> bool {
        self.has(FORGOTTEN)
    }

    #[inline]
    fn has(&self, mark: u8) -> bool {
        self.marks.load(Ordering::Relaxed) & mark != 0
    }

    /// Judges a request, takes it from the limits and counts it.
    #[inline]
    pub(super) fn admit(
        &self,
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> Result<Spent, Denial> {
        let (permission, spent) = if self.open.contains(instant) {
            (granting(&self.permissions, request)?, Spent::default())
        } else {
            self.rest.judge(request, now, instant)?
        };
        self.used.add(permission, instant.microseconds(), request.address);
        Ok(spent)
    }

    /// Counts that a permission was needed besides by a use that is counted; says whether the key has it.
    pub(super) fn note(&self, permission: &str) -> bool {
        let place = self.permissions.granting(permission);
        if place.is_some() {
            self.rest.beside().noted.add(place, self.used.last_us(), None);
        }
        place.is_some()
    }

    pub(super) fn take_usage(&self) -> Option<KeyUsage> {
        let record = &self.rest.record;
        let used = self.used.take(record);
        let Some(beside) = self.rest.beside.get() else { return used };
        let (refused, noted) = (beside.refused.take_tally(), beside.noted.take(record));
        if refused.is_none() && noted.is_none() {
            return used;
        }
        let mut usage = used.unwrap_or_else(|| KeyUsage::new(record.id, 0, SystemTime::UNIX_EPOCH));
        usage.refused = refused;
        if let Some(noted) = noted {
            let last_address = usage.last_address;
            usage.merge(KeyUsage { count: 0, superseded: None, last_address, ..noted });
        }
        Some(usage)
    }

    #[cfg(test)]
    pub(super) fn count_use(&self, now_us: u64, address: Option<std::net::IpAddr>) {
        self.used.add(None, now_us, address);
    }
}

impl Window {
    fn of(rest: &Rest) -> Self {
        let record = &rest.record;
        let plain = record.enabled
            && !record.secret_pending
            && record.revoked_at.is_none()
            && record.allowed_ips.is_empty()
            && rest.meter.is_none();
        if !plain {
            return Self { from_ns: 1, until_ns: 0 };
        }
        let ends = [record.expires_at, record.secret_ends_at].into_iter().flatten();
        let until_ns = ends
            .map(|end| Instant::of(end).nanoseconds)
            .fold(rest.fresh_until_us.saturating_mul(1_000), u64::min);
        // An instant before 1970 counts as 1970, so a start as early as that says nothing about it.
        let start = record.not_before.map_or(0, |start| Instant::of(start).nanoseconds.max(1));
        let loaded_ns = rest.loaded_us.saturating_mul(1_000);
        Self { from_ns: start.max(loaded_ns.saturating_sub(CLOCK_SKEW_US * 1_000)), until_ns }
    }

    fn contains(self, now: Instant) -> bool {
        self.from_ns <= now.nanoseconds && now.nanoseconds < self.until_ns
    }
}

impl Rest {
    /// A clock that was set back by more than a second makes a record stale too: nobody can tell how old it
    /// is then.
    fn is_fresh(&self, now_us: u64) -> bool {
        now_us <= self.fresh_until_us && now_us.saturating_add(CLOCK_SKEW_US) >= self.loaded_us
    }

    fn beside(&self) -> &Beside {
        self.beside.get_or_init(|| {
            let noted = Counters::new(self.record.permissions.len());
            Box::new(Beside { refused: Counters::new(0), noted })
        })
    }

    /// Everything, in its order.
    fn judge(
        &self,
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> Result<(Option<usize>, Spent), Denial> {
        let permission = judge(&self.record, request, now).inspect_err(|denial| {
            if denial.means_dead() {
                self.beside().refused.add(None, instant.microseconds(), request.address);
            }
        })?;
        let spent = match &self.meter {
            None => Spent::default(),
            Some(meter) => meter
                .take(&self.record, instant.nanoseconds)
                .map_err(|overflow| overflow.into_denial(&self.record))?,
        };
        Ok((permission, spent))
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
