//! What a posting writes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::QueryResult;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};
use rr_domain::Timestamp;
use rr_sync::ledger::{Account, Entry, Sum, TooLarge};
use uuid::Uuid;

use crate::conn::{Clash, Conn, Row, Values, insert};
use crate::sequence::Sequence;
use crate::types::{At, DbTime, DbUuid, Id};

/// An entry dated further back than this before it was recorded moved the past.
const LATE_MICROS: i64 = 60_000_000;

/// Writes the entries of one posting under its number, and what they add up to.
pub(super) fn write(conn: &mut Conn, seq: i64, entries: &[Entry]) -> QueryResult<()> {
    add_to_turnover(conn, Sequence::LedgerTurnover, entries)?;
    write_entries(conn, entries.iter().map(|entry| (seq, entry)))?;
    let mut hours: BTreeMap<(&'static str, &str, At), Sum> = BTreeMap::new();
    let mut counters: BTreeMap<(&'static str, &str), Sum> = BTreeMap::new();
    for entry in entries {
        let (account, grp) = (entry.account.as_str(), entry.group.as_str());
        *counters.entry((account, grp)).or_default() += entry.sum();
        if entry.account != Account::Affiliates {
            *hours.entry((account, grp, At(entry.at.floor_to_hour()))).or_default() += entry.sum();
        }
    }
    add_to_hours(conn, hours)?;
    add_to_counters(conn, counters)
}

/// Adds what entries move, whichever way, to what was moved before; refuses what would not fit 64 bits
/// then. Whatever entries are summed (of a group, an hour, a period, some of them first and the rest
/// later), the sum is not larger than this: so every sum of the ledger fits its column, and every one
/// that a query makes.
pub(super) fn add_to_turnover(
    conn: &mut Conn,
    turnover: Sequence,
    entries: &[Entry],
) -> QueryResult<()> {
    let moved: u128 = entries.iter().map(|entry| u128::from(entry.amount.unsigned_abs())).sum();
    let fits = match i64::try_from(moved) {
        Ok(0) => true,
        Ok(moved) => turnover.grow(conn, moved)?,
        Err(_) => false,
    };
    match entries.iter().max_by_key(|entry| entry.amount.unsigned_abs()) {
        Some(largest) if !fits => {
            Err(Error::SerializationError(TooLarge { fact: largest.fact }.into()))
        }
        _ => Ok(()),
    }
}

/// Writes entries; `n` tells those of one number apart.
pub(super) fn write_entries<'a>(
    conn: &mut Conn,
    entries: impl Iterator<Item = (i64, &'a Entry)>,
) -> QueryResult<()> {
    let rows = (1..).zip(entries).map(|(n, (seq, entry))| EntryRecord::of(seq, n, entry));
    insert(conn, &rows.collect::<Vec<_>>()).map(drop)
}

/// In the order of their keys, as everyone does: nobody waits for one who waits for them.
fn add_to_hours(
    conn: &mut Conn,
    hours: BTreeMap<(&'static str, &str, At), Sum>,
) -> QueryResult<()> {
    let rows = hours
        .into_iter()
        .map(|((account, grp, hour), sum)| {
            let (count, amount) = narrow(sum)?;
            Ok(HourRecord { account, grp, hour, count, amount })
        })
        .collect::<QueryResult<Vec<_>>>()?;
    insert(conn, &rows).map(drop)
}

fn add_to_counters(
    conn: &mut Conn,
    counters: BTreeMap<(&'static str, &str), Sum>,
) -> QueryResult<()> {
    let rows = counters
        .into_iter()
        .map(|((account, grp), sum)| {
            let (count, amount) = narrow(sum)?;
            Ok(CounterRecord { account, grp, count, amount })
        })
        .collect::<QueryResult<Vec<_>>>()?;
    insert(conn, &rows).map(drop)
}

/// Notes what the entries moved in the past. `recorded` says when each new fact was recorded; an
/// entry of an older fact is a correction that one of the new facts brought about.
pub(super) fn note_restatements(
    conn: &mut Conn,
    seq: i64,
    entries: &[Entry],
    recorded: &HashMap<Uuid, Timestamp>,
) -> QueryResult<()> {
    let Some(newest) = recorded.values().max().copied() else { return Ok(()) };
    let mut moved: BTreeMap<(&'static str, &str), Moved> = BTreeMap::new();
    let mut at_once: BTreeMap<(&'static str, &str, Timestamp), Sum> = BTreeMap::new();
    for entry in entries {
        let recorded_at = recorded.get(&entry.fact).copied().unwrap_or(newest);
        if entry.at.micros() >= recorded_at.micros() - LATE_MICROS {
            continue;
        }
        let place = (entry.account.as_str(), entry.group.as_str(), entry.at);
        *at_once.entry(place).or_default() += entry.sum();
        let moved = moved.entry((entry.account.as_str(), entry.group.as_str())).or_insert(Moved {
            since: entry.at,
            until: entry.at,
            sum: Sum::default(),
            gained: Sum::default(),
            facts: BTreeSet::new(),
            recorded_at,
        });
        moved.since = moved.since.min(entry.at);
        moved.until = moved.until.max(entry.at);
        moved.recorded_at = moved.recorded_at.max(recorded_at);
        moved.sum += entry.sum();
        moved.facts.extend(Some(entry.fact).filter(|fact| recorded.contains_key(fact)));
    }
    // An entry that is taken back and posted anew at the same instant added nothing.
    for ((account, group, _), sum) in at_once {
        if let Some(moved) = moved.get_mut(&(account, group)) {
            moved.gained += Sum { count: sum.count.max(0), amount: sum.amount.max(0) };
        }
    }
    let rows = moved
        .into_iter()
        .map(|((account, grp), moved)| {
            let (count, amount) = narrow(moved.sum)?;
            let (gained_count, gained_amount) = narrow(moved.gained)?;
            // Where only entries of older facts are, one of the new ones has corrected them.
            let facts = moved.facts.len().max(1);
            Ok(RestatementRecord {
                seq,
                account,
                grp,
                since: At(moved.since),
                count,
                amount,
                fact_count: i64::try_from(facts).unwrap_or(i64::MAX),
                recorded_at: At(moved.recorded_at),
                until: At(moved.until),
                gained_count,
                gained_amount,
            })
        })
        .collect::<QueryResult<Vec<_>>>()?;
    insert(conn, &rows).map(drop)
}

/// What one group of an account was moved by.
struct Moved {
    since: Timestamp,
    until: Timestamp,
    sum: Sum,
    /// What was added, without what was taken away.
    gained: Sum,
    /// Those of the new facts that have entries in it.
    facts: BTreeSet<Uuid>,
    recorded_at: Timestamp,
}

/// A sum as a column keeps it. One that does not fit fails the write instead of becoming another.
fn narrow(sum: Sum) -> QueryResult<(i64, i64)> {
    let amount = i64::try_from(sum.amount)
        .map_err(|_| Error::SerializationError("a sum of amounts does not fit 64 bits".into()))?;
    Ok((sum.count, amount))
}

/// An entry as the tables of entries keep it.
pub(super) struct EntryRecord<'a> {
    seq: i64,
    n: i64,
    fact: Id,
    account: &'static str,
    grp: &'a str,
    at: At,
    count: i64,
    amount: i64,
    since: Option<At>,
}

impl<'a> EntryRecord<'a> {
    /// The `n`-th entry of number `seq`.
    pub(super) fn of(seq: i64, n: i64, entry: &'a Entry) -> EntryRecord<'a> {
        EntryRecord {
            seq,
            n,
            fact: Id(entry.fact),
            account: entry.account.as_str(),
            grp: &entry.group,
            at: At(entry.at),
            count: entry.count,
            amount: entry.amount,
            since: entry.since.map(At),
        }
    }
}

impl Row for EntryRecord<'_> {
    type Named = EntryRecord<'static>;
    const INTO: &'static str =
        "ledger_entries (seq, n, fact, account, grp, at, count, amount, since)";
    const CLASH: Clash = Clash::Fails;

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<BigInt, _>(&self.seq)?;
        values.put::<BigInt, _>(&self.n)?;
        values.put::<DbUuid, _>(&self.fact)?;
        values.put::<Text, _>(self.account)?;
        values.put::<Text, _>(self.grp)?;
        values.put::<DbTime, _>(&self.at)?;
        values.put::<BigInt, _>(&self.count)?;
        values.put::<BigInt, _>(&self.amount)?;
        values.put::<Nullable<DbTime>, _>(&self.since)
    }
}

struct HourRecord<'a> {
    account: &'static str,
    grp: &'a str,
    hour: At,
    count: i64,
    amount: i64,
}

impl Row for HourRecord<'_> {
    type Named = HourRecord<'static>;
    const INTO: &'static str = "ledger_hours (account, grp, hour, count, amount)";
    const CLASH: Clash = Clash::Changes(
        " ON CONFLICT (account, grp, hour) DO UPDATE SET \
         count = ledger_hours.count + excluded.count, \
         amount = ledger_hours.amount + excluded.amount",
    );

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<Text, _>(self.account)?;
        values.put::<Text, _>(self.grp)?;
        values.put::<DbTime, _>(&self.hour)?;
        values.put::<BigInt, _>(&self.count)?;
        values.put::<BigInt, _>(&self.amount)
    }
}

struct CounterRecord<'a> {
    account: &'static str,
    grp: &'a str,
    count: i64,
    amount: i64,
}

impl Row for CounterRecord<'_> {
    type Named = CounterRecord<'static>;
    const INTO: &'static str = "ledger_counters (account, grp, count, amount)";
    const CLASH: Clash = Clash::Changes(
        " ON CONFLICT (account, grp) DO UPDATE SET \
         count = ledger_counters.count + excluded.count, \
         amount = ledger_counters.amount + excluded.amount",
    );

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<Text, _>(self.account)?;
        values.put::<Text, _>(self.grp)?;
        values.put::<BigInt, _>(&self.count)?;
        values.put::<BigInt, _>(&self.amount)
    }
}

struct RestatementRecord<'a> {
    seq: i64,
    account: &'static str,
    grp: &'a str,
    since: At,
    count: i64,
    amount: i64,
    fact_count: i64,
    recorded_at: At,
    until: At,
    gained_count: i64,
    gained_amount: i64,
}

impl Row for RestatementRecord<'_> {
    type Named = RestatementRecord<'static>;
    const INTO: &'static str = "restatements (seq, account, grp, since, count, amount, fact_count, \
                                recorded_at, until, gained_count, gained_amount)";
    const CLASH: Clash = Clash::Fails;

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<BigInt, _>(&self.seq)?;
        values.put::<Text, _>(self.account)?;
        values.put::<Text, _>(self.grp)?;
        values.put::<DbTime, _>(&self.since)?;
        values.put::<BigInt, _>(&self.count)?;
        values.put::<BigInt, _>(&self.amount)?;
        values.put::<BigInt, _>(&self.fact_count)?;
        values.put::<DbTime, _>(&self.recorded_at)?;
        values.put::<DbTime, _>(&self.until)?;
        values.put::<BigInt, _>(&self.gained_count)?;
        values.put::<BigInt, _>(&self.gained_amount)
    }
}
