//! Along the entries behind a figure, adding up.

use rr_domain::Timestamp;
use rr_store::{EntryFilter, EntryPlace, Store};
use rr_sync::ledger::Entry;
use rr_sync::metrics::{Kind, Metric};

use super::TICK;
use super::asked::{Asked, Range};
use super::place::Place;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// How many entries are read at once.
const READ: u32 = if cfg!(test) { 2 } else { 1_000 };

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

/// What is explained, in a ledger that was made anew so often.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) store: &'a Store,
    pub(super) metric: &'static Metric,
    pub(super) asked: Asked,
    pub(super) rebuilds: i64,
}

/// What of the entries is known before they are read.
struct Bounds {
    seq: i64,
    before: Timestamp,
    running: i128,
    total: i128,
}

impl Question<'_> {
    /// At the first entry. The total comes from the ledger's sums and not from the entries, so that the
    /// two can be held against each other.
    pub(super) async fn begin(self, now: Timestamp) -> Outcome<Walk> {
        let Question { store, metric, .. } = self;
        let bounds = match self.asked {
            Asked::Within(Range { from, to, .. }) => {
                let read = store.spans(vec![from, to], metric.accounts(), false).await?;
                let opening = match metric.kind {
                    Kind::Flow => 0,
                    _ => metric.exact(&read.start),
                };
                let within: i128 = read.changes.iter().map(|change| metric.exact(change)).sum();
                let total = opening + within;
                Bounds { seq: read.seq, before: to, running: opening, total }
            }
            Asked::Now | Asked::At(_) => {
                let at = if let Asked::At(at) = self.asked { at } else { now };
                let (seq, balances) = store.standing_at(at).await?;
                let total = metric.exact(&balances);
                Bounds { seq, before: at.plus(TICK), running: 0, total }
            }
        };
        Ok(self.walk(bounds, None))
    }

    /// Where an earlier page ended.
    pub(super) fn resume(self, place: &Place) -> Walk {
        let Place { last, before, seq, running, total } = *place;
        self.walk(Bounds { seq, before, running, total }, Some(last))
    }

    fn walk(self, bounds: Bounds, last: Option<EntryPlace>) -> Walk {
        let Question { store, metric, asked, rebuilds } = self;
        let Bounds { seq, before, running, total } = bounds;
        let (from, as_of) = match asked {
            Asked::Within(range) => (Some(range.from), before),
            Asked::Now | Asked::At(_) => (None, before.minus(TICK)),
        };
        let beginning = Timestamp::EPOCH.minus(std::time::Duration::MAX);
        let accounts = metric.accounts();
        let filter =
            EntryFilter { accounts, from: from.unwrap_or(beginning), before, seq, rebuilds };
        let store = store.clone();
        Walk { store, metric, filter, from, as_of, running, total, last, is_over: false }
    }
}

impl Walk {
    /// Those of the next entries that move the figure. All of them have to bring it to the total: what
    /// ends elsewhere explains nothing.
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
        if self.is_over && self.running != self.total {
            let (name, seq, running, total) =
                (self.metric.name, self.filter.seq, self.running, self.total);
            tracing::error!(name, seq, running, total, "the entries do not add up to the figure");
            return Err(Problem::new(Code::Internal));
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

#[cfg(test)]
mod tests {
    use rr_domain::{Fact, FactKind, Label};
    use rr_store::{Actor, Audit, DatabaseUrl, StoreOptions};
    use rr_sync::metrics;
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    fn audit() -> Audit {
        Audit { at: at(100), actor: Actor::CommandLine, request_id: None, address: None }
    }

    /// Signups, one a second, each recorded by itself.
    async fn store_of(folder: &tempfile::TempDir, signups: u8) -> Store {
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let store = Store::open(StoreOptions::new(DatabaseUrl::parse(&url).unwrap())).unwrap();
        store.migrate().await.unwrap();
        for number in 1..=signups {
            let user = Uuid::from_u128(number.into());
            let kind = FactKind::UserCreated { user, role: Label::MEMBER, status: Label::ACTIVE };
            let fact = Fact { id: user, occurred_at: at(number.into()), kind };
            store.append_facts(vec![fact], audit()).await.unwrap();
        }
        store
    }

    fn question(store: &Store, rebuilds: i64) -> Question<'_> {
        let metric = metrics::find("signups").unwrap();
        Question { store, metric, asked: Asked::At(at(50)), rebuilds }
    }

    #[tokio::test]
    async fn a_walk_breaks_off_when_the_ledger_is_made_anew_on_the_way() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = store_of(&folder, 5).await;
        let mut walk = question(&store, 0).begin(at(100)).await.unwrap();
        assert_eq!(walk.next().await.unwrap().len(), 2);
        store.rebuild(audit(), |_| {}).await.unwrap();
        let problem = walk.next().await.map(|steps| steps.len()).unwrap_err();
        assert_eq!(problem.status().as_u16(), 503, "the entries have other numbers now");
        // The question can be asked of the new ledger.
        let mut walk = question(&store, 1).begin(at(100)).await.unwrap();
        let mut met = 0;
        while !walk.is_over() {
            met += walk.next().await.unwrap().len();
        }
        assert_eq!((met, walk.running), (5, 5));
    }

    #[tokio::test]
    async fn a_walk_that_does_not_end_at_the_total_is_broken_off() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = store_of(&folder, 3).await;
        let mut walk = question(&store, 0).begin(at(100)).await.unwrap();
        assert_eq!(walk.next().await.unwrap().len(), 2);
        walk.total += 1;
        let problem = walk.next().await.map(|steps| steps.len()).unwrap_err();
        assert_eq!(problem.status().as_u16(), 500);
    }
}
