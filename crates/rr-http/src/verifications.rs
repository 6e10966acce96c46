//! Verifications of the ledger: one at a time, and how the last one ended.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rr_domain::Timestamp;
use tokio::sync::{Mutex, MutexGuard};

/// Whose turn it is, and the last result.
#[derive(Debug, Default)]
pub(crate) struct Verifications {
    turn: Mutex<()>,
    last: ArcSwapOption<Verified>,
}

/// How a verification ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    /// When it began.
    pub(crate) at: Timestamp,
    /// How many values differed.
    pub(crate) faults: usize,
}

/// A verification that runs. The next one may begin when this is dropped.
pub(crate) struct Turn<'a> {
    of: &'a Verifications,
    _guard: MutexGuard<'a, ()>,
}

impl Verifications {
    /// Begins one, unless one is running.
    pub(crate) fn begin(&self) -> Option<Turn<'_>> {
        self.turn.try_lock().ok().map(|guard| Turn { of: self, _guard: guard })
    }

    /// How the last one ended that did.
    pub(crate) fn last(&self) -> Option<Verified> {
        self.last.load().as_deref().copied()
    }
}

impl Turn<'_> {
    /// Notes how it ended.
    pub(crate) fn ended(self, at: Timestamp, faults: usize) {
        self.of.last.store(Some(Arc::new(Verified { at, faults })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_the_last_result_stays() {
        let verifications = Verifications::default();
        let first = verifications.begin().unwrap();
        assert!(verifications.begin().is_none());
        first.ended(Timestamp::EPOCH, 2);
        let verified = Verified { at: Timestamp::EPOCH, faults: 2 };
        assert_eq!(verifications.last(), Some(verified));
        drop(verifications.begin().unwrap());
        assert_eq!(verifications.last(), Some(verified), "one that was given up says nothing");
        assert!(verifications.begin().is_some());
    }
}
