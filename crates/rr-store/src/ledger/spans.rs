//! What stood at past (and future) instants, and what happened in between.

use std::time::Duration;

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rr_domain::Timestamp;
use rr_sync::Balances;
use rr_sync::ledger::{Account, Entry};

use super::read;
use crate::conn::{Conn, on_each};
use crate::schema::{ledger_entries, ledger_hours};
use crate::sequence::Sequence;
use crate::types::At;
use crate::{Store, StoreError};

const TICK: Duration = Duration::from_micros(1);
const HOUR: Duration = Duration::from_secs(3_600);
/// How long a stretch of entries is in memory at once.
const STRETCH: Duration = Duration::from_secs(24 * 3_600);

/// What follows each other between instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    /// The version of the ledger it was read from.
    pub seq: i64,
    /// The sum of all entries dated before the first instant.
    pub start: Balances,
    /// The sum of the entries from each instant (included) to the next (not included).
    pub changes: Vec<Balances>,
    /// Beside each change: how many of those who were customers at its first instant churned within; 0 where
    /// nobody asked.
    pub churned: Vec<i64>,
}

impl Store {
    /// What stands at an instant in every account but the affiliates', its own entries included,
    /// with the version of the ledger.
    pub async fn standing_at(&self, at: Timestamp) -> Result<(i64, Balances), StoreError> {
        self.ledger_is_current().await?;
        self.read_long(move |conn| {
            conn.snapshot(|conn| Ok((Sequence::Ledger.last(conn)?, read::standing(conn, at)?)))
        })
        .await
    }

    /// What happened between these instants, which ascend, in these accounts (not the affiliates');
    /// one change fewer than instants. It reads the sums of whole hours, and single entries only of
    /// hours that an instant divides. Who churned is counted between each two by itself, so only if asked.
    pub async fn spans(
        &self,
        instants: Vec<Timestamp>,
        accounts: Vec<Account>,
        who_churned: bool,
    ) -> Result<Spans, StoreError> {
        self.ledger_is_current().await?;
        let read = move |conn: &mut Conn| {
            let mut spans = spans(conn, &instants, &accounts)?;
            if who_churned {
                add_churned(conn, &mut spans, &instants)?;
            }
            Ok(spans)
        };
        self.read_long(move |conn| conn.snapshot(&read)).await
    }
}

fn spans(conn: &mut Conn, instants: &[Timestamp], accounts: &[Account]) -> QueryResult<Spans> {
    let seq = Sequence::Ledger.last(conn)?;
    let mut spans =
        Spans { seq, start: Balances::default(), changes: Vec::new(), churned: Vec::new() };
    let (Some(first), Some(last)) = (instants.first().copied(), instants.last().copied()) else {
        return Ok(spans);
    };
    let all = read::standing(conn, first.minus(TICK))?;
    for (account, group, sum) in all.iter().filter(|(account, _, _)| accounts.contains(account)) {
        spans.start.add(account, group, sum);
    }
    spans.changes = vec![Balances::default(); instants.len() - 1];
    spans.churned = vec![0; instants.len() - 1];
    add_hours(conn, &mut spans, instants, accounts)?;
    for (from, to) in divided_hours(instants) {
        let mut start = from.max(first);
        while start < to.min(last) {
            let end = start.plus(STRETCH).min(to).min(last);
            for entry in entries(conn, accounts, start, end)? {
                if let Some(change) = span_of(instants, entry.at) {
                    spans.changes[change].add(entry.account, &entry.group, entry.sum());
                }
            }
            start = end;
        }
    }
    Ok(spans)
}

/// Between which two instants this one lies.
fn span_of(instants: &[Timestamp], at: Timestamp) -> Option<usize> {
    let after = instants.partition_point(|instant| *instant <= at);
    (after > 0 && after < instants.len()).then(|| after - 1)
}

/// The hours with an instant within, neighbours joined.
fn divided_hours(instants: &[Timestamp]) -> Vec<(Timestamp, Timestamp)> {
    let mut stretches: Vec<(Timestamp, Timestamp)> = Vec::new();
    for instant in instants {
        let hour = instant.floor_to_hour();
        if hour == *instant {
            continue;
        }
        match stretches.last_mut() {
            Some((_, end)) if *end > hour => {}
            Some((_, end)) if *end == hour => *end = hour.plus(HOUR),
            _ => stretches.push((hour, hour.plus(HOUR))),
        }
    }
    stretches
}

/// Adds the hours that lie between two instants as a whole.
fn add_hours(
    conn: &mut Conn,
    spans: &mut Spans,
    instants: &[Timestamp],
    accounts: &[Account],
) -> QueryResult<()> {
    let names: Vec<&str> = accounts.iter().map(|account| account.as_str()).collect();
    let (first, last) = (instants[0], instants[instants.len() - 1]);
    let rows: Vec<(String, String, At, i64, i64)> = on_each!(conn, |c| ledger_hours::table
        .filter(ledger_hours::account.eq_any(&names))
        .filter(ledger_hours::hour.ge(At(first.floor_to_hour())))
        .filter(ledger_hours::hour.lt(At(last)))
        .load(c))?;
    for (name, group, At(hour), count, amount) in rows {
        let (from, to) = (span_of(instants, hour), span_of(instants, hour.plus(HOUR).minus(TICK)));
        if let (Some(from), Some(to)) = (from, to)
            && from == to
        {
            spans.changes[from].add(read::account(&name)?, &group, read::sum(count, amount));
        }
    }
    Ok(())
}

/// The entries of these accounts from one instant and before another.
fn entries(
    conn: &mut Conn,
    accounts: &[Account],
    from: Timestamp,
    before: Timestamp,
) -> QueryResult<Vec<Entry>> {
    let names: Vec<&str> = accounts.iter().map(|account| account.as_str()).collect();
    let rows: Vec<read::EntryRow> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq_any(&names))
        .filter(ledger_entries::at.ge(At(from)))
        .filter(ledger_entries::at.lt(At(before)))
        .select(read::ENTRY)
        .load(c))?;
    rows.into_iter().map(read::entry).collect()
}

/// Counts the churn within each span of customers who were there at its start. Entries that say since
/// when are churn and have an index of their own, which holds all that is read here.
fn add_churned(conn: &mut Conn, spans: &mut Spans, instants: &[Timestamp]) -> QueryResult<()> {
    for (churned, span) in spans.churned.iter_mut().zip(instants.windows(2)) {
        let (from, to) = (At(span[0]), At(span[1]));
        *churned = on_each!(conn, |c| ledger_entries::table
            .filter(ledger_entries::at.ge(from))
            .filter(ledger_entries::at.lt(to))
            .filter(ledger_entries::since.lt(from))
            .select(sql::<BigInt>(read::COUNT))
            .get_result(c))?;
    }
    Ok(())
}
