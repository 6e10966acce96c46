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
    reset_s: u64,
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
                reset_s: left.reset_s,
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
        Left { remaining, reset_s: whole_seconds(reset) }
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
