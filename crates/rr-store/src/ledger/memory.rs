//! The board in memory: read without the database, moved on by every posting.
//!
//! A look at the database brings the board up to date and says from when on that is known. The
//! writer then moves it on with its own postings before it answers, so that between two looks only
//! other processes can know better. What the writer cannot apply at once (somebody looks just now, a
//! posting of another process lies between, a commit whose outcome is unknown) raises a doubt, and
//! whoever reads next looks first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use rr_domain::Timestamp;
use rr_sync::{Balances, Board, Figures};

use super::Posted;

/// How old the last look at the database may be. Who reads later than that looks first, and learns
/// so that the database is away.
const FRESH: Duration = Duration::from_millis(500);

/// How far the board's floor stays behind: a clock that is set back by less needs no new board.
const BEHIND: Duration = Duration::from_secs(60);

/// Every figure at an instant, and the version of the ledger it was read from.
#[derive(Debug)]
pub struct Present {
    /// The number of the last fact in it. It changes whenever a fact may have changed a figure.
    pub seq: i64,
    /// How often the ledger was made anew, which may have changed a figure too.
    pub rebuilds: i64,
    /// The figures.
    pub figures: Arc<Figures>,
    /// What stands in every account but the affiliates'.
    pub balances: Balances,
}

/// What the writer and the readers share.
pub(crate) struct Memory {
    board: Mutex<Option<Held>>,
    shown: ArcSwapOption<Shown>,
    doubts: AtomicU64,
    start: Instant,
    /// When the last look began, in microseconds since `start`.
    looked: AtomicU64,
}

/// The board, and what a look found.
pub(super) struct Held {
    pub(super) board: Board,
    /// How often the ledger had been made anew.
    pub(super) rebuilds: i64,
    /// How many doubts there had been when the look began.
    doubts: u64,
}

/// What was read off the board last.
struct Shown {
    present: Arc<Present>,
    doubts: u64,
}

/// A look that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    doubts: u64,
    at: Instant,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory {
            board: Mutex::new(None),
            shown: ArcSwapOption::empty(),
            doubts: AtomicU64::new(0),
            start: Instant::now(),
            looked: AtomicU64::new(0),
        }
    }
}

impl Memory {
    /// What holds at `now`, if it is known without a look at the database.
    pub(crate) fn present(&self, now: Timestamp) -> Option<Arc<Present>> {
        let doubts = self.doubts.load(Ordering::Acquire);
        if !self.is_fresh(Instant::now()) {
            return None;
        }
        if let Some(shown) = &*self.shown.load()
            && shown.doubts == doubts
            && shown.present.holds(now)
        {
            return Some(Arc::clone(&shown.present));
        }
        let mut guard = self.board.try_lock().ok()?;
        let held = guard.as_mut().filter(|held| held.doubts == doubts)?;
        let is_right = now >= held.board.floor() && held.board.need(now).is_none();
        if is_right { self.show(held, now) } else { None }
    }

    /// Whether this is what holds at `now`, as far as that is known without a look at the database.
    pub(crate) fn is_present(&self, present: &Arc<Present>, now: Timestamp, at: Instant) -> bool {
        let doubts = self.doubts.load(Ordering::Acquire);
        let is_shown = |shown: &Arc<Shown>| {
            shown.doubts == doubts && Arc::ptr_eq(&shown.present, present) && present.holds(now)
        };
        self.is_fresh(at) && self.shown.load().as_ref().is_some_and(is_shown)
    }

    /// Takes a posting of this process that is committed now.
    pub(crate) fn advance(&self, posted: &Posted) {
        if let Ok(mut guard) = self.board.try_lock()
            && let Some(held) = &mut *guard
        {
            if held.board.seq() == posted.after {
                held.board.apply(&posted.entries, posted.seq);
                held.board.give_facts(&posted.accruals);
                self.shown.store(None);
                return;
            }
            // A reader was quicker.
            if held.board.seq() >= posted.seq {
                return;
            }
        }
        self.doubt();
    }

    /// Something may have been committed that the board does not know.
    pub(crate) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::AcqRel);
    }

    /// What was read off the board came from another board.
    pub(super) fn forget(&self) {
        self.shown.store(None);
    }

    /// Begins a look, which sees everything that was committed before.
    pub(super) fn look(&self) -> Look {
        Look { doubts: self.doubts.load(Ordering::Acquire), at: Instant::now() }
    }

    /// The board, for a look. The async side never waits for it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.board.lock().unwrap_or_else(|poisoned| {
            // Whatever panicked may have left it half-way.
            self.board.clear_poison();
            let mut guard = poisoned.into_inner();
            *guard = None;
            guard
        })
    }

    /// Ends a look that brought the board up to date, and reads it.
    pub(super) fn seen(&self, held: &mut Held, look: Look, now: Timestamp) -> Option<Arc<Present>> {
        held.doubts = look.doubts;
        let micros = look.at.duration_since(self.start).as_micros();
        self.looked.fetch_max(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::AcqRel);
        if let Some(shown) = &*self.shown.load()
            && shown.doubts == look.doubts
            && shown.present.seq == held.board.seq()
            && shown.present.holds(now)
        {
            return Some(Arc::clone(&shown.present));
        }
        self.show(held, now)
    }

    fn show(&self, held: &mut Held, now: Timestamp) -> Option<Arc<Present>> {
        held.board.settle(now.minus(BEHIND));
        let present = Arc::new(Present {
            seq: held.board.seq(),
            rebuilds: held.rebuilds,
            figures: Arc::new(held.board.figures(now)?),
            balances: held.board.balances(now)?.into_owned(),
        });
        let shown = Shown { present: Arc::clone(&present), doubts: held.doubts };
        self.shown.store(Some(Arc::new(shown)));
        Some(present)
    }

    fn is_fresh(&self, at: Instant) -> bool {
        let looked = Duration::from_micros(self.looked.load(Ordering::Acquire));
        at.duration_since(self.start).saturating_sub(looked) < FRESH
    }
}

impl Held {
    pub(super) fn new(board: Board, rebuilds: i64) -> Held {
        Held { board, rebuilds, doubts: u64::MAX }
    }

    /// The floor of a board that is to answer at `now`.
    pub(super) fn floor(now: Timestamp) -> Timestamp {
        now.minus(BEHIND)
    }
}

impl Present {
    /// Whether it is still right at `now` if nothing was added.
    fn holds(&self, now: Timestamp) -> bool {
        now >= self.figures.as_of && self.figures.next_change.is_none_or(|change| now < change)
    }
}
