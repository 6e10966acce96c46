//! One cached key.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use uuid::Uuid;

use super::spot::Spot;
use super::usage::{Counters, KeyUsage, LastAddress};
use crate::decide::judge;
use crate::limit::{Meter, Spent};
use crate::sync::AtomicBool;
use crate::{Denial, KeyHash, KeyRecord, Request};

/// Two threads that read the clock at about the same time differ by less.
const CLOCK_SKEW_US: u64 = 1_000_000;

/// A record as the store gave it, under the spot of its presented secret.
///
/// What an ordinary check looks at does not stand here but in the [slot](super::slot): an entry is what has to be kept
/// alive for whoever holds a grant.
pub(super) struct Entry {
    record: KeyRecord,
    spot: Spot,
    loaded_us: u64,
    /// Present when the key has limits; shared by all entries of its identity.
    meter: Option<Arc<Meter>>,
    /// Where the key was last used from, while it was in its slot.
    pub(super) address: LastAddress,
    forgotten: AtomicBool,
    /// Most keys never have any.
    beside: OnceLock<Box<Beside>>,
}

/// What few keys have.
struct Beside {
    outdated: Option<Outdated>,
    /// Whether somebody was told of it.
    is_told: AtomicBool,
    /// Uses that the slot had no counter for, or that ended when the entry was not in it any more.
    used: Counters,
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
    pub(super) fn new(spot: Spot, found: Found, meter: Option<Arc<Meter>>, loaded_us: u64) -> Self {
        let entry = Self {
            record: found.record,
            spot,
            loaded_us,
            meter,
            address: LastAddress::default(),
            forgotten: AtomicBool::new(false),
            beside: OnceLock::new(),
        };
        if found.outdated.is_some() {
            entry.beside.get_or_init(|| Beside::new(&entry.record, found.outdated));
        }
        entry
    }

    /// What stands in a free slot: of no key.
    pub(super) fn vacant() -> Self {
        let record = KeyRecord::new(Uuid::nil(), "", SystemTime::UNIX_EPOCH);
        Self::new(Spot::NONE, record.into(), None, 0)
    }

    pub(super) fn spot(&self) -> Spot {
        self.spot
    }

    pub(super) fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// The way to the newest scheme, to the first who asks.
    pub(super) fn outdated(&self) -> Option<Outdated> {
        let beside = self.beside.get()?;
        beside.outdated.filter(|_| !beside.is_told.swap(true, Ordering::Relaxed))
    }

    /// Whether the record may be believed: it was not forgotten and is young enough. A clock that was set back by
    /// more than a second makes it stale too: nobody can tell how old it is then.
    pub(super) fn is_fresh(&self, max_age_us: u64, now: Instant) -> bool {
        let now_us = now.microseconds();
        !self.is_forgotten()
            && now_us <= self.loaded_us.saturating_add(max_age_us)
            && now_us.saturating_add(CLOCK_SKEW_US) >= self.loaded_us
    }

    /// Whether the secret is pending and the request good, so that the store has to hear of it before anybody is
    /// let in. One that only a limit refuses is good: whoever sends it has the new secret.
    pub(super) fn is_first_use(&self, request: &Request<'_>, now: SystemTime) -> bool {
        self.record.secret_pending && judge(&self.record, request, now).is_ok()
    }

    /// Ends that the record is believed; false when that was so already. Whoever starts after this has returned, on
    /// whatever thread, learned of it by something that orders the two, and then even a relaxed load sees it.
    pub(super) fn forget(&self) -> bool {
        !self.forgotten.swap(true, Ordering::Relaxed)
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// The seconds in which nothing but the permission is left to judge: the record is fresh, its secret in use, and
    /// the key enabled and neither revoked nor over nor limited in rate or address. What is not sure to be within
    /// goes the long way.
    pub(super) fn window(&self, max_age_us: u64) -> Window {
        let record = &self.record;
        let plain = record.enabled
            && !record.secret_pending
            && record.secret_ends_at.is_none()
            && record.revoked_at.is_none()
            && record.allowed_ips.is_empty()
            && self.meter.is_none();
        if !plain {
            return Window::CLOSED;
        }
        let end_ns = record.expires_at.map_or(u64::MAX, |end| Instant::of(end).nanoseconds);
        // An instant before 1970 counts as 1970, so a start as early as that says nothing about it.
        let start_ns = record.not_before.map_or(0, |start| Instant::of(start).nanoseconds.max(1));
        let known_ns = self.loaded_us.saturating_sub(CLOCK_SKEW_US).saturating_mul(1_000);
        let fresh_us = self.loaded_us.saturating_add(max_age_us);
        Window::within(start_ns.max(known_ns), end_ns.min(fresh_us.saturating_mul(1_000)))
    }

    /// Everything, in its order: by which permission, and what is left of the limits after this use.
    pub(super) fn judge(
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

    /// Counts a use here, where the slot cannot.
    pub(super) fn count(&self, permission: Option<usize>, now_us: u64, address: Option<IpAddr>) {
        self.beside().used.add(permission, now_us, address);
    }

    /// Counts that a permission was needed besides by a use that is counted; says whether the key has it.
    pub(super) fn note(&self, permission: &str, used_us: u64) -> bool {
        let place = self.record.permissions.granting(permission);
        if place.is_some() {
            self.beside().noted.add(place, used_us, None);
        }
        place.is_some()
    }

    /// What was counted here since the last taking.
    pub(super) fn take_usage(&self) -> Option<KeyUsage> {
        let beside = self.beside.get()?;
        let record = &self.record;
        let used = beside.used.take(record);
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

    fn beside(&self) -> &Beside {
        self.beside.get_or_init(|| Beside::new(&self.record, None))
    }
}

impl Beside {
    fn new(record: &KeyRecord, outdated: Option<Outdated>) -> Box<Self> {
        let counters = || Counters::new(record.permissions.len());
        let (used, noted) = (counters(), counters());
        let is_told = AtomicBool::new(false);
        Box::new(Self { outdated, is_told, used, refused: Counters::new(0), noted })
    }
}

impl From<KeyRecord> for Found {
    fn from(record: KeyRecord) -> Self {
        Self { record, outdated: None }
    }
}

/// Whole seconds since 1970: small, and what lies in a second that is only partly within is not within.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from_s: u32,
    pub(super) until_s: u32,
}

impl Window {
    pub(super) const CLOSED: Self = Self { from_s: u32::MAX, until_s: 0 };

    fn within(from_ns: u64, until_ns: u64) -> Self {
        let seconds = |ns: u64| u32::try_from(ns).unwrap_or(u32::MAX);
        Self {
            from_s: seconds(from_ns.div_ceil(1_000_000_000)),
            until_s: seconds(until_ns / 1_000_000_000),
        }
    }

    #[inline]
    pub(super) fn contains(self, now: Instant) -> bool {
        u64::from(self.from_s) <= now.seconds && now.seconds < u64::from(self.until_s)
    }
}

/// A time as a whole number since 1970, the form in which atomics and buckets keep it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant {
    pub(super) nanoseconds: u64,
    pub(super) seconds: u64,
}

impl Instant {
    /// Earlier than 1970 counts as 1970, later than 2554 as 2554.
    pub(super) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs();
        let nanoseconds =
            seconds.saturating_mul(1_000_000_000).saturating_add(since.subsec_nanos().into());
        Self { nanoseconds, seconds }
    }

    pub(super) fn microseconds(self) -> u64 {
        self.nanoseconds / 1_000
    }
}
