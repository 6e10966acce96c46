//! The running check: the ledger compared with the facts, a slice of both at a time.
//!
//! What an instant changes follows from the whole history before it, so no stretch of time can be recomputed by
//! itself. A subject can: a slice is some facts and some entries in the order they were recorded in, and what is
//! compared are the whole histories of those they are about. That costs as much with many users as with few. The
//! facts of a slice find entries that are missing or wrong, its entries those that no fact asks for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::{Fact, Timestamp};
use rr_sync::course::{Change, Course, Place};
use rr_sync::ledger::{Account, customer_of};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::compare::{Comparison, Fault, Moves};
use super::read;
use super::touched::{COLUMNS, LOOKED_UP, Row, recorded};
use crate::conn::{Conn, on_each};
use crate::schema::{facts, ledger_entries, settings};
use crate::sequence::Sequence;
use crate::types::{At, Id, JsonText};
use crate::{Store, StoreError};

/// How far the running check is, and what it found. It is kept in the database, so that a round goes on where it
/// was when a process ends, and several processes on one database share one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactCheck {
    /// The last fact that this round came to.
    pub fact: i64,
    /// The last entry that it came to: its posting, and its number in that.
    entry: (i64, i64),
    /// Of the ledger that was made anew so often; places in another one say nothing of this one.
    rebuilds: i64,
    /// When a round through all facts and entries last ended.
    pub round_ended_at: Option<Timestamp>,
    /// How many groups of each account were found wrong in this round, and in the one before.
    wrong: [BTreeMap<String, usize>; 2],
}

impl FactCheck {
    /// How many groups of an account were not what the facts say: in the round that goes on, or in the one before
    /// if there were more.
    pub fn faults(&self, account: Account) -> usize {
        let of = |round: &BTreeMap<String, usize>| round.get(account.as_str()).copied();
        self.wrong.iter().filter_map(of).max().unwrap_or(0)
    }

    /// Takes what a slice found.
    fn note(&mut self, wrong: BTreeMap<&'static str, usize>) {
        for (account, count) in wrong {
            *self.wrong[0].entry(account.to_owned()).or_default() += count;
        }
    }

    /// From the start again.
    fn next_round(&mut self, now: Timestamp) {
        let wrong = [BTreeMap::new(), std::mem::take(&mut self.wrong[0])];
        let rebuilds = self.rebuilds;
        *self = FactCheck { rebuilds, round_ended_at: Some(now), wrong, ..FactCheck::default() };
    }
}

/// Its row among the settings.
const NAME: &str = "ledger_check";

impl Store {
    /// Recomputes the histories of those whom the next facts are about, and the next entries, `limit` of each and
    /// twice as many, by the plain computation that shares no code with the ledger; and compares with all entries
    /// of these histories. After the last of both a round ends and the next begins.
    pub async fn check_facts(&self, limit: u32, now: Timestamp) -> Result<Vec<Fault>, StoreError> {
        let read = self.read_long(move |conn| conn.snapshot(|conn| check(conn, limit, now)));
        let (check, faults) = read.await?;
        self.note_fact_check(check.clone());
        self.write(move |conn| save(conn, &check, now)).await?;
        Ok(faults)
    }
}

fn check(conn: &mut Conn, limit: u32, now: Timestamp) -> QueryResult<(FactCheck, Vec<Fault>)> {
    let (last, rebuilds) = (Sequence::Ledger.last(conn)?, Sequence::LedgerRebuilds.last(conn)?);
    let mut check = load(conn)?;
    if check.rebuilds != rebuilds {
        // What was found wrong is gone with the ledger it was found in.
        let round_ended_at = check.round_ended_at;
        check = FactCheck { rebuilds, round_ended_at, ..FactCheck::default() };
    }
    let (next_facts, next_entries) = (i64::from(limit), 2 * i64::from(limit));
    let new: Vec<(i64, Id)> = on_each!(conn, |c| facts::table
        .filter(facts::seq.gt(check.fact))
        .filter(facts::seq.le(last))
        .order(facts::seq)
        .limit(next_facts)
        .select((facts::seq, facts::subject))
        .load(c))?;
    let posted = entries(conn, check.entry, next_entries)?;
    let is_last = [(new.len(), next_facts), (posted.len(), next_entries)]
        .into_iter()
        .all(|(found, asked)| i64::try_from(found).is_ok_and(|found| found < asked));
    check.fact = new.last().map_or(check.fact, |one| one.0);
    check.entry = posted.last().map_or(check.entry, |one| (one.seq, one.n));

    let named: BTreeSet<Id> = posted.iter().map(|one| one.fact).collect();
    let mut subjects: BTreeSet<Id> = new.into_iter().map(|one| one.1).collect();
    subjects.extend(subjects_of(conn, &named)?);
    let histories = histories(conn, subjects, last)?;
    let mut comparison = Comparison::new(read::all_time().0);
    let course = course(&histories);
    let found = found(conn, &course, &posted, &histories)?;
    comparison.moves(course, found);
    check.note(comparison.wrong());
    let (_, faults) = comparison.into_parts();
    if is_last {
        check.next_round(now);
    }
    Ok((check, faults))
}

/// An entry of the slice.
#[derive(Queryable)]
struct Posted {
    seq: i64,
    n: i64,
    fact: Id,
    account: String,
    at: At,
}

/// The next entries in the order of their postings.
fn entries(conn: &mut Conn, (seq, n): (i64, i64), limit: i64) -> QueryResult<Vec<Posted>> {
    on_each!(conn, |c| ledger_entries::table
        // The first half lets the key's index start at the right place.
        .filter(ledger_entries::seq.ge(seq))
        .filter(ledger_entries::seq.gt(seq).or(ledger_entries::n.gt(n)))
        .order((ledger_entries::seq, ledger_entries::n))
        .limit(limit)
        .select((
            ledger_entries::seq,
            ledger_entries::n,
            ledger_entries::fact,
            ledger_entries::account,
            ledger_entries::at
        ))
        .load(c))
}

/// Whom facts are about; one that is not there is about nobody.
fn subjects_of(conn: &mut Conn, named: &BTreeSet<Id>) -> QueryResult<Vec<Id>> {
    let mut subjects = Vec::new();
    for part in parts(named) {
        let found: Vec<Id> = on_each!(conn, |c| facts::table
            .filter(facts::id.eq_any(&part))
            .select(facts::subject)
            .load(c))?;
        subjects.extend(found);
    }
    Ok(subjects)
}

/// All facts about these subjects, and about every subscription of every customer that one of them was started
/// for, in the order of time.
fn histories(
    conn: &mut Conn,
    mut subjects: BTreeSet<Id>,
    last: i64,
) -> QueryResult<Vec<(i64, Fact)>> {
    let (mut loaded, mut known, mut customers) = (Vec::new(), subjects.clone(), BTreeSet::new());
    while !subjects.is_empty() {
        let mut owners = BTreeSet::new();
        for part in parts(&subjects) {
            let rows: Vec<Row> = on_each!(conn, |c| facts::table
                .filter(facts::subject.eq_any(&part))
                .filter(facts::seq.le(last))
                .select(COLUMNS)
                .load(c))?;
            for row in rows {
                let one = recorded(row)?;
                owners.extend(customer_of(&one.fact.kind).map(Id));
                loaded.push((one.seq, one.fact));
            }
        }
        owners.retain(|owner| customers.insert(*owner));
        subjects = BTreeSet::new();
        for part in parts(&owners) {
            let theirs: Vec<Id> = on_each!(conn, |c| facts::table
                .filter(facts::owner.eq_any(part.iter().copied().map(Some)))
                .filter(facts::seq.le(last))
                .select(facts::subject)
                .load(c))?;
            subjects.extend(theirs.into_iter().filter(|subject| known.insert(*subject)));
        }
    }
    loaded.sort_unstable_by_key(|(seq, fact)| (fact.occurred_at, *seq));
    Ok(loaded)
}

/// What they change, and when.
fn course(histories: &[(i64, Fact)]) -> BTreeMap<Place, Change> {
    let mut course = Course::new();
    for (_, fact) in histories {
        course.add(fact);
    }
    course.until(read::all_time().1)
}

/// What the entries of these histories change: those dated when something is to change, or when an entry of the
/// slice is. An entry is posted under the number of its fact or a later one, so of many that share an instant not
/// all are looked at.
fn found(
    conn: &mut Conn,
    course: &BTreeMap<Place, Change>,
    posted: &[Posted],
    histories: &[(i64, Fact)],
) -> QueryResult<Moves> {
    let mut instants: BTreeMap<&'static str, BTreeSet<At>> = BTreeMap::new();
    for place in course.keys() {
        instants.entry(place.account).or_default().insert(At(place.at));
    }
    for one in posted {
        instants.entry(read::account(&one.account)?.as_str()).or_default().insert(one.at);
    }
    let seqs = histories.iter().map(|one| one.0).chain(posted.iter().map(|one| one.seq));
    let first = seqs.min().unwrap_or(0);
    let facts = histories.iter().map(|one| one.1.id).chain(posted.iter().map(|one| one.fact.0));
    let facts: HashSet<_> = facts.collect();
    let mut moves = Moves::default();
    for (account, instants) in instants {
        for part in parts(&instants) {
            let rows: Vec<read::EntryRow> = on_each!(conn, |c| ledger_entries::table
                .filter(ledger_entries::account.eq(account))
                .filter(ledger_entries::at.eq_any(&part))
                .filter(ledger_entries::seq.ge(first))
                .select(read::ENTRY)
                .load(c))?;
            for row in rows.into_iter().filter(|row| facts.contains(&row.0.0)) {
                moves.add_entry(read::entry(row)?);
            }
        }
    }
    Ok(moves)
}

/// As many at a time as are looked up one by one.
fn parts<T: Copy>(all: &BTreeSet<T>) -> Vec<Vec<T>> {
    let all: Vec<T> = all.iter().copied().collect();
    all.chunks(LOOKED_UP).map(<[T]>::to_vec).collect()
}

/// How far it is; from the start where that cannot be told.
fn load(conn: &mut Conn) -> QueryResult<FactCheck> {
    let stored: Option<JsonText> =
        on_each!(conn, |c| settings::table.find(NAME).select(settings::value).first(c).optional())?;
    Ok(stored.and_then(|text| serde_json::from_str(&text.0).ok()).unwrap_or_default())
}

fn save(conn: &mut Conn, check: &FactCheck, now: Timestamp) -> QueryResult<()> {
    let value = || JsonText(json!(check).to_string());
    on_each!(conn, |c| diesel::insert_into(settings::table)
        .values((
            settings::name.eq(NAME),
            settings::value.eq(value()),
            settings::updated_at.eq(At(now))
        ))
        .on_conflict(settings::name)
        .do_update()
        .set((settings::value.eq(value()), settings::updated_at.eq(At(now))))
        .execute(c))
    .map(drop)
}
