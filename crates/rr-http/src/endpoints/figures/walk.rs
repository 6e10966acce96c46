//! Along the entries behind a figure, adding up.

use rr_domain::Timestamp;
use rr_store::{EntryFilter, EntryPlace, Store};
use rr_sync::ledger::Entry;
use rr_sync::metrics::{Kind, Metric};

use super::TICK;
use super::asked::{Asked, Range};
use super::place::Place;
use crate::problem::Outcome;

/// How many entries are read at once.
const READ: u32 = 1_000;

/// On the way through the entries of one version of the ledger.
pub(super) struct Walk {
    store: Store,
    pub(super) metric: &'static Metric,
    pub(super) filter: EntryFilter,
    /// Where the entries begin, if not with the first of all.
    pub(super) from: Option<Timestamp>,
    /// Of when the total is.
    pub(super) as_of: Timestamp,
    /// The exact sum of what lies behind.
    pub(super) running: i128,
    /// The exact sum at the end.
    pub(super) total: i128,
    last: Option<EntryPlace>,
    is_over: bool,
}

/// An entry that moves the figure, and the exact sum with it.
pub(super) struct Step {
    place: EntryPlace,
    pub(super) entry: Entry,
    pub(super) adds: i128,
    pub(super) running: i128,
}

impl Walk {
    /// At the first entry. The total comes from the ledger's sums and not from the entries, so that the
    /// two can be held against each other.
    pub(super) async fn begin(
        store: &Store,
        metric: &'static Metric,
        asked: Asked,
        now: Timestamp,
    ) -> Outcome<Walk> {
        let (seq, before, running, total) = match asked {
            Asked::Within(Range { from, to, .. }) => {
                let read = store.spans(vec![from, to], metric.accounts()).await?;
                let opening = match metric.kind {
                    Kind::Flow => 0,
                    _ => metric.exact(&read.start),
                };
                let within: i128 = read.changes.iter().map(|change| metric.exact(change)).sum();
                (read.seq, to, opening, opening + within)
            }
            Asked::Now | Asked::At(_) => {
                let at = if let Asked::At(at) = asked { at } else { now };
                let (seq, balances) = store.standing_at(at).await?;
                (seq, at.plus(TICK), 0, metric.exact(&balances))
            }
        };
        Ok(Walk::new(store, metric, asked, seq, before, running, total))
    }

    /// Where an earlier page ended.
    pub(super) fn resume(
        store: &Store,
        metric: &'static Metric,
        asked: Asked,
        place: &Place,
    ) -> Walk {
        let Place { last, before, seq, running, total } = *place;
        let walk = Walk::new(store, metric, asked, seq, before, running, total);
        Walk { last: Some(last), ..walk }
    }

    fn new(
        store: &Store,
        metric: &'static Metric,
        asked: Asked,
        seq: i64,
        before: Timestamp,
        running: i128,
        total: i128,
    ) -> Walk {
        let (from, as_of) = match asked {
            Asked::Within(range) => (Some(range.from), before),
            Asked::Now | Asked::At(_) => (None, before.minus(TICK)),
        };
        let beginning = Timestamp::EPOCH.minus(std::time::Duration::MAX);
        let filter = EntryFilter {
            accounts: metric.accounts(),
            from: from.unwrap_or(beginning),
            before,
            seq,
        };
        let store = store.clone();
        Walk { store, metric, filter, from, as_of, running, total, last: None, is_over: false }
    }

    /// Those of the next entries that move the figure.
    pub(super) async fn next(&mut self) -> Outcome<Vec<Step>> {
        let read = self.store.entries(self.filter.clone(), self.last, READ).await?;
        self.is_over = u32::try_from(read.len()).is_ok_and(|length| length < READ);
        self.last = read.last().map(|one| one.place).or(self.last);
        let mut steps = Vec::with_capacity(read.len());
        for one in read {
            let adds = self.metric.adds(&one.entry);
            if adds != 0 {
                self.running += adds;
                let (place, entry, running) = (one.place, one.entry, self.running);
                steps.push(Step { place, entry, adds, running });
            }
        }
        Ok(steps)
    }

    /// Whether no entry follows.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Where it stands, unless it is over.
    pub(super) fn place(&self) -> Option<Place> {
        let last = self.last.filter(|_| !self.is_over)?;
        Some(Place { last, running: self.running, ..self.place_of(last) })
    }

    /// Where it was after a step.
    pub(super) fn place_at(&self, step: &Step) -> Place {
        Place { running: step.running, ..self.place_of(step.place) }
    }

    fn place_of(&self, last: EntryPlace) -> Place {
        let EntryFilter { before, seq, .. } = self.filter;
        Place { last, before, seq, running: self.running, total: self.total }
    }
}
