//! Recomputing from the facts, and comparing.

use std::time::Duration;

use rr_domain::Timestamp;
use rr_sync::Fold;
use rr_sync::course::Course;
use rr_sync::ledger::Account;

use super::catch_up::Progress;
use super::compare::{Comparison, Fault, Moves, sums};
use super::memory::Present;
use super::read;
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
        let mut fold = Fold::new(present.figures.as_of);
        let mut course = Course::new();
        let mut comparison = Comparison::new(present.figures.as_of);
        let (mut from, end_of_time) = read::all_time();
        let mut done = 0;
        let mut page = self.facts_in_time(None, present.seq).await?;
        while let Some((end, _)) = page.last() {
            let (end, before) = (*end, end.0);
            for (_, fact) in &page {
                fold.add(fact);
                course.add(fact);
            }
            done += u64::try_from(page.len()).unwrap_or(0);
            let (moves, next) = tokio::join!(
                self.moves(&present, from, before),
                self.facts_in_time(Some(end), present.seq)
            );
            comparison.moves(course.until(before), moves?);
            page = next?;
            from = before;
            tell(Progress { done, of });
        }
        while from < end_of_time {
            let before = course.next_due().map_or(end_of_time, |due| due.plus(STRETCH));
            let moves = self.moves(&present, from, before).await?;
            comparison.moves(course.until(before), moves);
            from = before;
        }
        let shown = comparison.figures(&fold.finish(), &present.figures);
        shown.map_err(|error| StoreError::Internal(error.into()))?;
        comparison.balances(&present.balances);
        for account in Account::ALL {
            let sums =
                self.read_long(move |conn| conn.snapshot(|conn| sums(conn, account))).await?;
            comparison.sums(account, sums);
        }
        let (compared, faults) = comparison.into_parts();
        Ok(Verification { seq: present.seq, compared, faults })
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
