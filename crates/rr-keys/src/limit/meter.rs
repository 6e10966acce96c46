//! Everything that limits one key, behind one lock.

#[cfg(test)]
mod tests;

use std::sync::PoisonError;
use std::time::Duration;

use super::bucket::{Bucket, Left};
use super::{RateLimitStatus, RateLimits, WindowName, WindowStatus};
use crate::quota::{QuotaSpent, Tallies, rest_of};
use crate::sync::{Mutex, MutexGuard};
use crate::{Denial, KeyRecord, QuotaPeriod, QuotaUse};

/// The buckets and quotas of one key identity, shared by all its secrets and surviving changes of its record.
///
/// The law: there is an order of all uses in which each is admitted exactly when every window and every quota has
/// room after those admitted before it; then it counts in all of them, and a refused one counts in none.
///
/// A mutex and not atomics: with several counters the law would need a way back for what was taken from the first
/// when the second refuses, which others would see meanwhile, and an uncontended lock costs about as much as the
/// compare-and-swap it would replace. Keys without limits never come here.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The windows' own come first, in their order; behind them those of windows that the key had before.
    buckets: Vec<(WindowName, Bucket)>,
    tallies: Tallies,
}

/// What is left after a use, small enough to travel in every grant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    windows: [Left; RateLimits::MOST],
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
        let limits = &record.rate_limits;
        bring_in_order(buckets, limits);
        let mut wait = 0;
        for ((_, bucket), (_, limit)) in buckets.iter_mut().zip(limits.iter()) {
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
        for (((_, bucket), (_, limit)), left) in
            buckets.iter_mut().zip(limits.iter()).zip(&mut spent.windows)
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
        let drained = state.buckets.iter().all(|(_, bucket)| bucket.level_at(now_ns) == 0);
        drained && !state.tallies.has_fresh()
    }

    /// When every bucket will have drained; before that, forgetting all this would give something back.
    pub(crate) fn rests_at(&self, now_ns: u64) -> u64 {
        let state = self.lock();
        state.buckets.iter().map(|(_, bucket)| bucket.drained_at(now_ns)).max().unwrap_or(now_ns)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that the first buckets are those of these windows. Nearly always they are.
fn bring_in_order(buckets: &mut Vec<(WindowName, Bucket)>, limits: &RateLimits) {
    let in_order = buckets.len() >= limits.iter().len()
        && buckets.iter().zip(limits.iter()).all(|((own, _), (name, _))| *own == name);
    if !in_order {
        reorder(buckets, limits);
    }
}

/// After a change of the windows each keeps the bucket of its name: adding, moving or removing one refills no
/// other. Those that are gone are kept while there is room, for requests with the record from before may come.
#[cold]
fn reorder(buckets: &mut Vec<(WindowName, Bucket)>, limits: &RateLimits) {
    buckets.reserve_exact(limits.iter().len());
    for (place, (name, _)) in limits.iter().enumerate() {
        let found = buckets.iter().position(|(own, _)| *own == name).unwrap_or_else(|| {
            buckets.push((name, Bucket::default()));
            buckets.len() - 1
        });
        buckets.swap(place, found);
    }
    buckets.truncate(RateLimits::MOST);
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
        let windows = record.rate_limits.iter().zip(self.windows);
        let windows: Vec<_> = windows
            .map(|((name, limit), left)| WindowStatus {
                name,
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
