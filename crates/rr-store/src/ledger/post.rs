//! Posting: from facts to entries and sums, in the transaction that brought the facts.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_domain::{Fact, FactKind};
use rr_sync::ledger::{Entry, posting};

use super::{rows, touched};
use crate::conn::{Conn, on_each};
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
/// else can add facts, or post, between what this reads and what it writes.
pub(crate) fn post(conn: &mut Conn) -> QueryResult<Option<Posted>> {
    let Place { facts: last, ledger: after, .. } = place(conn)?;
    if last <= after {
        return Ok(None);
    }
    // A ledger so far behind catches up in many transactions, and this is one of them.
    let seq = if last - after > FAR_BEHIND { after + PIECE } else { last };
    let mut posted = Posted { after, seq: after, entries: Vec::new(), accruals: Vec::new() };
    while posted.seq < seq {
        post_piece(conn, &mut posted, seq)?;
    }
    Sequence::Ledger.set(conn, seq)?;
    Ok(Some(posted))
}

/// Posts the next facts up to `last`, at most a piece of them.
fn post_piece(conn: &mut Conn, posted: &mut Posted, last: i64) -> QueryResult<()> {
    let seq = last.min(posted.seq + PIECE);
    let touched = touched::load(conn, posted.seq, seq)?;
    let entries = posting(&touched.known, &touched.new)
        .map_err(|error| Error::SerializationError(error.into()))?;
    rows::write(conn, seq, &entries)?;
    rows::note_restatements(conn, seq, &entries, &touched.recorded)?;
    posted.seq = seq;
    posted.entries.extend(entries);
    let is_accrual = |fact: &Fact| matches!(fact.kind, FactKind::CommissionAccrued { .. });
    posted.accruals.extend(touched.new.into_iter().filter(is_accrual));
    Ok(())
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
