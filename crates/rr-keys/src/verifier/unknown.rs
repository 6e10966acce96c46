//! Keys that nobody issued: remembered for a moment in a space of their own, and looked up within a budget.
//!
//! A flood of well-formed random keys must neither push good keys out of the cache nor queue at the store.
//! The first holds because unknown keys never enter the cache; the second because every look-up is charged
//! to a budget before it starts and given back when it finds a key. A key that has an entry is no stranger even
//! when that may not be believed any more, and is not charged: a flood that spends the budget would keep it out.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use crate::RateLimit;
use crate::hash::Digest;
use crate::limit::Bucket;

/// Buckets for addresses. Two addresses may share one, which a random seed keeps from being arranged.
const ADDRESS_BUCKETS: usize = 1_024;

/// Digests that the store did not know a moment ago. Fixed in size: a newcomer overwrites its place.
pub(super) struct UnknownKeys {
    places: Box<[Place]>,
    ttl_us: u64,
}

#[derive(Clone, Copy)]
struct Place {
    digest: Digest,
    until_us: u64,
    epoch: u64,
}

impl UnknownKeys {
    pub(super) fn new(capacity: usize, ttl: Duration) -> Self {
        let empty = Place { digest: Digest::NONE, until_us: 0, epoch: 0 };
        let ttl_us = u64::try_from(ttl.as_micros()).unwrap_or(u64::MAX);
        Self { places: vec![empty; capacity.max(1)].into_boxed_slice(), ttl_us }
    }

    /// Whether the store did not know this key, a short while ago and in the same epoch.
    pub(super) fn contains(&self, digest: &Digest, epoch: u64, now_us: u64) -> bool {
        let place = &self.places[self.index(digest)];
        // A clock set back must not make an entry live for ages, hence the lower bound too.
        place.epoch == epoch
            && now_us < place.until_us
            && place.until_us - now_us <= self.ttl_us
            && place.digest == *digest
    }

    pub(super) fn insert(&mut self, digest: Digest, epoch: u64, now_us: u64) {
        let until_us = now_us.saturating_add(self.ttl_us);
        let index = self.index(&digest);
        self.places[index] = Place { digest, until_us, epoch };
    }

    fn index(&self, digest: &Digest) -> usize {
        let word = digest.word();
        let places = u64::try_from(self.places.len()).unwrap_or(u64::MAX);
        // The remainder is smaller than the length, which is a usize.
        usize::try_from(word % places).unwrap_or_default()
    }
}

/// How many look-ups of unknown keys the store will see: in all, and from one address.
pub(super) struct Budget {
    total: Option<(RateLimit, Bucket)>,
    per_address: Option<(RateLimit, Box<[Bucket]>)>,
    /// Questions to the store that one look-up may take: one for each scheme.
    questions: u32,
    seed: RandomState,
}

/// What a look-up was charged to.
pub(super) struct Charge {
    address: Option<usize>,
}

impl Budget {
    pub(super) fn new(
        total: Option<RateLimit>,
        per_address: Option<RateLimit>,
        questions: u32,
    ) -> Self {
        Self {
            questions,
            total: total.map(|limit| (limit, Bucket::default())),
            per_address: per_address
                .map(|limit| (limit, vec![Bucket::default(); ADDRESS_BUCKETS].into_boxed_slice())),
            seed: RandomState::new(),
        }
    }

    /// Pays for one look-up, or says how long to wait.
    pub(super) fn charge(
        &mut self,
        address: Option<IpAddr>,
        now_ns: u64,
    ) -> Result<Charge, Duration> {
        let index = address.map(|address| self.index(address));
        let questions = self.questions;
        if let (Some((limit, buckets)), Some(index)) = (&mut self.per_address, index) {
            take(&mut buckets[index], *limit, questions, now_ns)?;
        }
        if let Some((limit, bucket)) = &mut self.total
            && let Err(wait) = take(bucket, *limit, questions, now_ns)
        {
            self.give_back_address(index);
            return Err(wait);
        }
        Ok(Charge { address: index })
    }

    /// The look-up found a key, or never came to an answer: it costs nothing.
    pub(super) fn give_back(&mut self, charge: &Charge) {
        self.give_back_address(charge.address);
        if let Some((limit, bucket)) = &mut self.total {
            give_back(bucket, *limit, self.questions);
        }
    }

    fn give_back_address(&mut self, index: Option<usize>) {
        if let (Some((limit, buckets)), Some(index)) = (&mut self.per_address, index) {
            give_back(&mut buckets[index], *limit, self.questions);
        }
    }

    /// One caller commands a whole /64 of IPv6, so that is what counts as an address.
    fn index(&self, address: IpAddr) -> usize {
        let network = match address.to_canonical() {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
        };
        let buckets = u64::try_from(ADDRESS_BUCKETS).unwrap_or(1);
        usize::try_from(self.seed.hash_one(network) % buckets).unwrap_or_default()
    }
}

/// Takes so many uses or none.
fn take(
    bucket: &mut Bucket,
    limit: RateLimit,
    questions: u32,
    now_ns: u64,
) -> Result<(), Duration> {
    let all = affordable(limit, questions);
    for taken in 0..all {
        if let Err(wait) = bucket.take(limit, now_ns) {
            (0..taken).for_each(|_| bucket.give_back(limit));
            return Err(wait + limit.window * (all - taken - 1) / limit.limit.get());
        }
    }
    Ok(())
}

fn give_back(bucket: &mut Bucket, limit: RateLimit, questions: u32) {
    (0..affordable(limit, questions)).for_each(|_| bucket.give_back(limit));
}

/// A budget smaller than one look-up lets one pass when it is full: it would let nobody in otherwise.
fn affordable(limit: RateLimit, questions: u32) -> u32 {
    questions.min(limit.limit.get())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn per_second(limit: u32) -> Option<RateLimit> {
        Some(RateLimit { limit: NonZeroU32::new(limit)?, window: Duration::from_secs(1) })
    }

    #[test]
    fn a_negative_answer_ends_with_its_time_its_epoch_and_a_clock_set_back() {
        let mut unknown = UnknownKeys::new(64, Duration::from_secs(5));
        let digest = Digest::of("a");
        unknown.insert(digest, 3, 10_000_000);
        assert!(unknown.contains(&digest, 3, 10_000_000));
        assert!(unknown.contains(&digest, 3, 14_999_999));
        assert!(!unknown.contains(&digest, 3, 15_000_000), "its time is over");
        assert!(!unknown.contains(&digest, 4, 10_000_000), "some key changed since");
        assert!(!unknown.contains(&digest, 3, 9_000_000), "the clock was set back");
        assert!(!unknown.contains(&Digest::of("b"), 3, 10_000_000));
    }

    #[test]
    fn one_address_cannot_spend_what_belongs_to_all() {
        let mut budget = Budget::new(per_second(100), per_second(10), 1);
        let flood: IpAddr = "2001:db8::1".parse().unwrap();
        let passed = |budget: &mut Budget, address: IpAddr| {
            (0..50).filter(|_| budget.charge(Some(address), 0).is_ok()).count()
        };
        assert_eq!(passed(&mut budget, flood), 10);
        assert_eq!(passed(&mut budget, "2001:db8::ffff:1".parse().unwrap()), 0, "the same /64");
        let left = (0..200).filter(|_| budget.charge(None, 0).is_ok()).count();
        assert_eq!(left, 90, "refusals of the address budget cost the total nothing");
    }

    #[test]
    fn a_found_key_costs_nothing() {
        let mut budget = Budget::new(per_second(1), per_second(1), 1);
        let address = Some("10.0.0.1".parse().unwrap());
        for _ in 0..100 {
            let charge = budget.charge(address, 0).ok().unwrap();
            budget.give_back(&charge);
        }
        assert!(budget.charge(address, 0).is_ok());
        assert!(budget.charge(address, 0).is_err());
        assert!(budget.charge(None, 0).is_err(), "the total is spent too");
    }

    #[test]
    fn a_look_up_pays_for_all_its_questions_or_for_none() {
        let mut budget = Budget::new(per_second(10), per_second(8), 3);
        let address = Some("10.0.0.1".parse().unwrap());
        let first = budget.charge(address, 0).ok().unwrap();
        assert!(budget.charge(address, 0).is_ok());
        assert!(budget.charge(address, 0).is_err(), "two are left for this address");
        assert!(budget.charge(None, 0).is_ok(), "and four in all, of which the refused took none");
        let wait = budget.charge(None, 0).err().unwrap();
        assert_eq!(wait, Duration::from_millis(200), "one is left and two are missing");
        budget.give_back(&first);
        assert!(budget.charge(None, 0).is_ok());
        // One that is too small for a single look-up is no locked door.
        let mut small = Budget::new(per_second(2), None, 3);
        assert!(small.charge(None, 0).is_ok());
        assert!(small.charge(None, 0).is_err());
        assert!(small.charge(None, 1_000_000_000).is_ok());
    }
}
