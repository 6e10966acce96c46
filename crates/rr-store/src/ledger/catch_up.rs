//! Catching up: a ledger that is younger than its facts takes them in, piece by piece.

use crate::ledger::post::positions;
use crate::sequence::Sequence;
use crate::{Store, StoreError};

/// How far a long piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// So much is done.
    pub done: u64,
    /// Of so much.
    pub of: u64,
}

impl Store {
    /// Posts the facts that the ledger does not hold yet, each piece in a transaction of its own, so
    /// that others can write in between. Tells how far it is after each; a ledger that is up to date
    /// tells nothing. An interrupted one goes on where it was.
    pub async fn catch_up(&self, mut tell: impl FnMut(Progress) + Send) -> Result<(), StoreError> {
        let (last, start) = self.read(positions).await?;
        let mut held = start;
        while held < last {
            // The writer posts what there is before it commits.
            self.write_facts(|conn| Sequence::Facts.take(conn, 0)).await?;
            held = self.read(positions).await?.1;
            tell(Progress { done: distance(start, held), of: distance(start, last) });
        }
        Ok(())
    }
}

fn distance(from: i64, to: i64) -> u64 {
    u64::try_from(to - from).unwrap_or(0)
}
