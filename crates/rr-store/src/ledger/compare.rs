//! What the ledger says beside what it should say.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use rr_domain::Timestamp;
use rr_sync::course::{Change, Place};
use rr_sync::ledger::{Account, Entry, Sum};
use rr_sync::{Balances, Figures};
use serde_json::value::{RawValue, to_raw_value};

use super::read::{self, AMOUNT, COUNT, GroupSum};
use crate::conn::{Conn, on_each};
use crate::schema::{ledger_counters, ledger_entries, ledger_hours};
use crate::types::{At, DbTime};

/// Something that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was compared: a figure, or the entries, hours or counter of an account.
    pub figure: String,
    /// Which group of it, if it has groups.
    pub group: Option<String>,
    /// What the recomputation says.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// What was compared, and what differs.
#[derive(Debug)]
pub(super) struct Comparison {
    compared: usize,
    faults: Vec<Fault>,
    /// The groups whose entries differ, each with the first instant at which they do, and at how many.
    differ: BTreeMap<(&'static str, String), (Timestamp, [Sum; 2], usize)>,
    /// Until when the next is added up.
    as_of: Timestamp,
    /// What the facts make stand then.
    standing: BTreeMap<(&'static str, String), Sum>,
}

/// What entries change, by what they change: an account's group, or [`SINCE`] and one `since` of churn.
#[derive(Debug, Default)]
pub(super) struct Moves(BTreeMap<(Timestamp, &'static str, String), Sum>);

/// Stands for the entries that say since when, which are counted by that too.
const SINCE: &str = "since";

impl Moves {
    /// What the entries up to number `seq` change from one instant on and before another.
    pub(super) fn load(
        conn: &mut Conn,
        from: Timestamp,
        before: Timestamp,
        seq: i64,
    ) -> QueryResult<Moves> {
        let mut moves = Moves::default();
        for account in Account::ALL {
            // An index holds all that is read here.
            let rows: Vec<(At, String, i64, i64)> = on_each!(conn, |c| ledger_entries::table
                .filter(ledger_entries::account.eq(account.as_str()))
                .filter(ledger_entries::at.ge(At(from)))
                .filter(ledger_entries::at.lt(At(before)))
                .filter(ledger_entries::seq.le(seq))
                .select((
                    ledger_entries::at,
                    ledger_entries::grp,
                    ledger_entries::count,
                    ledger_entries::amount
                ))
                .load(c))?;
            for (at, group, count, amount) in rows {
                moves.add(at.0, account.as_str(), group, read::sum(count, amount));
            }
        }
        let churn: Vec<(At, Option<At>, i64)> = on_each!(conn, |c| ledger_entries::table
            .filter(ledger_entries::since.is_not_null())
            .filter(ledger_entries::at.ge(At(from)))
            .filter(ledger_entries::at.lt(At(before)))
            .filter(ledger_entries::seq.le(seq))
            .select((ledger_entries::at, ledger_entries::since, ledger_entries::count))
            .load(c))?;
        for (at, since, count) in churn {
            moves.add_since(at.0, since.map(|since| since.0), count);
        }
        Ok(moves)
    }

    fn of(course: BTreeMap<Place, Change>) -> Moves {
        let mut moves = Moves::default();
        for (Place { at, account, group, since }, Change { count, amount }) in course {
            moves.add_since(at, since, count);
            moves.add(at, account, group, Sum { count, amount });
        }
        moves
    }

    /// What one entry changes.
    pub(super) fn add_entry(&mut self, entry: Entry) {
        self.add_since(entry.at, entry.since, entry.count);
        self.add(entry.at, entry.account.as_str(), entry.group.clone(), entry.sum());
    }

    fn add(&mut self, at: Timestamp, account: &'static str, group: String, sum: Sum) {
        *self.0.entry((at, account, group)).or_default() += sum;
    }

    fn add_since(&mut self, at: Timestamp, since: Option<Timestamp>, count: i64) {
        if let Some(since) = since {
            self.add(at, SINCE, since.to_string(), Sum { count, amount: 0 });
        }
    }
}

impl Comparison {
    /// Nothing yet.
    pub(super) fn new(as_of: Timestamp) -> Comparison {
        Comparison {
            compared: 0,
            faults: Vec::new(),
            differ: BTreeMap::new(),
            as_of,
            standing: BTreeMap::new(),
        }
    }

    /// How many groups of each account have entries that differ.
    pub(super) fn wrong(&self) -> BTreeMap<&'static str, usize> {
        let mut wrong = BTreeMap::new();
        for (account, _) in self.differ.keys() {
            // Of all entries only those of churn are to say since when.
            let of = if *account == SINCE { Account::Movements.as_str() } else { account };
            *wrong.entry(of).or_default() += 1;
        }
        wrong
    }

    /// How many values were compared, and those that differ.
    pub(super) fn into_parts(mut self) -> (usize, Vec<Fault>) {
        for ((account, group), (at, [expected, found], count)) in std::mem::take(&mut self.differ) {
            let figure = match count {
                1 => format!("entries of {account} at {at}"),
                _ => format!("entries of {account} at {at} and {} other instants", count - 1),
            };
            self.fault(figure, &group, expected, found);
        }
        (self.compared, self.faults)
    }

    /// What happens at each instant: by the facts, and by the entries. Of a group that differs often the first
    /// time is named.
    pub(super) fn moves(&mut self, course: BTreeMap<Place, Change>, found: Moves) {
        let expected = Moves::of(course);
        for ((at, account, group), sum) in &expected.0 {
            let is_counted = ![SINCE, Account::Affiliates.as_str()].contains(account);
            if is_counted && *at <= self.as_of {
                *self.standing.entry((*account, group.clone())).or_default() += *sum;
            }
        }
        for ((at, account, group), sums) in side_by_side([expected.0, found.0]) {
            self.compared += 1;
            if sums[0] != sums[1] {
                let name = if account == SINCE { String::new() } else { group };
                self.differ.entry((account, name)).or_insert((at, sums, 0)).2 += 1;
            }
        }
    }

    /// What stands in memory, of which the figures are made that no endpoint of its own shows.
    pub(super) fn balances(&mut self, found: &Balances) {
        let found = found.iter().map(|(account, group, sum)| {
            let place = (account.as_str(), group.to_owned());
            (place, sum)
        });
        let expected = std::mem::take(&mut self.standing);
        for ((account, group), [expected, found]) in side_by_side([expected, found.collect()]) {
            self.sum(format!("balance of {account}"), &group, expected, found);
        }
    }

    /// The figures that are shown.
    pub(super) fn figures(
        &mut self,
        expected: &Figures,
        found: &Figures,
    ) -> serde_json::Result<()> {
        let leaves = side_by_side([leaves_of(expected)?, leaves_of(found)?]);
        for (path, [expected, found]) in leaves {
            self.compared += 1;
            if expected != found {
                let (figure, group) = match path.split('.').collect::<Vec<_>>()[..] {
                    [part, figure, ref group @ ..] if !group.is_empty() => {
                        (format!("{part}.{figure}"), Some(group.join(".")))
                    }
                    _ => (path.clone(), None),
                };
                self.faults.push(Fault { figure, group, expected, found });
            }
        }
        Ok(())
    }

    /// Hours and counters with the entries that they are the sums of.
    pub(super) fn sums(&mut self, account: Account, Sums { hours, counters }: Sums) {
        let mut differ: BTreeMap<String, (Timestamp, [Sum; 2])> = BTreeMap::new();
        for ((group, hour), sums) in hours {
            self.compared += 1;
            if sums[0] != sums[1] {
                differ.entry(group).or_insert((hour.0, sums));
            }
        }
        for (group, (hour, [expected, found])) in differ {
            self.fault(format!("hours of {account} at {hour}"), &group, expected, found);
        }
        for (group, [expected, found]) in counters {
            self.sum(format!("counter of {account}"), &group, expected, found);
        }
    }

    /// One sum.
    pub(super) fn sum(&mut self, figure: String, group: &str, expected: Sum, found: Sum) {
        self.compared += 1;
        if expected != found {
            self.fault(figure, group, expected, found);
        }
    }

    fn fault(&mut self, figure: String, group: &str, expected: Sum, found: Sum) {
        let show = |sum: Sum| format!("count {}, amount {}", sum.count, sum.amount);
        self.faults.push(Fault {
            figure,
            group: Some(group.replace('\t', " ")).filter(|group| !group.is_empty()),
            expected: show(expected),
            found: show(found),
        });
    }
}

/// What stands in both under each name; what one of them lacks is nothing.
pub(super) fn side_by_side<K: Ord, V: Default>(parts: [BTreeMap<K, V>; 2]) -> BTreeMap<K, [V; 2]> {
    let mut both: BTreeMap<K, [V; 2]> = BTreeMap::new();
    for (index, part) in parts.into_iter().enumerate() {
        for (name, value) in part {
            both.entry(name).or_default()[index] = value;
        }
    }
    both
}

/// The leaves of the documents that are answered, each as the text of its value: an amount that was read as
/// a number could be its neighbour.
fn leaves_of(figures: &Figures) -> serde_json::Result<BTreeMap<String, String>> {
    let mut leaves = BTreeMap::new();
    for (name, part) in [
        ("users", to_raw_value(&figures.users)?),
        ("revenue", to_raw_value(&figures.revenue)?),
        ("commissions", to_raw_value(&figures.commissions)?),
        ("dashboard", to_raw_value(&figures.dashboard)?),
    ] {
        add_leaves(name.to_owned(), &part, &mut leaves);
    }
    Ok(leaves)
}

fn add_leaves(path: String, part: &RawValue, leaves: &mut BTreeMap<String, String>) {
    match serde_json::from_str::<BTreeMap<String, &RawValue>>(part.get()) {
        Ok(members) => {
            for (name, member) in members {
                add_leaves(format!("{path}.{name}"), member, leaves);
            }
        }
        // It is no object.
        Err(_) => drop(leaves.insert(path, part.get().to_owned())),
    }
}

/// Two ways to the same sums each: of the entries, and as they are kept.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) hours: BTreeMap<(String, At), [Sum; 2]>,
    pub(super) counters: BTreeMap<String, [Sum; 2]>,
}

/// The sums of every group of an account.
pub(super) fn sums(conn: &mut Conn, account: Account) -> QueryResult<Sums> {
    let counters = counters(conn, account)?;
    if account == Account::Affiliates {
        let entries: Vec<GroupSum> = on_each!(conn, |c| ledger_entries::table
            .filter(ledger_entries::account.eq(account.as_str()))
            .group_by(ledger_entries::grp)
            .select((ledger_entries::grp, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
            .load(c))?;
        let counters = side_by_side([read::by_group(entries), counters]);
        return Ok(Sums { hours: BTreeMap::new(), counters });
    }
    let (first, last) = read::all_time();
    let hours = hours(conn, account, first, last)?;
    let mut entries: BTreeMap<String, Sum> = BTreeMap::new();
    for ((group, _), [sum, _]) in &hours {
        *entries.entry(group.clone()).or_default() += *sum;
    }
    Ok(Sums { hours, counters: side_by_side([entries, counters]) })
}

/// The counters of an account.
pub(super) fn counters(conn: &mut Conn, account: Account) -> QueryResult<BTreeMap<String, Sum>> {
    let rows: Vec<GroupSum> = on_each!(conn, |c| ledger_counters::table
        .filter(ledger_counters::account.eq(account.as_str()))
        .select((ledger_counters::grp, ledger_counters::count, ledger_counters::amount))
        .load(c))?;
    Ok(read::by_group(rows))
}

/// What an account's groups add up to in each hour between two instants, both included: by the entries, and
/// as it is kept.
pub(super) fn hours(
    conn: &mut Conn,
    account: Account,
    from: Timestamp,
    until: Timestamp,
) -> QueryResult<BTreeMap<(String, At), [Sum; 2]>> {
    let hour = read::hour_of_entry(conn);
    let places = format!("grp, {hour}");
    let entries: Vec<HourRow> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq(account.as_str()))
        .filter(ledger_entries::at.ge(At(from)))
        .filter(ledger_entries::at.le(At(until)))
        .group_by(sql::<DbTime>(&places))
        .select((
            sql::<Text>("grp"),
            sql::<DbTime>(hour),
            sql::<BigInt>(COUNT),
            sql::<BigInt>(AMOUNT),
        ))
        .load(c))?;
    let kept: Vec<HourRow> = on_each!(conn, |c| ledger_hours::table
        .filter(ledger_hours::account.eq(account.as_str()))
        .filter(ledger_hours::hour.ge(At(from)))
        .filter(ledger_hours::hour.le(At(until)))
        .select((ledger_hours::grp, ledger_hours::hour, ledger_hours::count, ledger_hours::amount))
        .load(c))?;
    Ok(side_by_side([by_place(entries), by_place(kept)]))
}

type HourRow = (String, At, i64, i64);

fn by_place(rows: Vec<HourRow>) -> BTreeMap<(String, At), Sum> {
    rows.into_iter().map(|(group, hour, n, sum)| ((group, hour), read::sum(n, sum))).collect()
}
