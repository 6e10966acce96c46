//! Reading rows of the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use rr_domain::Timestamp;
use rr_sync::Balances;
use rr_sync::ledger::{Account, Entry, Sum};

use crate::conn::{Conn, on_each};
use crate::schema::ledger_entries;
use crate::types::{At, DbTime, Id};

/// An entry as it is selected by [`ENTRY`].
pub(super) type EntryRow = (Id, String, String, At, i64, i64, Option<At>);

pub(super) const ENTRY: (
    ledger_entries::fact,
    ledger_entries::account,
    ledger_entries::grp,
    ledger_entries::at,
    ledger_entries::count,
    ledger_entries::amount,
    ledger_entries::since,
) = (
    ledger_entries::fact,
    ledger_entries::account,
    ledger_entries::grp,
    ledger_entries::at,
    ledger_entries::count,
    ledger_entries::amount,
    ledger_entries::since,
);

pub(super) fn entry((fact, name, group, at, count, amount, since): EntryRow) -> QueryResult<Entry> {
    let account = account(&name)?;
    let since = since.map(|since| since.0);
    Ok(Entry { at: at.0, account, group, count, amount, since, fact: fact.0 })
}

pub(super) fn account(name: &str) -> QueryResult<Account> {
    let unknown = || Error::DeserializationError(format!("no account is named {name:?}").into());
    Account::parse(name).ok_or_else(unknown)
}

pub(super) fn sum(count: i64, amount: i64) -> Sum {
    Sum { count, amount: amount.into() }
}

/// What a group of an account adds up to.
pub(super) type GroupSum = (String, i64, i64);

pub(super) fn by_group(rows: Vec<GroupSum>) -> BTreeMap<String, Sum> {
    rows.into_iter().map(|(group, count, amount)| (group, sum(count, amount))).collect()
}

/// The first instant there is, and the last.
pub(super) fn all_time() -> (Timestamp, Timestamp) {
    (Timestamp::EPOCH.minus(Duration::MAX), Timestamp::EPOCH.plus(Duration::MAX))
}

/// The entries posted after a number, in the order of posting.
pub(super) fn entries_after(conn: &mut Conn, seq: i64) -> QueryResult<Vec<Entry>> {
    let rows: Vec<EntryRow> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::seq.gt(seq))
        .order((ledger_entries::seq, ledger_entries::n))
        .select(ENTRY)
        .load(c))?;
    rows.into_iter().map(entry).collect()
}

/// The entries of all accounts dated after one instant and until another.
pub(super) fn entries_between(
    conn: &mut Conn,
    after: Timestamp,
    until: Timestamp,
) -> QueryResult<Vec<Entry>> {
    let rows: Vec<EntryRow> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq_any(names()))
        .filter(ledger_entries::at.gt(At(after)))
        .filter(ledger_entries::at.le(At(until)))
        .select(ENTRY)
        .load(c))?;
    rows.into_iter().map(entry).collect()
}

/// What the groups of an account gain and lose after an instant.
pub(super) fn groups_later(
    conn: &mut Conn,
    account: Account,
    after: Timestamp,
) -> QueryResult<Vec<(String, Sum)>> {
    let rows: Vec<(String, i64, i64)> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq(account.as_str()))
        .filter(ledger_entries::at.gt(At(after)))
        .group_by(ledger_entries::grp)
        .select((ledger_entries::grp, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .load(c))?;
    Ok(rows.into_iter().map(|(group, count, amount)| (group, sum(count, amount))).collect())
}

/// What an account's groups add up to in each minute between two instants, both included.
pub(super) fn minutes(
    conn: &mut Conn,
    account: Account,
    from: Timestamp,
    until: Timestamp,
) -> QueryResult<Vec<(Account, Timestamp, Sum)>> {
    let minute = match conn {
        Conn::Pg(_) => "date_trunc('minute', at, 'UTC')",
        Conn::Lite(_) => "at - (at % 60000000 + 60000000) % 60000000",
    };
    let rows: Vec<(At, i64, i64)> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq(account.as_str()))
        .filter(ledger_entries::at.ge(At(from)))
        .filter(ledger_entries::at.le(At(until)))
        .group_by(sql::<DbTime>(minute))
        .select((sql::<DbTime>(minute), sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .load(c))?;
    let minute = |(minute, count, amount): (At, i64, i64)| (account, minute.0, sum(count, amount));
    Ok(rows.into_iter().map(minute).collect())
}

/// The start of the hour that an entry is dated in, as the database makes it: it shares nothing with the
/// hours of a posting.
pub(super) fn hour_of_entry(conn: &Conn) -> &'static str {
    match conn {
        Conn::Pg(_) => "date_trunc('hour', at, 'UTC')",
        Conn::Lite(_) => "at - (at % 3600000000 + 3600000000) % 3600000000",
    }
}

/// What an account adds up to in each hour from one on and before another.
pub(super) fn hours(
    conn: &mut Conn,
    account: Account,
    from: Timestamp,
    before: Timestamp,
) -> QueryResult<Vec<(Account, Timestamp, Sum)>> {
    // By way of the groups, because the hours of each lie together.
    const BY_GROUP: &str = "SELECT h.hour AS hour, CAST(sum(h.count) AS bigint) AS count, \
         CAST(sum(h.amount) AS bigint) AS amount \
         FROM ledger_counters c JOIN ledger_hours h ON h.account = c.account AND h.grp = c.grp \
         WHERE c.account = $1 AND h.hour >= $2 AND h.hour < $3 GROUP BY h.hour";
    let rows: Vec<HourRow> = on_each!(conn, |c| sql_query(BY_GROUP)
        .bind::<Text, _>(account.as_str())
        .bind::<DbTime, _>(At(from))
        .bind::<DbTime, _>(At(before))
        .load(c))?;
    Ok(rows.into_iter().map(|row| (account, row.hour.0, sum(row.count, row.amount))).collect())
}

/// What stands at an instant in every account but the affiliates': the counters, less what is dated
/// later. The hours after it are summed whole; only of its own hour the entries are looked at.
pub(super) fn standing(conn: &mut Conn, at: Timestamp) -> QueryResult<Balances> {
    const LESS_LATER: &str = "SELECT c.account, c.grp, \
         c.count - CAST(coalesce((SELECT sum(h.count) FROM ledger_hours h WHERE \
           h.account = c.account AND h.grp = c.grp AND h.hour >= $1), 0) AS bigint) AS count, \
         c.amount - CAST(coalesce((SELECT sum(h.amount) FROM ledger_hours h WHERE \
           h.account = c.account AND h.grp = c.grp AND h.hour >= $1), 0) AS bigint) AS amount \
         FROM ledger_counters c WHERE c.account <> 'affiliates'";
    let next_hour = at.floor_to_hour().plus(HOUR);
    let rows: Vec<GroupRow> =
        on_each!(conn, |c| sql_query(LESS_LATER).bind::<DbTime, _>(At(next_hour)).load(c))?;
    let mut standing = Balances::default();
    for row in rows {
        standing.add(account(&row.account)?, &row.grp, sum(row.count, row.amount));
    }
    for ((account, group), later) in groups_within(conn, at, next_hour)? {
        standing.add(account, &group, -later);
    }
    Ok(standing)
}

/// What every account but the affiliates' gains and loses after one instant and before another, by
/// its groups.
fn groups_within(
    conn: &mut Conn,
    after: Timestamp,
    before: Timestamp,
) -> QueryResult<Vec<((Account, String), Sum)>> {
    let kept: Vec<&str> = names().filter(|name| *name != Account::Affiliates.as_str()).collect();
    let rows: Vec<(String, String, i64, i64)> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq_any(&kept))
        .filter(ledger_entries::at.gt(At(after)))
        .filter(ledger_entries::at.lt(At(before)))
        .group_by((ledger_entries::account, ledger_entries::grp))
        .select((
            ledger_entries::account,
            ledger_entries::grp,
            sql::<BigInt>(COUNT),
            sql::<BigInt>(AMOUNT),
        ))
        .load(c))?;
    rows.into_iter()
        .map(|(name, group, count, amount)| Ok(((account(&name)?, group), sum(count, amount))))
        .collect()
}

/// The index needs to be told every account to look into.
fn names() -> impl Iterator<Item = &'static str> {
    Account::ALL.into_iter().map(Account::as_str)
}

#[derive(QueryableByName)]
struct HourRow {
    #[diesel(sql_type = DbTime)]
    hour: At,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    amount: i64,
}

#[derive(QueryableByName)]
struct GroupRow {
    #[diesel(sql_type = Text)]
    account: String,
    #[diesel(sql_type = Text)]
    grp: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    amount: i64,
}

const HOUR: Duration = Duration::from_secs(3_600);

/// PostgreSQL sums wider than it was given; what does not fit is an error and never a fraction.
pub(super) const COUNT: &str = "CAST(coalesce(sum(count), 0) AS bigint)";
pub(super) const AMOUNT: &str = "CAST(coalesce(sum(amount), 0) AS bigint)";
