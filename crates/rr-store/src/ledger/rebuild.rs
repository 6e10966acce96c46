//! Making the ledger anew from the facts, beside the one in use.

use std::time::Duration;

use diesel::QueryResult;
use diesel::dsl::min;
use diesel::prelude::*;
use diesel::result::Error;
use rr_sync::ledger::posting;
use serde_json::json;

use super::rows::EntryRecord;
use super::{read, rows, touched};
use crate::conn::{Clash, Conn, Row, Values, insert};
use crate::ledger::Progress;
use crate::schema::ledger_entries_anew;
use crate::sequence::Sequence;
use crate::{Audit, Store, StoreError};

/// How many facts are posted in one transaction: others wait for it before they can write.
const PIECE: i64 = if cfg!(test) { 40 } else { 4_000 };
/// How often a piece is tried again while the database is locked or away, with a pause each time.
const RETRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

impl Store {
    /// Posts all facts again into a second set of tables, piece by piece, and lets that take the
    /// place of the first in one transaction. Until then everybody goes on reading and writing the
    /// ledger as it was. What is interrupted leaves nothing to repair: the next one begins again.
    /// What late facts moved stays listed as it was.
    pub async fn rebuild(
        &self,
        audit: Audit,
        mut tell: impl FnMut(Progress) + Send,
    ) -> Result<(), StoreError> {
        self.write(|conn| Sequence::LedgerAnew.set(conn, BEFORE)).await?;
        let mut retries = RETRIES;
        loop {
            let audit = audit.clone();
            match self.write(move |conn| go_on(conn, &audit)).await {
                Ok(Step::Cleared) => {}
                Ok(Step::Posted(progress)) => tell(progress),
                Ok(Step::ChangedOver) => self.memory().doubt(),
                Ok(Step::Over) => return Ok(()),
                Err(error) if error.is_temporary() && retries > 0 => {
                    retries -= 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

// Where the second set stands: the number of the last fact that it holds, or one of these.
/// Nobody fills it, and it is empty.
const UNUSED: i64 = -1;
/// It is being emptied, to be filled then.
const BEFORE: i64 = -2;
/// It is the ledger that was in use before, and is being emptied.
const AFTER: i64 = -3;

/// What a transaction has brought.
enum Step {
    Cleared,
    Posted(Progress),
    ChangedOver,
    Over,
}

/// Empties the second set a little, posts the next piece, or changes the sets over when the second holds all
/// that the first does. Two that do this at a time only take turns.
fn go_on(conn: &mut Conn, audit: &Audit) -> QueryResult<Step> {
    if matches!(conn, Conn::Pg(_)) {
        // Whoever waits for a lock on a table keeps all who come later waiting, and the writer with them.
        conn.batch("SET LOCAL lock_timeout = '2s'")?;
    }
    // This keeps the number locked.
    let after = Sequence::LedgerAnew.take(conn, 0)? - 1;
    match after {
        UNUSED => return Ok(Step::Over),
        BEFORE => return clear(conn, 0),
        AFTER => return clear(conn, UNUSED),
        _ => {}
    }
    let mut last = Sequence::Ledger.last(conn)?;
    if after == last {
        // Now nobody posts any more until this is committed.
        Sequence::Facts.take(conn, 0)?;
        last = Sequence::Ledger.last(conn)?;
    }
    if after == last {
        change_over(conn)?;
        audit.record(conn, "ledger.rebuilt", None, &json!({ "seq": last }))?;
        return Ok(Step::ChangedOver);
    }
    let seq = last.min(after + PIECE);
    let touched = touched::load(conn, after, seq)?;
    let entries = posting(&touched.known, &touched.new)
        .map_err(|error| Error::SerializationError(error.into()))?;
    rows::add_to_turnover(conn, Sequence::LedgerAnewTurnover, &entries)?;
    let anew = (1..).zip(&entries).map(|(n, entry)| Anew(EntryRecord::of(seq, n, entry)));
    insert(conn, &anew.collect::<Vec<_>>())?;
    sum_up(conn, after, seq)?;
    Sequence::LedgerAnew.set(conn, seq)?;
    let unsigned = |number| u64::try_from(number).unwrap_or(0);
    Ok(Step::Posted(Progress { done: unsigned(seq), of: unsigned(last) }))
}

/// Empties the second set, at last for what stands in `place` then. On SQLite by pieces, for it goes through
/// every page of what it deletes.
fn clear(conn: &mut Conn, place: i64) -> QueryResult<Step> {
    if let Conn::Lite(c) = conn {
        let first = ledger_entries_anew::table.select(min(ledger_entries_anew::seq));
        if let Some(first) = first.first::<Option<i64>>(c)? {
            let piece =
                ledger_entries_anew::table.filter(ledger_entries_anew::seq.lt(first + PIECE));
            diesel::delete(piece).execute(c)?;
            return Ok(Step::Cleared);
        }
    }
    conn.batch(match conn {
        Conn::Pg(_) => "TRUNCATE ledger_entries_anew, ledger_hours_anew, ledger_counters_anew",
        Conn::Lite(_) => "DELETE FROM ledger_hours_anew; DELETE FROM ledger_counters_anew",
    })?;
    Sequence::LedgerAnew.set(conn, place)?;
    Sequence::LedgerAnewTurnover.set(conn, 0)?;
    Ok(Step::Cleared)
}

/// An entry of the second set.
struct Anew<'a>(EntryRecord<'a>);

impl Row for Anew<'_> {
    type Named = Anew<'static>;
    const INTO: &'static str =
        "ledger_entries_anew (seq, n, fact, account, grp, at, count, amount, since)";
    const CLASH: Clash = Clash::Fails;

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        self.0.bind(values)
    }
}

/// Adds the entries of one piece to the second set's hours and counters. The database sums, so this
/// shares nothing with the sums of a posting.
fn sum_up(conn: &mut Conn, after: i64, seq: i64) -> QueryResult<()> {
    let hour = read::hour_of_entry(conn);
    let add = |table: &str, columns: &str, values: &str, which: &str| {
        format!(
            "INSERT INTO {table} AS held ({columns}, count, amount) \
             SELECT {values}, CAST(sum(count) AS bigint), CAST(sum(amount) AS bigint) \
             FROM ledger_entries_anew WHERE seq > {after} AND seq <= {seq}{which} \
             GROUP BY {values} ON CONFLICT ({columns}) DO UPDATE \
             SET count = held.count + excluded.count, amount = held.amount + excluded.amount;"
        )
    };
    let in_hours = format!("account, grp, {hour}");
    let hours =
        add("ledger_hours_anew", "account, grp, hour", &in_hours, " AND account <> 'affiliates'");
    let counters = add("ledger_counters_anew", "account, grp", "account, grp", "");
    conn.batch(&(hours + &counters))
}

/// Gives each table the name of the other, and tells every board that it is of the ledger before.
fn change_over(conn: &mut Conn) -> QueryResult<()> {
    let mut statements = String::new();
    if matches!(conn, Conn::Pg(_)) {
        // In the order in which readers lock them.
        statements += "LOCK TABLE ledger_counters, ledger_entries, ledger_hours \
                       IN ACCESS EXCLUSIVE MODE;";
    }
    for table in ["ledger_counters", "ledger_entries", "ledger_hours"] {
        statements += &format!(
            "ALTER TABLE {table} RENAME TO {table}_before; \
             ALTER TABLE {table}_anew RENAME TO {table}; \
             ALTER TABLE {table}_before RENAME TO {table}_anew;"
        );
    }
    conn.batch(&statements)?;
    let turnover = Sequence::LedgerAnewTurnover.last(conn)?;
    Sequence::LedgerTurnover.set(conn, turnover)?;
    Sequence::LedgerAnew.set(conn, AFTER)?;
    Sequence::LedgerRebuilds.take(conn, 1).map(drop)
}
