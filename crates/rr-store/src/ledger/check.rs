//! The running check: the ledger compared with itself, a day of it at a time.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rr_domain::Timestamp;
use rr_sync::ledger::{Account, Sum, parts};

use super::compare::{self, Comparison, Fault, Sums, side_by_side};
use super::read::{self, AMOUNT, COUNT, GroupSum};
use crate::conn::{Conn, on_each};
use crate::schema::{ledger_counters, ledger_entries, ledger_hours};
use crate::types::At;
use crate::{Store, StoreError};

const MINUTE: i64 = 60 * 1_000_000;
const TICK: Duration = Duration::from_micros(1);
const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Store {
    /// Compares the hours of the next day with its entries, and what affiliates earned in it with their
    /// commissions: the first day from `last` on that has entries, or else the first of all, with which a round
    /// begins. The counters of one account are compared with its hours beside it, each minute those of another.
    /// Returns what comes after that day; `None` when there are no entries. Who knows of no last one begins
    /// somewhere, so that processes that do not live long look at other days each.
    pub async fn check_ledger(
        &self,
        last: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<(Timestamp, Vec<Fault>)>, StoreError> {
        let checked =
            self.read_long(move |conn| conn.snapshot(|conn| check(conn, last, now))).await?;
        let Some(Checked { begins_round, next, day, account, counters }) = checked else {
            return Ok(None);
        };
        let [(_, mut faults), (_, of_counters)] = [day, counters].map(Comparison::into_parts);
        self.count_check(faults.len(), begins_round);
        self.note_counters(account, of_counters.len());
        faults.extend(of_counters);
        Ok(Some((next, faults)))
    }
}

/// What was compared.
struct Checked {
    begins_round: bool,
    next: Timestamp,
    day: Comparison,
    /// Whose counters they are.
    account: Account,
    counters: Comparison,
}

fn check(conn: &mut Conn, last: Option<Timestamp>, now: Timestamp) -> QueryResult<Option<Checked>> {
    let Some((first, end)) = ends(conn)? else { return Ok(None) };
    let start = last.unwrap_or_else(|| somewhere(first, end, now));
    let (from, begins_round) = match first_from(conn, start)? {
        Some(at) => (at.floor_to_hour(), false),
        None => (first.floor_to_hour(), true),
    };
    let next = from.plus(DAY);
    let (mut of_day, mut of_counters) = (Comparison::new(now), Comparison::new(now));
    day(conn, from, next.minus(TICK), &mut of_day)?;
    let account = turn(now);
    counters(conn, account, &mut of_counters)?;
    Ok(Some(Checked { begins_round, next, day: of_day, account, counters: of_counters }))
}

/// Whose minute it is.
fn turn(now: Timestamp) -> Account {
    let accounts = i64::try_from(Account::ALL.len()).unwrap_or(1);
    let place = usize::try_from((now.micros() / MINUTE).rem_euclid(accounts));
    place.ok().and_then(|place| Account::ALL.get(place).copied()).unwrap_or(Account::Users)
}

/// The hours of a day with its entries.
fn day(
    conn: &mut Conn,
    from: Timestamp,
    until: Timestamp,
    comparison: &mut Comparison,
) -> QueryResult<()> {
    let mut earned = Sum::default();
    for account in kept() {
        let hours = compare::hours(conn, account, from, until)?;
        if account == Account::Commissions {
            let entries = hours.iter().map(|((group, _), [entries, _])| (group.as_str(), *entries));
            earned = of_affiliates(entries);
        }
        comparison.sums(account, Sums { hours, counters: BTreeMap::new() });
    }
    let (count, amount): (i64, i64) = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq(AFFILIATES))
        .filter(ledger_entries::at.ge(At(from)))
        .filter(ledger_entries::at.le(At(until)))
        .select((sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .get_result(c))?;
    let found = read::sum(count, amount);
    comparison.sum(format!("entries of {AFFILIATES} from {from}"), "", earned, found);
    Ok(())
}

/// The counters of an account with its hours; those of affiliates, who have no hours, with those of their commissions.
fn counters(conn: &mut Conn, account: Account, comparison: &mut Comparison) -> QueryResult<()> {
    if account == Account::Affiliates {
        let commissions = compare::counters(conn, Account::Commissions)?;
        let earned = of_affiliates(commissions.iter().map(|(group, sum)| (group.as_str(), *sum)));
        let (count, amount): (i64, i64) = on_each!(conn, |c| ledger_counters::table
            .filter(ledger_counters::account.eq(AFFILIATES))
            .select((sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
            .get_result(c))?;
        let found = read::sum(count, amount);
        comparison.sum(format!("counters of {AFFILIATES}"), "", earned, found);
        return Ok(());
    }
    let hours: Vec<GroupSum> = on_each!(conn, |c| ledger_hours::table
        .filter(ledger_hours::account.eq(account.as_str()))
        .group_by(ledger_hours::grp)
        .select((ledger_hours::grp, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .load(c))?;
    let counters = side_by_side([read::by_group(hours), compare::counters(conn, account)?]);
    comparison.sums(account, Sums { hours: BTreeMap::new(), counters });
    Ok(())
}

const AFFILIATES: &str = Account::Affiliates.as_str();

/// The accounts that have hours.
fn kept() -> impl Iterator<Item = Account> {
    Account::ALL.into_iter().filter(|account| *account != Account::Affiliates)
}

/// What commissions, in whatever state, are to those who earn them: one that was taken back wholly is none.
fn of_affiliates<'a>(commissions: impl Iterator<Item = (&'a str, Sum)>) -> Sum {
    let mut all = Sum::default();
    for (group, sum) in commissions {
        let is_reversed = parts(group).last() == Some("reversed");
        all += Sum { count: if is_reversed { 0 } else { sum.count }, amount: sum.amount };
    }
    all
}

/// The dates of the first and the last entry.
fn ends(conn: &mut Conn) -> QueryResult<Option<(Timestamp, Timestamp)>> {
    let mut last = None;
    for account in Account::ALL {
        let newest: Option<At> = on_each!(conn, |c| ledger_entries::table
            .filter(ledger_entries::account.eq(account.as_str()))
            .order(ledger_entries::at.desc())
            .select(ledger_entries::at)
            .first(c)
            .optional())?;
        last = last.max(newest.map(|at| at.0));
    }
    Ok(first_from(conn, read::all_time().0)?.zip(last))
}

/// The date of the first entry from an instant on.
fn first_from(conn: &mut Conn, from: Timestamp) -> QueryResult<Option<Timestamp>> {
    let mut first: Option<Timestamp> = None;
    for account in Account::ALL {
        let oldest: Option<At> = on_each!(conn, |c| ledger_entries::table
            .filter(ledger_entries::account.eq(account.as_str()))
            .filter(ledger_entries::at.ge(At(from)))
            .order(ledger_entries::at)
            .select(ledger_entries::at)
            .first(c)
            .optional())?;
        first = first.into_iter().chain(oldest.map(|at| at.0)).min();
    }
    Ok(first)
}

/// An instant between the two, another one every time.
fn somewhere(first: Timestamp, last: Timestamp, now: Timestamp) -> Timestamp {
    /// Of the golden ratio: neighbours come to lie far from each other.
    const APART: u64 = 0x9e37_79b9_7f4a_7c15;
    let days = last.since(first).as_secs() / DAY.as_secs() + 1;
    let day = now.micros().unsigned_abs().wrapping_mul(APART) % days;
    first.plus(Duration::from_secs(day * DAY.as_secs()))
}
