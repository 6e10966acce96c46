//! Recomputing from the facts, and comparing.

use std::time::Duration;

use rr_domain::{Fact, Timestamp};
use rr_sync::Fold;
use rr_sync::course::Course;
use rr_sync::ledger::Account;

use super::catch_up::Progress;
use super::compare::{Comparison, Fault, Moves, Sums, sums};
use super::memory::Present;
use super::read;
use crate::facts::FactPlace;
use crate::sequence::Sequence;
use crate::{Store, StoreError};

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The version of the ledger that was verified: the number of its last fact.
    pub seq: i64,
    /// How many values were compared.
    pub compared: usize,
    /// Those that differ.
    pub faults: Vec<Fault>,
}

/// How much of the time to come is compared at once.
const STRETCH: Duration = Duration::from_secs(24 * 3_600);

impl Store {
    /// Goes through all facts by the plain computation, which shares no code with the ledger, and compares
    /// with it: what is answered at `now`; of every instant, past and to come, what the entries dated at it
    /// change in every group; then every hour and every counter with the entries it is the sum of. Others can
    /// read and write meanwhile; a ledger that is made anew meanwhile is an error.
    pub async fn verify(
        &self,
        now: Timestamp,
        mut tell: impl FnMut(Progress) + Send,
    ) -> Result<Verification, StoreError> {
        self.follow_ledger(now).await?;
        let present = self.present(now).await?;
        let of = u64::try_from(present.seq).unwrap_or(0);
        let mut recount = Recount::new(present.figures.as_of);
        let (mut from, end_of_time) = read::all_time();
        let mut done = 0;
        let mut page = self.facts_in_time(None, present.seq).await?;
        while let Some((end, _)) = page.last() {
            let (end, before) = (*end, end.0);
            done += u64::try_from(page.len()).unwrap_or(0);
            let (counted, moves, next) = tokio::join!(
                recount.apart(move |recount| recount.add(&page)),
                self.moves(&present, from, before),
                self.facts_in_time(Some(end), present.seq)
            );
            let moves = moves?;
            recount = counted?.apart(move |recount| recount.compare(before, moves)).await?;
            page = next?;
            from = before;
            tell(Progress { done, of });
        }
        while from < end_of_time {
            let before = recount.course.next_due().map_or(end_of_time, |due| due.plus(STRETCH));
            let moves = self.moves(&present, from, before).await?;
            recount = recount.apart(move |recount| recount.compare(before, moves)).await?;
            from = before;
        }
        let mut sums_of = Vec::new();
        for account in Account::ALL {
            let read = self.read_long(move |conn| conn.snapshot(|conn| sums(conn, account)));
            sums_of.push((account, read.await?));
        }
        let seq = present.seq;
        let (compared, faults) = work_apart(move || recount.end(&present, sums_of)).await??;
        Ok(Verification { seq, compared, faults })
    }

    /// What the entries of this version change from one instant on and before another.
    async fn moves(
        &self,
        present: &Present,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Moves, StoreError> {
        let (seq, rebuilds) = (present.seq, present.rebuilds);
        let read = self.read_long(move |conn| {
            conn.snapshot(|conn| {
                if Sequence::LedgerRebuilds.last(conn)? != rebuilds {
                    return Ok(None);
                }
                Moves::load(conn, from, before, seq).map(Some)
            })
        });
        read.await?.ok_or_else(super::made_anew)
    }
}

/// Everything that is computed from the facts while they go by.
struct Recount {
    fold: Fold,
    course: Course,
    comparison: Comparison,
}

impl Recount {
    fn new(as_of: Timestamp) -> Self {
        Self { fold: Fold::new(as_of), course: Course::new(), comparison: Comparison::new(as_of) }
    }

    fn add(&mut self, page: &[(FactPlace, Fact)]) {
        for (_, fact) in page {
            self.fold.add(fact);
            self.course.add(fact);
        }
    }

    fn compare(&mut self, before: Timestamp, moves: Moves) {
        self.comparison.moves(self.course.until(before), moves);
    }

    fn end(
        self,
        present: &Present,
        sums: Vec<(Account, Sums)>,
    ) -> Result<(usize, Vec<Fault>), StoreError> {
        let mut comparison = self.comparison;
        let shown = comparison.figures(&self.fold.finish(), &present.figures);
        shown.map_err(|error| StoreError::Internal(error.into()))?;
        comparison.balances(&present.balances);
        for (account, sums) in sums {
            comparison.sums(account, sums);
        }
        Ok(comparison.into_parts())
    }

    async fn apart(
        mut self,
        work: impl FnOnce(&mut Self) + Send + 'static,
    ) -> Result<Self, StoreError> {
        work_apart(move || {
            work(&mut self);
            self
        })
        .await
    }
}

/// Computes on a thread for such, for who waits here may be a worker that has requests to answer.
async fn work_apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Internal(error.into()))
}
