//! How a key is used, counted without a lock.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

/// How a key was used since usage was last taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUsage {
    /// The identity of the key.
    pub key_id: Uuid,
    /// The number of grants.
    pub count: u64,
    /// How many of them came with a secret that a newer one has replaced: who still has to change.
    pub superseded: u64,
    /// The latest of them, to the microsecond.
    pub last_used: SystemTime,
    /// Where that one came from, if that is known.
    pub last_address: Option<IpAddr>,
}

impl KeyUsage {
    /// Adds what was counted elsewhere for the same key; the later use gives time and address.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.superseded = self.superseded.saturating_add(other.superseded);
        if other.last_used > self.last_used {
            self.last_used = other.last_used;
            self.last_address = other.last_address;
        }
    }
}

/// The counters of one cached key: on the way to a grant one addition, one maximum and, when the address
/// changed, a few stores.
#[derive(Debug, Default)]
pub(super) struct Counters {
    count: AtomicU64,
    last_us: AtomicU64,
    address: LastAddress,
}

impl Counters {
    pub(super) fn add(&self, now_us: u64, address: Option<IpAddr>) {
        self.count.fetch_add(1, Ordering::Relaxed);
        if self.last_us.load(Ordering::Relaxed) < now_us {
            self.last_us.fetch_max(now_us, Ordering::Relaxed);
        }
        self.address.set(address);
    }

    /// The uses since the last taking, if there were any.
    pub(super) fn take(&self, key_id: Uuid) -> Option<KeyUsage> {
        let count = self.count.swap(0, Ordering::Relaxed);
        (count > 0).then(|| KeyUsage {
            key_id,
            count,
            superseded: 0,
            last_used: SystemTime::UNIX_EPOCH
                + Duration::from_micros(self.last_us.load(Ordering::Relaxed)),
            last_address: self.address.get(),
        })
    }
}

/// An address of 16 bytes in two words, guarded by a version that is odd while a writer is at work. Without
/// it, two callers at once could leave the front half of one address before the back half of the other.
#[derive(Debug, Default)]
struct LastAddress {
    version: AtomicU32,
    words: [AtomicU64; 2],
}

impl LastAddress {
    fn set(&self, address: Option<IpAddr>) {
        let words = to_words(address);
        if self.load() == words {
            return;
        }
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
        self.words[0].store(words[0], Ordering::Relaxed);
        self.words[1].store(words[1], Ordering::Relaxed);
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }

    fn get(&self) -> Option<IpAddr> {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let words = self.load();
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                return from_words(words);
            }
            std::hint::spin_loop();
        }
    }

    fn load(&self) -> [u64; 2] {
        [self.words[0].load(Ordering::Relaxed), self.words[1].load(Ordering::Relaxed)]
    }
}

/// IPv4 in its mapped form; no address as `::`, from which nobody calls.
fn to_words(address: Option<IpAddr>) -> [u64; 2] {
    let octets = match address {
        None => return [0, 0],
        Some(IpAddr::V4(v4)) => v4.to_ipv6_mapped().octets(),
        Some(IpAddr::V6(v6)) => v6.octets(),
    };
    let word = |from: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&octets[from..from + 8]);
        u64::from_be_bytes(bytes)
    };
    [word(0), word(8)]
}

fn from_words([high, low]: [u64; 2]) -> Option<IpAddr> {
    let address = Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low));
    (!address.is_unspecified()).then(|| IpAddr::V6(address).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_counted_once_and_the_latest_wins() {
        let counters = Counters::default();
        let id = Uuid::from_u128(7);
        assert_eq!(counters.take(id), None);
        counters.add(2_000_001, Some("10.1.2.3".parse().unwrap()));
        counters.add(1_000_000, Some("2001:db8::1".parse().unwrap()));
        let usage = counters.take(id).unwrap();
        assert_eq!(usage.count, 2);
        assert_eq!(usage.last_used, SystemTime::UNIX_EPOCH + Duration::from_micros(2_000_001));
        assert_eq!(counters.take(id), None);
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
                        last.set(Some(*address));
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
