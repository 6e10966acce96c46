//! Everything that limits one key, behind one lock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::bucket::{Bucket, Left};
use super::{MAX_WINDOWS, RateLimitStatus, WindowStatus, windows};
use crate::quota::{QuotaSpent, Tallies, rest_of};
use crate::{Denial, KeyRecord, QuotaPeriod, QuotaUse};

/// The buckets and quotas of one key identity, shared by all its secrets and surviving changes of its record.
///
/// A mutex and not atomics: a use must fit into all windows and quotas or go into none, and an uncontended
/// lock costs about as much as the compare-and-swap it would replace. Keys without limits never come here.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    buckets: [Bucket; MAX_WINDOWS],
    tallies: Tallies,
}

/// What is left after a use, small enough to travel in every grant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    windows: [Left; MAX_WINDOWS],
    quotas: QuotaSpent,
}

/// A refusal: nothing was counted anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overflow {
    /// The quota that is used up; `None` when it is the pace that was too high.
    pub(crate) quota: Option<QuotaPeriod>,
    /// When another try has a chance; `None` is never.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) spent: Spent,
}

impl Meter {
    /// Counts one use in every window and quota of the record, or in none.
    pub(crate) fn take(&self, record: &KeyRecord, now_ns: u64) -> Result<Spent, Overflow> {
        let now_s = now_ns / 1_000_000_000;
        let mut state = self.lock();
        let State { buckets, tallies } = &mut *state;
        let mut wait = 0;
        for (bucket, (_, limit)) in
            buckets.iter_mut().zip(windows(record.rate_limit, &record.named_limits))
        {
            bucket.drain(limit, now_ns);
            wait = wait.max(bucket.wait_ns(limit));
        }
        let quotas = &record.quotas;
        if !quotas.is_empty() {
            tallies.roll(now_s);
        }
        let exhausted = tallies.exhausted(quotas);
        let fits = wait == 0 && exhausted.is_none();
        let mut spent = Spent::default();
        for ((bucket, (_, limit)), left) in buckets
            .iter_mut()
            .zip(windows(record.rate_limit, &record.named_limits))
            .zip(&mut spent.windows)
        {
            if fits {
                bucket.pour();
            }
            *left = bucket.left(limit);
        }
        if !quotas.is_empty() {
            if fits {
                tallies.count();
            }
            spent.quotas = tallies.spent(quotas, now_s);
        }
        match exhausted {
            None if fits => Ok(spent),
            None => {
                Err(Overflow { quota: None, retry_after: Some(Duration::from_nanos(wait)), spent })
            }
            Some(period) => {
                // When the period ends the pace may still be too high, but then it says so.
                Err(Overflow { quota: exhausted, retry_after: rest_of(period, now_ns), spent })
            }
        }
    }

    /// Learns what the store knew about the quotas when it was asked.
    pub(crate) fn learn(&self, record: &KeyRecord, now_ns: u64) {
        if !record.quotas.is_empty() {
            self.lock().tallies.learn(&record.quotas.used(), now_ns / 1_000_000_000);
        }
    }

    /// The uses of quotas since the last taking.
    pub(crate) fn take_quota_use(&self) -> Option<QuotaUse> {
        self.lock().tallies.take()
    }

    /// Whether forgetting all this would change nothing: every bucket has drained by `now_ns` and all uses
    /// of quotas were taken.
    pub(crate) fn at_rest(&self, now_ns: u64) -> bool {
        let state = self.lock();
        let drained = state.buckets.iter().all(|bucket| bucket.level_at(now_ns) == 0);
        drained && !state.tallies.has_fresh()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Overflow {
    #[cold]
    pub(crate) fn into_denial(self, record: &KeyRecord) -> Denial {
        let limits = self.spent.status(record).unwrap_or_default();
        match self.quota {
            Some(period) => Denial::QuotaExceeded { period, retry_after: self.retry_after, limits },
            None => {
                Denial::RateLimited { retry_after: self.retry_after.unwrap_or_default(), limits }
            }
        }
    }
}

impl Spent {
    /// The full story, for header fields; `None` when the key has no limit.
    pub(crate) fn status(&self, record: &KeyRecord) -> Option<RateLimitStatus> {
        let windows: Vec<_> = windows(record.rate_limit, &record.named_limits)
            .zip(self.windows)
            .map(|((name, limit), left)| WindowStatus {
                name: name.to_owned(),
                limit: limit.limit,
                window: limit.window,
                remaining: left.remaining,
                reset_s: u64::from(left.reset_s),
            })
            .collect();
        let quotas = self.quotas.status(&record.quotas);
        (!windows.is_empty() || !quotas.is_empty()).then(|| RateLimitStatus::new(windows, quotas))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::{NamedLimits, RateLimit};

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
        let meter = Meter::default();
        let daily = record(Some(limit(10, Duration::from_secs(86_400))), &[]);
        for _ in 0..8 {
            assert!(meter.take(&daily, 0).is_ok());
        }
        for n in 1..=10_000 {
            assert!(meter.take(&daily, n * 3 * HOUR).is_ok(), "request {n}");
        }
    }

    #[test]
    fn waiting_exactly_as_long_as_told_is_enough_and_necessary() {
        let meter = Meter::default();
        let three = record(Some(limit(3, Duration::from_secs(10))), &[]);
        for _ in 0..3 {
            meter.take(&three, SECOND).unwrap();
        }
        let overflow = meter.take(&three, SECOND).unwrap_err();
        // A third of ten seconds is no whole number of nanoseconds; rounding down would be a lie.
        assert_eq!(overflow.retry_after, Some(Duration::from_nanos(3_333_333_334)));
        assert!(meter.take(&three, SECOND + 3_333_333_333).is_err());
        assert!(meter.take(&three, SECOND + 3_333_333_334).is_ok());
    }

    #[test]
    fn all_windows_or_none() {
        let meter = Meter::default();
        let both = record(
            Some(limit(100, Duration::from_secs(3_600))),
            &[("burst", limit(2, Duration::from_secs(1)))],
        );
        assert!(meter.take(&both, 0).is_ok());
        let spent = meter.take(&both, 0).unwrap();
        for _ in 0..50 {
            assert!(meter.take(&both, 0).is_err(), "the burst is spent");
        }
        let spent_then = meter.take(&both, SECOND / 2).unwrap();
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
        let meter = Meter::default();
        let small = record(Some(limit(10, Duration::from_secs(10))), &[]);
        for _ in 0..10 {
            meter.take(&small, 0).unwrap();
        }
        let big = record(Some(limit(15, Duration::from_secs(60))), &[]);
        let passed = (0..20).filter(|_| meter.take(&big, 0).is_ok()).count();
        assert_eq!(passed, 5, "ten uses are outstanding under the new limit too");
        assert!(meter.take(&small, 0).is_err());
    }

    #[test]
    fn a_clock_that_is_set_neither_locks_out_nor_refills() {
        let once = record(Some(limit(1, Duration::from_secs(10))), &[]);
        let meter = Meter::default();
        meter.take(&once, 1_000 * SECOND).unwrap();
        // Back by an hour's worth: the wait is ten seconds from now, not an hour and ten seconds.
        let back = meter.take(&once, 10 * SECOND).unwrap_err();
        assert_eq!(back.retry_after, Some(Duration::from_secs(10)));
        assert!(meter.take(&once, 20 * SECOND).is_ok());
        // Two threads whose readings are a millisecond apart gain nothing by taking turns.
        let meter = Meter::default();
        let late = 50 * SECOND;
        let passed = (0..100_000_u64)
            .filter(|n| meter.take(&once, late - (n % 2) * 1_000_000).is_ok())
            .count();
        assert_eq!(passed, 1);
    }

    #[test]
    fn the_largest_limit_does_not_overflow() {
        let meter = Meter::default();
        let huge = record(Some(limit(u32::MAX, Duration::MAX)), &[]);
        for now in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(meter.take(&huge, now).is_ok());
        }
        let none = record(Some(limit(1, Duration::ZERO)), &[]);
        let meter = Meter::default();
        assert!((0..1_000).all(|_| meter.take(&none, 0).is_ok()), "a window of zero is no limit");
    }

    /// (c) N concurrent uses of what is left accept exactly what is left.
    #[test]
    fn concurrent_uses_are_exact() {
        let both = record(
            Some(limit(1_000, Duration::from_secs(3_600))),
            &[("more", limit(1_500, Duration::from_secs(3_600)))],
        );
        let meter = Meter::default();
        for _ in 0..300 {
            meter.take(&both, 0).unwrap();
        }
        let passed = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let own = (0..500).filter(|_| meter.take(&both, 0).is_ok()).count();
                    passed.fetch_add(own, std::sync::atomic::Ordering::Relaxed);
                });
            }
        });
        assert_eq!(passed.into_inner(), 700);
    }
}
