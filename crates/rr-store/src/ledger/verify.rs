//! Recomputing from the rows, and comparing.

use std::collections::{BTreeMap, BTreeSet};

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rr_domain::Timestamp;
use rr_sync::ledger::{Account, Sum};
use rr_sync::{Figures, Fold};
use serde_json::{Value, json};

use super::catch_up::Progress;
use super::read::{self, AMOUNT, COUNT};
use crate::conn::{Conn, on_each};
use crate::schema::{ledger_counters, ledger_entries, ledger_hours};
use crate::{Store, StoreError};

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

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The version of the ledger that was verified: the number of its last fact.
    pub seq: i64,
    /// How many values were compared.
    pub compared: usize,
    /// Those that differ.
    pub faults: Vec<Fault>,
}

/// A group whose counter is compared with its entries and hours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    account: String,
    name: String,
}

/// What was compared, and what differs.
#[derive(Debug, Default)]
struct Comparison {
    compared: usize,
    faults: Vec<Fault>,
}

impl Store {
    /// Recomputes every figure from all facts by the plain computation, which shares no code with
    /// the ledger, and compares it with what is answered at `now`; then every counter with the
    /// entries and hours it is the sum of. Others can read and write meanwhile.
    pub async fn verify(
        &self,
        now: Timestamp,
        mut tell: impl FnMut(Progress) + Send,
    ) -> Result<Verification, StoreError> {
        self.follow_ledger(now).await?;
        let present = self.present(now).await?;
        let of = u64::try_from(present.seq).unwrap_or(0);
        let mut fold = Fold::new(present.figures.as_of);
        let mut done = 0;
        let mut last = None;
        loop {
            let page = self.facts_in_time(last, present.seq).await?;
            let Some(end) = page.last().map(|(place, _)| *place) else { break };
            last = Some(end);
            for (_, fact) in &page {
                fold.add(fact);
            }
            done += u64::try_from(page.len()).unwrap_or(0);
            tell(Progress { done, of });
        }
        let mut comparison = Comparison::default();
        comparison.figures(&fold.finish(), &present.figures);
        for account in Account::ALL {
            let sums = self.read(move |conn| conn.snapshot(|conn| sums(conn, account))).await?;
            comparison.sums(account, &sums);
        }
        let Comparison { compared, faults } = comparison;
        Ok(Verification { seq: present.seq, compared, faults })
    }

    /// Compares the counter of the group after `last` (the first one after the last) with its
    /// entries and hours; affiliates are left to [`Store::verify`]. `None` when there are no groups.
    pub async fn verify_next(
        &self,
        last: Option<Group>,
    ) -> Result<Option<(Group, Vec<Fault>)>, StoreError> {
        let outcome = self
            .read(move |conn| {
                conn.snapshot(|conn| {
                    let Some(group) = next_group(conn, last.clone())? else { return Ok(None) };
                    let account = read::account(&group.account)?;
                    let sums = sums_of_group(conn, &group)?;
                    Ok(Some((group, account, sums)))
                })
            })
            .await?;
        let Some((group, account, sums)) = outcome else { return Ok(None) };
        let mut comparison = Comparison::default();
        comparison.sums(account, &sums);
        self.count_check(comparison.faults.len());
        Ok(Some((group, comparison.faults)))
    }
}

/// Counter, entries and hours of one group.
type Sums = BTreeMap<String, [Sum; 3]>;

impl Comparison {
    fn figures(&mut self, expected: &Figures, found: &Figures) {
        let parts = |figures: &Figures| {
            json!({
                "users": figures.users,
                "revenue": figures.revenue,
                "commissions": figures.commissions,
                "dashboard": figures.dashboard,
            })
        };
        self.values("", &parts(expected), &parts(found));
    }

    /// Walks both documents; a leaf that is in one of them only differs from nothing.
    fn values(&mut self, path: &str, expected: &Value, found: &Value) {
        if let (Value::Object(left), Value::Object(right)) = (expected, found) {
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let (left, right) = (left.get(name), right.get(name));
                let nothing = Value::Null;
                self.values(&inner, left.unwrap_or(&nothing), right.unwrap_or(&nothing));
            }
            return;
        }
        self.compared += 1;
        if expected != found {
            let (figure, group) = match path.split('.').collect::<Vec<_>>()[..] {
                [part, figure, ref group @ ..] if !group.is_empty() => {
                    (format!("{part}.{figure}"), Some(group.join(".")))
                }
                _ => (path.to_owned(), None),
            };
            let (expected, found) = (expected.to_string(), found.to_string());
            self.faults.push(Fault { figure, group, expected, found });
        }
    }

    fn sums(&mut self, account: Account, sums: &Sums) {
        for (group, [counter, entries, hours]) in sums {
            let mut compare = |what: &str, found: &Sum, expected: &Sum| {
                self.compared += 1;
                if found != expected {
                    let show = |sum: &Sum| format!("count {}, amount {}", sum.count, sum.amount);
                    self.faults.push(Fault {
                        figure: format!("{what} of {account}"),
                        group: Some(group.replace('\t', " ")).filter(|group| !group.is_empty()),
                        expected: show(expected),
                        found: show(found),
                    });
                }
            };
            compare("counter", counter, entries);
            if account != Account::Affiliates {
                compare("hours", hours, entries);
            }
        }
    }
}

type Row = (String, i64, i64);

/// The sums of every group of an account, each made in its own way.
fn sums(conn: &mut Conn, account: Account) -> QueryResult<Sums> {
    let name = account.as_str();
    let counters: Vec<Row> = on_each!(conn, |c| ledger_counters::table
        .filter(ledger_counters::account.eq(name))
        .select((ledger_counters::grp, ledger_counters::count, ledger_counters::amount))
        .load(c))?;
    let entries: Vec<Row> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq(name))
        .group_by(ledger_entries::grp)
        .select((ledger_entries::grp, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .load(c))?;
    let hours: Vec<Row> = on_each!(conn, |c| ledger_hours::table
        .filter(ledger_hours::account.eq(name))
        .group_by(ledger_hours::grp)
        .select((ledger_hours::grp, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .load(c))?;
    Ok(side_by_side([counters, entries, hours]))
}

/// The same of one group alone.
fn sums_of_group(conn: &mut Conn, group: &Group) -> QueryResult<Sums> {
    let (account, name) = (group.account.as_str(), group.name.as_str());
    let counters: Vec<Row> = on_each!(conn, |c| ledger_counters::table
        .filter(ledger_counters::account.eq(account))
        .filter(ledger_counters::grp.eq(name))
        .select((ledger_counters::grp, ledger_counters::count, ledger_counters::amount))
        .load(c))?;
    let entries: Vec<Row> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq(account))
        .filter(ledger_entries::grp.eq(name))
        .group_by(ledger_entries::grp)
        .select((ledger_entries::grp, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .load(c))?;
    let hours: Vec<Row> = on_each!(conn, |c| ledger_hours::table
        .filter(ledger_hours::account.eq(account))
        .filter(ledger_hours::grp.eq(name))
        .group_by(ledger_hours::grp)
        .select((ledger_hours::grp, sql::<BigInt>(COUNT), sql::<BigInt>(AMOUNT)))
        .load(c))?;
    Ok(side_by_side([counters, entries, hours]))
}

fn side_by_side(parts: [Vec<Row>; 3]) -> Sums {
    let mut sums = Sums::new();
    for (index, rows) in parts.into_iter().enumerate() {
        for (group, count, amount) in rows {
            sums.entry(group).or_default()[index] = read::sum(count, amount);
        }
    }
    sums
}

fn next_group(conn: &mut Conn, last: Option<Group>) -> QueryResult<Option<Group>> {
    let (account, name) = last.map_or_else(Default::default, |last| (last.account, last.name));
    let found: Vec<(String, String)> = on_each!(conn, |c| ledger_counters::table
        .filter(ledger_counters::account.ne(Account::Affiliates.as_str()))
        .filter(
            ledger_counters::account
                .gt(&account)
                .or(ledger_counters::account.eq(&account).and(ledger_counters::grp.gt(&name)))
        )
        .order((ledger_counters::account, ledger_counters::grp))
        .select((ledger_counters::account, ledger_counters::grp))
        .limit(1)
        .load(c))?;
    match found.into_iter().next() {
        Some((account, name)) => Ok(Some(Group { account, name })),
        None if account.is_empty() => Ok(None),
        None => next_group(conn, None),
    }
}
