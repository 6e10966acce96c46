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
    /// Keys in memory now.
    pub entries: usize,
    /// Grants whose count was dropped because usage was never taken and memory is bounded.
    pub usage_lost: u64,
}

const STRIPES: usize = 16;

/// A counter spread over cache lines, one for each thread up to sixteen.
#[derive(Debug, Default)]
pub(super) struct StripedCounter([Stripe; STRIPES]);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Stripe(AtomicU64);

impl StripedCounter {
    pub(super) fn add_one(&self) {
        self.0[own_stripe()].0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

fn own_stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<Option<usize>> = const { Cell::new(None) });
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let stripe = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
            own.set(Some(stripe));
            stripe
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_between_threads() {
        let counter = StripedCounter::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..1_000).for_each(|_| counter.add_one()));
            }
        });
        assert_eq!(counter.sum(), 20_000);
    }
}
