//! Counters of the verifier, kept so that counting does not make processors wait for one another.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counters of a [`Verifier`](crate::Verifier) since its making.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Requests judged from memory.
    pub hits: u64,
    /// Look-ups in the store.
    pub misses: u64,
    /// Unknown keys refused from memory.
    pub negative_hits: u64,
    /// Requests sent away because too many unknown keys were tried.
    pub throttled: u64,
    /// Keys in memory now, without those that were forgotten and have not come again.
    pub entries: usize,
    /// Grants whose count was dropped because usage was never taken and memory is bounded.
    pub usage_lost: u64,
    /// Keys whose limits were forgotten before they had refilled, because memory is bounded.
    pub limits_lost: u64,
}

/// The first of them belong to one thread each; the last to all threads that came too late.
const STRIPES: usize = 33;

/// A counter spread over cache lines, so that each of up to 32 threads writes a line of its own.
#[derive(Debug)]
pub(super) struct StripedCounter(Box<[Stripe]>);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Stripe(AtomicU64);

impl StripedCounter {
    pub(super) fn new() -> Self {
        Self((0..STRIPES).map(|_| Stripe::default()).collect())
    }

    pub(super) fn add_one(&self) {
        let own = own_stripe();
        let count = &self.0[own].0;
        if own == STRIPES - 1 {
            count.fetch_add(1, Ordering::Relaxed);
        } else {
            // Nobody else writes here, so a load and a store will do, at a fifth of the price.
            count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

/// The number of this thread, the same in every counter.
fn own_stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<usize> = const { Cell::new(usize::MAX) });
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed).min(STRIPES - 1));
        }
        own.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_between_threads() {
        let counter = StripedCounter::new();
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| (0..1_000).for_each(|_| counter.add_one()));
            }
        });
        assert_eq!(counter.sum(), 50_000);
    }
}
