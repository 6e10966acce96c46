//! Posting: from facts to entries and sums, in the transaction that brought the facts.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_domain::{Fact, FactKind};
use rr_sync::ledger::{Entry, posting};

use super::rows;
use super::touched::{self, Touched};
use crate::conn::{Conn, on_each};
use crate::facts::Recorded;
use crate::schema::sequences;
use crate::sequence::Sequence;

/// How many facts are posted at once at most; it bounds the memory that posting takes.
const PIECE: i64 = 20_000;
/// A ledger that is further behind than this is not brought up to date by whoever writes next.
const FAR_BEHIND: i64 = 100_000;

/// What a posting did: it brought a ledger that held the facts up to `after` to hold those up to
/// `seq`.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) after: i64,
    pub(crate) seq: i64,
    pub(crate) entries: Vec<Entry>,
    /// The new facts that say what a commission was earned for.
    pub(crate) accruals: Vec<Fact>,
}

/// Posts what the ledger does not hold yet. Nothing to post is `None`.
///
/// The caller's transaction has taken numbers of facts, or otherwise holds their sequence: nobody
/// else can add facts, or post, between what this reads and what it writes. The facts that it has
/// appended itself are handed in, as far as it knows them, and not read again.
pub(crate) fn post(conn: &mut Conn, appended: Vec<Recorded>) -> QueryResult<Option<Posted>> {
    let Place { facts: last, ledger: after, .. } = place(conn)?;
    if last <= after {
        return Ok(None);
    }
    // A ledger so far behind catches up in many transactions, and this is one of them.
    let seq = if last - after > FAR_BEHIND { after + PIECE } else { last };
    let mut posted = Posted { after, seq: after, entries: Vec::new(), accruals: Vec::new() };
    // Numbers come once, so as many as there are missing are those.
    let is_all = i64::try_from(appended.len()).is_ok_and(|count| count == seq - after);
    if is_all && seq - after <= PIECE {
        let piece = Piece::of(after, seq, touched::with_earlier(conn, after, seq, appended)?)?;
        piece.enter(conn)?;
        posted.take(piece);
    }
    while let Some(piece) = Piece::next(conn, posted.seq, seq)? {
        piece.enter(conn)?;
        posted.take(piece);
    }
    Sequence::Ledger.set(conn, seq)?;
    Ok(Some(posted))
}

impl Posted {
    fn take(&mut self, piece: Piece) {
        self.seq = piece.seq;
        self.entries.extend(piece.entries);
        let is_accrual = |fact: &Fact| matches!(fact.kind, FactKind::CommissionAccrued { .. });
        self.accruals.extend(piece.touched.new.into_iter().filter(is_accrual));
    }
}

/// Facts with what they add to the ledger, before it is written: for a ledger that holds the facts up
/// to `after`, and then holds those up to `seq`.
pub(super) struct Piece {
    pub(super) after: i64,
    pub(super) seq: i64,
    touched: Touched,
    entries: Vec<Entry>,
}

impl Piece {
    /// The next piece on the way to `last`; `None` when there is nothing on the way. It follows from
    /// the facts alone.
    pub(super) fn next(conn: &mut Conn, after: i64, last: i64) -> QueryResult<Option<Piece>> {
        if after >= last {
            return Ok(None);
        }
        let seq = last.min(after + PIECE);
        Piece::of(after, seq, touched::load(conn, after, seq)?).map(Some)
    }

    fn of(after: i64, seq: i64, touched: Touched) -> QueryResult<Piece> {
        let entries = posting(&touched.known, &touched.new)
            .map_err(|error| Error::SerializationError(error.into()))?;
        Ok(Piece { after, seq, touched, entries })
    }

    /// Writes it.
    pub(super) fn enter(&self, conn: &mut Conn) -> QueryResult<()> {
        rows::write(conn, self.seq, &self.entries)?;
        rows::note_restatements(conn, self.seq, &self.entries, &self.touched.recorded)
    }
}

/// How far the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) facts: i64,
    pub(super) ledger: i64,
    pub(super) rebuilds: i64,
}

pub(super) fn place(conn: &mut Conn) -> QueryResult<Place> {
    let names = [Sequence::Facts, Sequence::Ledger, Sequence::LedgerRebuilds].map(Sequence::name);
    let rows: Vec<(String, i64)> =
        on_each!(conn, |c| sequences::table.filter(sequences::name.eq_any(names)).load(c))?;
    let [facts, ledger, rebuilds] =
        names.map(|name| rows.iter().find(|row| row.0 == name).map_or(0, |row| row.1));
    Ok(Place { facts, ledger, rebuilds })
}

/// The number of the last fact, and of the last one that the ledger holds.
pub(crate) fn positions(conn: &mut Conn) -> QueryResult<(i64, i64)> {
    let place = place(conn)?;
    Ok((place.facts, place.ledger))
}
