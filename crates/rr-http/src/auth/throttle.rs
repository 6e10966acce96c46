//! A brake on guessing: passwords at the sign-in, keys at the report of a leak.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rr_domain::Timestamp;
use sha2::{Digest, Sha256};

/// Failures are forgotten after this long without another.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// At most so many accounts and addresses are remembered. When more come, the one that was quiet
/// longest is forgotten: memory stays bounded, and a flood costs the attacker more than us.
const CAPACITY: usize = 10_000;

/// Free attempts of one address on one account; then each failure doubles the wait.
const FREE_PER_PAIR: u32 = 5;
/// Free attempts of one address on all accounts.
const FREE_PER_ADDRESS: u32 = 20;
/// Free attempts of everybody on one account. High, because a stranger can use it up to keep the
/// owner out for a while.
const FREE_PER_ACCOUNT: u32 = 100;

/// Free reports of one address. Whoever has more to report at once signs in first.
const FREE_REPORTS: u32 = 20;

/// Counts attempts that failed, or may have.
#[derive(Debug)]
pub(crate) struct Throttle {
    failures: Mutex<HashMap<[u8; 16], Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// One attempt, counted as failed until it is known to be good.
#[derive(Debug)]
pub(crate) struct Attempt {
    slots: Vec<([u8; 16], u32)>,
}

impl Throttle {
    pub(crate) fn new() -> Throttle {
        Throttle { failures: Mutex::new(HashMap::new()) }
    }

    /// Lets somebody try a password, or says how long to wait. Counted per account, per address and
    /// per pair of both; an account that does not exist counts like one that does.
    pub(crate) fn login(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt, Duration> {
        let address = address.map(block).unwrap_or_default();
        let slots = vec![
            (slot(&["pair", account, &address]), FREE_PER_PAIR),
            (slot(&["address", &address]), FREE_PER_ADDRESS),
            (slot(&["account", account]), FREE_PER_ACCOUNT),
        ];
        self.attempt(slots, now)
    }

    /// Lets somebody report a leak, or says how long to wait.
    pub(crate) fn report(
        &self,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt, Duration> {
        let address = address.map(block).unwrap_or_default();
        self.attempt(vec![(slot(&["report", &address]), FREE_REPORTS)], now)
    }

    /// An attempt counts as a failure at once, so that many sent together do not all pass before
    /// the first has failed.
    fn attempt(&self, slots: Vec<([u8; 16], u32)>, now: Timestamp) -> Result<Attempt, Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = slots.iter().filter_map(|(slot, free)| {
            let known = failures.get(slot)?;
            let until = known.last.plus(wait(known.count, *free));
            (until > now).then(|| until.since(now))
        });
        if let Some(longest) = waits.max() {
            return Err(longest);
        }
        for (slot, _) in &slots {
            let known = failures.entry(*slot).or_insert(Failures { count: 0, last: now });
            if now.since(known.last) > MEMORY {
                known.count = 0;
            }
            known.count = known.count.saturating_add(1);
            known.last = now;
        }
        make_room(&mut failures);
        Ok(Attempt { slots })
    }

    /// The attempt was good: whoever made it is trusted again.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for (slot, _) in &attempt.slots {
            failures.remove(slot);
        }
    }
}

/// 1 s after the first failure that is not free, then doubling.
fn wait(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => Duration::from_secs(1 << over.min(20)).min(LONGEST),
    }
}

/// An address for itself, an IPv6 one for its /64, which one customer has whole.
fn block(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

/// Names of any length as keys of one size.
fn slot(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

fn make_room(failures: &mut HashMap<[u8; 16], Failures>) {
    while failures.len() > CAPACITY {
        let quietest = failures.iter().min_by_key(|(_, known)| known.last).map(|(slot, _)| *slot);
        let Some(quietest) = quietest else { return };
        failures.remove(&quietest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + seconds).unwrap()
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_wait_doubles_after_the_free_attempts() {
        let throttle = Throttle::new();
        for _ in 0..FREE_PER_PAIR {
            throttle.login("a", ip("192.0.2.1"), at(0)).unwrap();
        }
        assert_eq!(throttle.login("a", ip("192.0.2.1"), at(0)).unwrap_err().as_secs(), 1);
        throttle.login("a", ip("192.0.2.1"), at(1)).unwrap();
        assert_eq!(throttle.login("a", ip("192.0.2.1"), at(1)).unwrap_err().as_secs(), 2);
        // Another address has its own count, and a wait is not prolonged by trying.
        throttle.login("a", ip("192.0.2.2"), at(1)).unwrap();
        throttle.login("a", ip("192.0.2.1"), at(3)).unwrap();
    }

    #[test]
    fn success_and_time_clear_the_count() {
        let throttle = Throttle::new();
        let mut last = None;
        for _ in 0..FREE_PER_PAIR {
            last = Some(throttle.login("a", None, at(0)).unwrap());
        }
        assert!(throttle.login("a", None, at(0)).is_err());
        throttle.succeeded(&last.unwrap());
        for _ in 0..FREE_PER_PAIR {
            throttle.login("a", None, at(0)).unwrap();
        }
        assert!(throttle.login("a", None, at(0)).is_err());
        for _ in 0..FREE_PER_PAIR {
            throttle.login("a", None, at(16 * 60)).unwrap();
        }
    }

    #[test]
    fn one_address_cannot_try_many_accounts_nor_many_addresses_one_account() {
        let throttle = Throttle::new();
        for account in 0..FREE_PER_ADDRESS {
            throttle.login(&account.to_string(), ip("2001:db8::1"), at(0)).unwrap();
        }
        // The rest of the /64 is the same customer.
        assert!(throttle.login("other", ip("2001:db8::2"), at(0)).is_err());
        throttle.login("other", ip("2001:db8:0:1::2"), at(0)).unwrap();

        let throttle = Throttle::new();
        for host in 0..FREE_PER_ACCOUNT {
            throttle.login("a", ip(&format!("192.0.2.{host}")), at(0)).unwrap();
        }
        assert!(throttle.login("a", ip("198.51.100.1"), at(0)).is_err());
    }

    #[test]
    fn reports_of_one_address_are_counted_and_harm_no_sign_in() {
        let throttle = Throttle::new();
        for _ in 0..FREE_REPORTS {
            throttle.report(ip("192.0.2.1"), at(0)).unwrap();
        }
        assert_eq!(throttle.report(ip("192.0.2.1"), at(0)).unwrap_err().as_secs(), 1);
        throttle.report(ip("192.0.2.2"), at(0)).unwrap();
        throttle.login("a", ip("192.0.2.1"), at(0)).unwrap();
        throttle.report(ip("192.0.2.1"), at(1)).unwrap();
    }

    #[test]
    fn memory_is_bounded() {
        let mut failures = HashMap::new();
        for number in 0..CAPACITY + 3 {
            let last = at(i64::try_from(number).unwrap());
            failures.insert(slot(&[&number.to_string()]), Failures { count: 1, last });
        }
        make_room(&mut failures);
        assert_eq!(failures.len(), CAPACITY);
        assert!(!failures.contains_key(&slot(&["0"])), "the quietest goes first");
        assert!(failures.contains_key(&slot(&["3"])));
    }
}
