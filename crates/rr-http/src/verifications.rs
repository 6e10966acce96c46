//! Verifications of the ledger: one at a time, how far it is, and how the last one ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use rr_domain::Timestamp;
use rr_store::Progress;
use tokio::sync::{Mutex, MutexGuard};

/// Whose turn it is, how far that one is, and the last result.
#[derive(Debug, Default)]
pub(crate) struct Verifications {
    turn: Mutex<()>,
    done: AtomicU64,
    of: AtomicU64,
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
    /// Begins one; or says how far the one is that is running.
    pub(crate) fn begin(&self) -> Result<Turn<'_>, Progress> {
        let Ok(guard) = self.turn.try_lock() else {
            let [done, of] = [&self.done, &self.of].map(|number| number.load(Ordering::Relaxed));
            return Err(Progress { done, of });
        };
        let turn = Turn { of: self, _guard: guard };
        turn.tell(Progress { done: 0, of: 0 });
        Ok(turn)
    }

    /// How the last one ended that did.
    pub(crate) fn last(&self) -> Option<Verified> {
        self.last.load().as_deref().copied()
    }
}

impl Turn<'_> {
    /// Notes how far it is, in facts.
    pub(crate) fn tell(&self, progress: Progress) {
        self.of.done.store(progress.done, Ordering::Relaxed);
        self.of.of.store(progress.of, Ordering::Relaxed);
    }

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
        first.tell(Progress { done: 3, of: 7 });
        assert_eq!(verifications.begin().err(), Some(Progress { done: 3, of: 7 }));
        first.ended(Timestamp::EPOCH, 2);
        let verified = Verified { at: Timestamp::EPOCH, faults: 2 };
        assert_eq!(verifications.last(), Some(verified));
        drop(verifications.begin().unwrap());
        assert_eq!(verifications.last(), Some(verified), "one that was given up says nothing");
        assert!(verifications.begin().is_ok());
    }
}
