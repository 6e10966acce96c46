//! How a key is used, counted without a lock.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::sync::{AtomicU32, AtomicU64, fence, spin_loop};
use crate::{KeyRecord, QuotaUse};

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
    /// How many of them each permission of the key has granted: the very text that was asked for, or the
    /// longest pattern that covers it. Grants of requests that any valid key will do for stand nowhere here; what
    /// [`Grant::note`](crate::Grant::note) named stands here beside the permission of its grant.
    pub permissions: BTreeMap<String, u64>,
    /// Those of the grants that came with a secret which a newer one has replaced: who still has to change.
    pub superseded: Option<UseTally>,
    /// Attempts with a dead secret of the key: revoked, disabled, expired, or replaced and its grace over. They
    /// are no grants and stand in none of the other counts.
    pub refused: Option<UseTally>,
    /// What they add to the quotas of the key; `None` when it has none.
    pub quota: Option<QuotaUse>,
}

/// Some of the uses of a key, or attempts at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UseTally {
    /// How many.
    pub count: u64,
    /// The latest of them, to the microsecond.
    pub last_used: SystemTime,
    /// Where that one came from, if that is known.
    pub last_address: Option<IpAddr>,
}

impl KeyUsage {
    /// Uses of a key of which nothing else is known.
    pub fn new(key_id: Uuid, count: u64, last_used: SystemTime) -> Self {
        Self {
            key_id,
            count,
            last_used,
            last_address: None,
            permissions: BTreeMap::new(),
            superseded: None,
            refused: None,
            quota: None,
        }
    }

    /// Adds what was counted elsewhere for the same key; the later use gives time and address.
    pub fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        if other.last_used > self.last_used {
            self.last_used = other.last_used;
            self.last_address = other.last_address;
        }
        for (permission, count) in other.permissions {
            let own = self.permissions.entry(permission).or_default();
            *own = own.saturating_add(count);
        }
        merge(&mut self.superseded, other.superseded);
        merge(&mut self.refused, other.refused);
        match (&mut self.quota, other.quota) {
            (Some(own), Some(other)) => own.merge(other),
            (own, other) => *own = own.or(other),
        }
    }
}

fn merge(own: &mut Option<UseTally>, other: Option<UseTally>) {
    *own = match (*own, other) {
        (Some(own), Some(other)) => {
            let later = if other.last_used > own.last_used { other } else { own };
            Some(UseTally { count: own.count.saturating_add(other.count), ..later })
        }
        (own, other) => own.or(other),
    };
}

/// What was counted by permission: first without any, then for each in the order of the record's.
pub(super) fn by_permission(
    record: &KeyRecord,
    counts: impl IntoIterator<Item = u64>,
    last_used: SystemTime,
    last_address: Option<IpAddr>,
) -> Option<KeyUsage> {
    let mut counts = counts.into_iter();
    let mut count = counts.next().unwrap_or_default();
    let mut permissions = BTreeMap::new();
    for (permission, uses) in record.permissions.iter().zip(counts).filter(|(_, n)| *n > 0) {
        count += uses;
        permissions.insert(permission.to_owned(), uses);
    }
    if count == 0 {
        return None;
    }
    // All uses of an entry came with the one secret that it stands for.
    let superseded = record.secret_ends_at.map(|_| UseTally { count, last_used, last_address });
    let usage = KeyUsage::new(record.id, count, last_used);
    Some(KeyUsage { last_address, permissions, superseded, ..usage })
}

/// Counters that grow with the permissions of a key, for uses that have none in a slot of the table.
#[derive(Debug)]
pub(super) struct Counters {
    /// Uses without a permission, then by permission. 32 bits are enough between two takings.
    counts: Box<[AtomicU32]>,
    last_us: AtomicU64,
    address: LastAddress,
}

impl Counters {
    /// Counters for a key with so many permissions.
    pub(super) fn new(permissions: usize) -> Self {
        Self {
            counts: (0..=permissions).map(|_| AtomicU32::new(0)).collect(),
            last_us: AtomicU64::new(0),
            address: LastAddress::default(),
        }
    }

    /// Counts a use granted by the permission at this place of the key's set.
    pub(super) fn add(&self, permission: Option<usize>, now_us: u64, address: Option<IpAddr>) {
        if let Some(count) = self.counts.get(permission.map_or(0, |place| place + 1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        // Time is the caller's, so a use may come here after one that was later.
        if self.last_us.fetch_max(now_us, Ordering::Relaxed) <= now_us {
            self.address.set(address, || ());
        }
    }

    /// The uses since the last taking, if there were any. The record is that of the counted key.
    pub(super) fn take(&self, record: &KeyRecord) -> Option<KeyUsage> {
        let counts = self.counts.iter().map(|count| u64::from(count.swap(0, Ordering::Relaxed)));
        by_permission(record, counts, self.last_used(), self.address.get())
    }

    fn last_used(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_micros(self.last_us.load(Ordering::Relaxed))
    }

    /// What was counted without a permission, if there was anything.
    pub(super) fn take_tally(&self) -> Option<UseTally> {
        let count = u64::from(self.counts[0].swap(0, Ordering::Relaxed));
        let (last_used, last_address) = (self.last_used(), self.address.get());
        (count > 0).then_some(UseTally { count, last_used, last_address })
    }
}

/// An address of 16 bytes in four words, guarded by a version that is odd while a writer is at work. Without
/// it, two callers at once could leave the front of one address before the back of the other. Small words,
/// so that nothing is lost to alignment beside the counters.
#[derive(Debug, Default)]
pub(super) struct LastAddress {
    version: AtomicU32,
    words: [AtomicU32; 4],
}

impl LastAddress {
    /// Notes an address and does `then` before anybody else can note another.
    pub(super) fn set(&self, address: Option<IpAddr>, then: impl FnOnce()) {
        let words = to_words(address);
        let version = self.version.load(Ordering::Relaxed);
        // Whoever writes at this very moment was used at this very moment; either address is the last one.
        if version % 2 == 1
            || self
                .version
                .compare_exchange(version, version + 1, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        fence(Ordering::Release);
        for (own, word) in self.words.iter().zip(words) {
            own.store(word, Ordering::Relaxed);
        }
        then();
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    pub(super) fn get(&self) -> Option<IpAddr> {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let words = self.load();
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                return from_words(words);
            }
            spin_loop();
        }
    }

    fn load(&self) -> [u32; 4] {
        std::array::from_fn(|place| self.words[place].load(Ordering::Relaxed))
    }
}

/// IPv4 in its mapped form; no address as `::`, from which nobody calls.
fn to_words(address: Option<IpAddr>) -> [u32; 4] {
    let bits = match address {
        None => 0,
        Some(IpAddr::V4(v4)) => v4.to_ipv6_mapped().to_bits(),
        Some(IpAddr::V6(v6)) => v6.to_bits(),
    };
    // What is left after the mask fits.
    [96, 64, 32, 0].map(|shift| u32::try_from(bits >> shift & 0xffff_ffff).unwrap_or_default())
}

fn from_words(words: [u32; 4]) -> Option<IpAddr> {
    let bits = words.iter().fold(0, |bits, word| bits << 32 | u128::from(*word));
    let address = Ipv6Addr::from_bits(bits);
    (!address.is_unspecified()).then(|| IpAddr::V6(address).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_counted_once_and_the_latest_wins() {
        let record = key(0);
        let counters = Counters::new(0);
        assert_eq!(counters.take(&record), None);
        counters.add(None, 2_000_001, Some("10.1.2.3".parse().unwrap()));
        counters.add(None, 1_000_000, Some("2001:db8::1".parse().unwrap()));
        let usage = counters.take(&record).unwrap();
        assert_eq!((usage.key_id, usage.count), (record.id, 2));
        assert_eq!(usage.last_used, SystemTime::UNIX_EPOCH + Duration::from_micros(2_000_001));
        assert_eq!(usage.last_address, Some("10.1.2.3".parse().unwrap()));
        assert_eq!(usage.permissions, BTreeMap::new());
        assert_eq!(counters.take(&record), None);
    }

    /// A key with permissions `p00`, `p01` and so on.
    fn key(permissions: usize) -> KeyRecord {
        KeyRecord {
            permissions: (0..permissions).map(|n| format!("p{n:02}")).collect(),
            ..KeyRecord::new(Uuid::from_u128(7), "k", SystemTime::UNIX_EPOCH)
        }
    }

    #[test]
    fn every_permission_has_a_counter_of_its_own() {
        for permissions in [0, 1, 2, 3, 4, 5, 20] {
            let (record, counters) = (key(permissions), Counters::new(permissions));
            counters.add(None, 1, None);
            let mut expected = BTreeMap::new();
            for (place, uses) in (0..permissions).zip(1_u64..) {
                (0..uses).for_each(|_| counters.add(Some(place), 1, None));
                expected.insert(format!("p{place:02}"), uses);
            }
            let usage = counters.take(&record).unwrap();
            assert_eq!(usage.count, 1 + expected.values().sum::<u64>(), "{permissions}");
            assert_eq!(usage.permissions, expected);
            assert_eq!(counters.take(&record), None);
        }
    }

    #[test]
    fn the_parts_of_a_key_merge_into_one() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let part = |count: u64, seconds, permission: &str, old: u64| KeyUsage {
            last_address: Some(IpAddr::from([10, 0, 0, u8::try_from(count).unwrap()])),
            permissions: [(permission.to_owned(), count)].into(),
            superseded: (old > 0).then(|| UseTally {
                count: old,
                last_used: at(seconds),
                last_address: None,
            }),
            ..KeyUsage::new(Uuid::nil(), count, at(seconds))
        };
        let merged = |parts: &[KeyUsage]| {
            let (first, others) = parts.split_first().unwrap();
            let mut all = first.clone();
            others.iter().for_each(|other| all.merge(other.clone()));
            all
        };
        let parts = [part(1, 5, "a", 0), part(2, 9, "b", 2), part(3, 7, "a", 3)];
        let all = merged(&parts);
        assert_eq!((all.count, all.last_used), (6, at(9)));
        assert_eq!(all.last_address, Some(IpAddr::from([10, 0, 0, 2])));
        assert_eq!(all.permissions, [("a".to_owned(), 4), ("b".to_owned(), 2)].into());
        let old = UseTally { count: 5, last_used: at(9), last_address: None };
        assert_eq!(all.superseded, Some(old));
        let [a, b, c] = parts;
        assert_eq!(merged(&[c, b, a]), all, "in any order");
    }

    #[test]
    fn addresses_survive_the_words() {
        for text in ["0.0.0.1", "255.255.255.255", "10.1.2.3", "2001:db8::1", "::1", "ff02::1"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(from_words(to_words(Some(address))), Some(address), "{text}");
        }
        assert_eq!(from_words(to_words(None)), None);
    }

    #[test]
    fn concurrent_writers_never_mix_two_addresses() {
        let addresses: Vec<IpAddr> =
            (1..=4_u128).map(|n| IpAddr::V6(Ipv6Addr::from_bits(n << 64 | n))).collect();
        let last = LastAddress::default();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for address in &addresses {
                scope.spawn(|| {
                    for _ in 0..50_000 {
                        last.set(Some(*address), || ());
                    }
                    done.store(true, Ordering::Relaxed);
                });
            }
            while !done.load(Ordering::Relaxed) {
                if let Some(seen) = last.get() {
                    assert!(addresses.contains(&seen), "{seen} was never written");
                }
            }
        });
    }
}
