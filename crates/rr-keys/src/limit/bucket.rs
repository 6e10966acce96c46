//! The leaky buckets of one key.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{
    MAX_WINDOWS, RateLimit, RateLimitStatus, WindowStatus, status::whole_seconds, windows,
};
use crate::{Denial, KeyRecord};

/// A clock that goes back by more than this was set; by less, two threads read it at about the same time.
const CLOCK_SKEW_NS: u64 = 1_000_000_000;

/// The buckets of one key identity, shared by all its secrets and surviving changes of its record.
///
/// A mutex and not atomics: a use must pour into all windows or into none, and an uncontended lock costs
/// about as much as the compare-and-swap it would replace. Keys without limits never come here.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<[Bucket; MAX_WINDOWS]>);

impl Overflow {
    pub(crate) fn into_denial(self, record: &KeyRecord) -> Denial {
        let limits = self.spent.status(record).unwrap_or_else(|| RateLimitStatus::new(Vec::new()));
        Denial::RateLimited { retry_after: self.retry_after, limits }
    }
}

/// What is left after a use, small enough to travel in every grant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent([Left; MAX_WINDOWS]);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Left {
    remaining: u32,
    /// Up to 136 years, which the header field can say just as well.
    reset_s: u32,
}

/// A refusal: nothing was poured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overflow {
    pub(crate) retry_after: Duration,
    pub(crate) spent: Spent,
}

impl Buckets {
    /// Pours one use into every window of the record, or into none.
    pub(crate) fn take(&self, record: &KeyRecord, now_ns: u64) -> Result<Spent, Overflow> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = 0;
        for (bucket, (_, limit)) in
            buckets.iter_mut().zip(windows(record.rate_limit, &record.named_limits))
        {
            bucket.drain(limit, now_ns);
            wait = wait.max(bucket.wait_ns(limit));
        }
        let mut spent = Spent::default();
        for ((bucket, (_, limit)), left) in buckets
            .iter_mut()
            .zip(windows(record.rate_limit, &record.named_limits))
            .zip(&mut spent.0)
        {
            if wait == 0 {
                bucket.pour();
            }
            *left = bucket.left(limit);
        }
        if wait == 0 {
            Ok(spent)
        } else {
            Err(Overflow { retry_after: Duration::from_nanos(wait), spent })
        }
    }

    /// Whether forgetting the buckets would change nothing: all of them have drained by `now_ns`.
    pub(crate) fn at_rest(&self, now_ns: u64) -> bool {
        let buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.iter().all(|bucket| bucket.level_at(now_ns) == 0)
    }
}

impl Spent {
    /// The full story, for header fields; `None` when the key has no limit.
    pub(crate) fn status(&self, record: &KeyRecord) -> Option<RateLimitStatus> {
        let windows: Vec<_> = windows(record.rate_limit, &record.named_limits)
            .zip(self.0)
            .map(|((name, limit), left)| WindowStatus {
                name: name.to_owned(),
                limit: limit.limit,
                window: limit.window,
                remaining: left.remaining,
                reset_s: u64::from(left.reset_s),
            })
            .collect();
        (!windows.is_empty()).then(|| RateLimitStatus::new(windows))
    }
}

/// One bucket. The level is counted in nanoseconds times uses, so that both the pouring (`window` per use)
/// and the draining (`limit` per nanosecond) are whole numbers and no rounding ever adds up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    level: u128,
    at_ns: u64,
    limit: NonZeroU32,
    window_ns: u64,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { level: 0, at_ns: 0, limit: NonZeroU32::MIN, window_ns: 0 }
    }
}

impl Bucket {
    /// Pours one use in, or says how long to wait.
    pub(crate) fn take(&mut self, limit: RateLimit, now_ns: u64) -> Result<(), Duration> {
        self.drain(limit, now_ns);
        match self.wait_ns(limit) {
            0 => {
                self.pour();
                Ok(())
            }
            wait => Err(Duration::from_nanos(wait)),
        }
    }

    /// Takes one use out again.
    pub(crate) fn give_back(&mut self, limit: RateLimit) {
        self.level = self.level.saturating_sub(u128::from(window_ns(limit)));
    }

    fn pour(&mut self) {
        self.level += u128::from(self.window_ns);
    }

    /// Brings the bucket to `now_ns` and to the limit as it is today.
    fn drain(&mut self, limit: RateLimit, now_ns: u64) {
        self.level = self.level_at(now_ns);
        if now_ns > self.at_ns || self.at_ns - now_ns > CLOCK_SKEW_NS {
            self.at_ns = now_ns;
        }
        let window_ns = window_ns(limit);
        if (limit.limit, window_ns) != (self.limit, self.window_ns) {
            // An edited limit keeps the number of uses that are outstanding: editing is no way to a refill.
            let uses = self.level.div_ceil(u128::from(self.window_ns.max(1)));
            self.level = uses.min(u128::from(limit.limit.get())) * u128::from(window_ns);
            (self.limit, self.window_ns) = (limit.limit, window_ns);
        }
    }

    fn level_at(&self, now_ns: u64) -> u128 {
        let elapsed = now_ns.saturating_sub(self.at_ns);
        self.level.saturating_sub(u128::from(elapsed) * u128::from(self.limit.get()))
    }

    /// The time until one more use fits; zero when it fits now.
    fn wait_ns(&self, limit: RateLimit) -> u64 {
        let full = capacity(limit);
        let excess = (self.level + u128::from(self.window_ns)).saturating_sub(full);
        narrow(excess.div_ceil(u128::from(limit.limit.get())))
    }

    fn left(&self, limit: RateLimit) -> Left {
        let free = capacity(limit).saturating_sub(self.level);
        let remaining = match self.window_ns {
            0 => limit.limit.get(),
            window => u32::try_from(free / u128::from(window)).unwrap_or(u32::MAX),
        };
        let reset =
            Duration::from_nanos(narrow(self.level.div_ceil(u128::from(limit.limit.get()))));
        let reset_s = u32::try_from(whole_seconds(reset)).unwrap_or(u32::MAX);
        Left { remaining, reset_s }
    }
}

fn window_ns(limit: RateLimit) -> u64 {
    u64::try_from(limit.window.as_nanos()).unwrap_or(u64::MAX)
}

fn capacity(limit: RateLimit) -> u128 {
    u128::from(limit.limit.get()) * u128::from(window_ns(limit))
}

fn narrow(nanoseconds: u128) -> u64 {
    u64::try_from(nanoseconds).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::NamedLimits;

    const SECOND: u64 = 1_000_000_000;
    const HOUR: u64 = 3_600 * SECOND;

    fn limit(limit: u32, window: Duration) -> RateLimit {
        RateLimit { limit: NonZeroU32::new(limit).unwrap(), window }
    }

    fn record(main: Option<RateLimit>, named: &[(&str, RateLimit)]) -> KeyRecord {
        KeyRecord {
            rate_limit: main,
            named_limits: NamedLimits::new(named.iter().copied()).unwrap(),
            ..KeyRecord::new(uuid::Uuid::nil(), "k", std::time::SystemTime::UNIX_EPOCH)
        }
    }

    /// (b) One request every 3 hours against 10 a day, 8 of them used, passes for ever.
    #[test]
    fn a_caller_within_its_average_is_never_refused() {
        let buckets = Buckets::default();
        let daily = record(Some(limit(10, Duration::from_secs(86_400))), &[]);
        for _ in 0..8 {
            assert!(buckets.take(&daily, 0).is_ok());
        }
        for n in 1..=10_000 {
            assert!(buckets.take(&daily, n * 3 * HOUR).is_ok(), "request {n}");
        }
    }

    #[test]
    fn waiting_exactly_as_long_as_told_is_enough_and_necessary() {
        let buckets = Buckets::default();
        let three = record(Some(limit(3, Duration::from_secs(10))), &[]);
        for _ in 0..3 {
            buckets.take(&three, SECOND).unwrap();
        }
        let overflow = buckets.take(&three, SECOND).unwrap_err();
        // A third of ten seconds is no whole number of nanoseconds; rounding down would be a lie.
        assert_eq!(overflow.retry_after, Duration::from_nanos(3_333_333_334));
        assert!(buckets.take(&three, SECOND + 3_333_333_333).is_err());
        assert!(buckets.take(&three, SECOND + 3_333_333_334).is_ok());
    }

    #[test]
    fn all_windows_or_none() {
        let buckets = Buckets::default();
        let both = record(
            Some(limit(100, Duration::from_secs(3_600))),
            &[("burst", limit(2, Duration::from_secs(1)))],
        );
        assert!(buckets.take(&both, 0).is_ok());
        let spent = buckets.take(&both, 0).unwrap();
        for _ in 0..50 {
            assert!(buckets.take(&both, 0).is_err(), "the burst is spent");
        }
        let spent_then = buckets.take(&both, SECOND / 2).unwrap();
        let status = |spent: Spent| spent.status(&both).unwrap();
        assert_eq!(status(spent).rate_limit(), "\"default\";r=98;t=72, \"burst\";r=0;t=1");
        assert_eq!(status(spent_then).rate_limit(), "\"default\";r=97;t=108, \"burst\";r=0;t=1");
        assert_eq!(
            status(spent).rate_limit_policy(),
            "\"default\";q=100;w=3600, \"burst\";q=2;w=1"
        );
    }

    #[test]
    fn editing_a_limit_is_no_refill() {
        let buckets = Buckets::default();
        let small = record(Some(limit(10, Duration::from_secs(10))), &[]);
        for _ in 0..10 {
            buckets.take(&small, 0).unwrap();
        }
        let big = record(Some(limit(15, Duration::from_secs(60))), &[]);
        let passed = (0..20).filter(|_| buckets.take(&big, 0).is_ok()).count();
        assert_eq!(passed, 5, "ten uses are outstanding under the new limit too");
        assert!(buckets.take(&small, 0).is_err());
    }

    #[test]
    fn a_clock_that_is_set_neither_locks_out_nor_refills() {
        let once = record(Some(limit(1, Duration::from_secs(10))), &[]);
        let buckets = Buckets::default();
        buckets.take(&once, 1_000 * SECOND).unwrap();
        // Back by an hour's worth: the wait is ten seconds from now, not an hour and ten seconds.
        let back = buckets.take(&once, 10 * SECOND).unwrap_err();
        assert_eq!(back.retry_after, Duration::from_secs(10));
        assert!(buckets.take(&once, 20 * SECOND).is_ok());
        // Two threads whose readings are a millisecond apart gain nothing by taking turns.
        let buckets = Buckets::default();
        let late = 50 * SECOND;
        let passed = (0..100_000_u64)
            .filter(|n| buckets.take(&once, late - (n % 2) * 1_000_000).is_ok())
            .count();
        assert_eq!(passed, 1);
    }

    #[test]
    fn the_largest_limit_does_not_overflow() {
        let buckets = Buckets::default();
        let huge = record(Some(limit(u32::MAX, Duration::MAX)), &[]);
        for now in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(buckets.take(&huge, now).is_ok());
        }
        let none = record(Some(limit(1, Duration::ZERO)), &[]);
        let buckets = Buckets::default();
        assert!((0..1_000).all(|_| buckets.take(&none, 0).is_ok()), "a window of zero is no limit");
    }

    /// (c) N concurrent uses of what is left accept exactly what is left.
    #[test]
    fn concurrent_uses_are_exact() {
        let both = record(
            Some(limit(1_000, Duration::from_secs(3_600))),
            &[("more", limit(1_500, Duration::from_secs(3_600)))],
        );
        let buckets = Buckets::default();
        for _ in 0..300 {
            buckets.take(&both, 0).unwrap();
        }
        let passed = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let own = (0..500).filter(|_| buckets.take(&both, 0).is_ok()).count();
                    passed.fetch_add(own, std::sync::atomic::Ordering::Relaxed);
                });
            }
        });
        assert_eq!(passed.into_inner(), 700);
    }

    /// What a bucket means, said slowly: in every stretch that ends now, no more than `limit` uses and what
    /// came back in that stretch.
    fn fits(accepted: &[u64], now: u64, limit: u32, window: u64) -> bool {
        let (limit, window) = (u128::from(limit), u128::from(window));
        accepted
            .iter()
            .rev()
            .zip(2_u128..)
            .all(|(start, uses)| uses * window <= limit * window + u128::from(now - start) * limit)
    }

    proptest! {
        #[test]
        fn the_bucket_agrees_with_its_meaning(
            uses in 1..20_u32,
            window in 1..1_000_u64,
            steps in prop::collection::vec(0..200_u64, 1..200),
        ) {
            let mut bucket = Bucket::default();
            let limit = limit(uses, Duration::from_nanos(window));
            let (mut now, mut accepted) = (0, Vec::new());
            for step in steps {
                now += step;
                let expected = fits(&accepted, now, uses, window);
                let left = { let mut now_level = bucket; now_level.drain(limit, now); now_level.left(limit) };
                prop_assert_eq!(left.remaining > 0, expected, "what is announced holds");
                match bucket.take(limit, now) {
                    Ok(()) => prop_assert!(expected),
                    Err(wait) => {
                        prop_assert!(!expected);
                        let wait = u64::try_from(wait.as_nanos()).unwrap();
                        prop_assert!(fits(&accepted, now + wait, uses, window), "long enough");
                        prop_assert!(!fits(&accepted, now + wait - 1, uses, window), "no longer");
                        continue;
                    }
                }
                accepted.push(now);
            }
        }
    }
}
