//! Catching up: a ledger that is younger than its facts takes them in, piece by piece.

use diesel::QueryResult;

use crate::conn::Conn;
use crate::ledger::post::{Piece, positions};
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
        let mut piece = self.piece_after(start).await?;
        while let Some(ready) = piece {
            // While one piece is written the next is computed.
            let seq = ready.seq;
            let (held, next) =
                tokio::join!(self.write(move |conn| enter(conn, &ready)), self.piece_after(seq));
            let held = held?;
            // Somebody else may have posted some of it meanwhile.
            piece = if held == seq { next? } else { self.piece_after(held).await? };
            tell(Progress { done: distance(start, held), of: distance(start, last.max(held)) });
        }
        if start < last {
            self.memory().doubt();
        }
        Ok(())
    }

    async fn piece_after(&self, after: i64) -> Result<Option<Piece>, StoreError> {
        self.read_long(move |conn| {
            let (last, _) = positions(conn)?;
            Piece::next(conn, after, last)
        })
        .await
    }
}

/// Writes a piece if it is the next one; says how far the ledger is.
fn enter(conn: &mut Conn, piece: &Piece) -> QueryResult<i64> {
    // Nobody else can post until this is committed.
    Sequence::Facts.take(conn, 0)?;
    let (_, held) = positions(conn)?;
    if held != piece.after {
        return Ok(held);
    }
    piece.enter(conn)?;
    Sequence::Ledger.set(conn, piece.seq)?;
    Ok(piece.seq)
}

fn distance(from: i64, to: i64) -> u64 {
    u64::try_from(to - from).unwrap_or(0)
}
