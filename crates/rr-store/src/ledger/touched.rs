//! The facts that a posting has to look at.

use std::collections::{BTreeSet, HashMap};

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_domain::{Fact, FactKind, Timestamp};
use rr_sync::ledger::{Subject, customer_of};
use uuid::Uuid;

use crate::conn::{Conn, on_each};
use crate::facts::Recorded;
use crate::schema::facts;
use crate::types::{At, Id, JsonText};

diesel::alias!(facts as newer: Newer);

/// New facts, and everything known about those that they are about; each in the order of recording.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) known: Vec<Fact>,
    pub(super) new: Vec<Fact>,
    /// When each new fact was recorded.
    pub(super) recorded: HashMap<Uuid, Timestamp>,
}

pub(super) type Row = (i64, Id, At, At, JsonText);

pub(super) const COLUMNS: (
    facts::seq,
    facts::id,
    facts::occurred_at,
    facts::recorded_at,
    facts::body,
) = (facts::seq, facts::id, facts::occurred_at, facts::recorded_at, facts::body);

/// How many subjects are looked up at a time: few enough that reading the whole table is never thought
/// to be quicker.
pub(super) const LOOKED_UP: usize = 1_000;

/// Loads the facts with numbers above `after` and up to `last`, and the earlier ones about the same
/// subjects; for a subscription, about every subscription of the customers it was started for.
pub(super) fn load(conn: &mut Conn, after: i64, last: i64) -> QueryResult<Touched> {
    let rows: Vec<Row> = on_each!(conn, |c| facts::table
        .filter(facts::seq.gt(after))
        .filter(facts::seq.le(last))
        .select(COLUMNS)
        .load(c))?;
    let new = rows.into_iter().map(recorded).collect::<QueryResult<_>>()?;
    with_earlier(conn, after, last, new)
}

/// The same for who has the facts between the two numbers already.
pub(super) fn with_earlier(
    conn: &mut Conn,
    after: i64,
    last: i64,
    new: Vec<Recorded>,
) -> QueryResult<Touched> {
    let rows = earlier_of_same_subjects(conn, after, last, &new)?;
    let mut all = rows.into_iter().map(recorded).collect::<QueryResult<Vec<_>>>()?;
    all.extend(new);
    add_neighbours(conn, &mut all, last)?;
    all.sort_unstable_by_key(|one| one.seq);

    let mut touched = Touched::default();
    for Recorded { seq, recorded_at, fact } in all {
        if seq > after {
            touched.recorded.insert(fact.id, recorded_at);
            touched.new.push(fact);
        } else {
            touched.known.push(fact);
        }
    }
    Ok(touched)
}

/// The facts up to `after` with the same subjects as the new ones, which are those up to `last`.
fn earlier_of_same_subjects(
    conn: &mut Conn,
    after: i64,
    last: i64,
    new: &[Recorded],
) -> QueryResult<Vec<Row>> {
    match conn {
        // For many subjects that a subquery names PostgreSQL reads all facts there are. Named one by
        // one they are looked up (as soon as it has statistics of the table).
        Conn::Pg(c) => {
            let subjects: BTreeSet<Id> =
                new.iter().map(|one| Id(Subject::of(&one.fact.kind).id())).collect();
            let subjects: Vec<Id> = subjects.into_iter().collect();
            let mut rows = Vec::new();
            for part in subjects.chunks(LOOKED_UP) {
                let earlier = facts::table
                    .filter(facts::subject.eq_any(part))
                    .filter(facts::seq.le(after))
                    .select(COLUMNS);
                rows.extend(earlier.load::<Row>(c)?);
            }
            Ok(rows)
        }
        Conn::Lite(c) => {
            let subjects = newer
                .filter(newer.field(facts::seq).gt(after))
                .filter(newer.field(facts::seq).le(last))
                .select(newer.field(facts::subject));
            facts::table
                .filter(facts::subject.eq_any(subjects))
                .filter(facts::seq.le(after))
                .select(COLUMNS)
                .load(c)
        }
    }
}

/// A row as it is selected by [`COLUMNS`].
pub(super) fn recorded((seq, id, occurred_at, recorded_at, body): Row) -> QueryResult<Recorded> {
    let kind: FactKind =
        serde_json::from_str(&body.0).map_err(|error| Error::DeserializationError(error.into()))?;
    let fact = Fact { id: id.0, occurred_at: occurred_at.0, kind };
    Ok(Recorded { seq, recorded_at: recorded_at.0, fact })
}

/// Adds the facts about the other subscriptions of the customers whose subscriptions are there.
fn add_neighbours(conn: &mut Conn, loaded: &mut Vec<Recorded>, last: i64) -> QueryResult<()> {
    let there: BTreeSet<Uuid> = loaded
        .iter()
        .filter_map(|one| match Subject::of(&one.fact.kind) {
            Subject::Subscription(id) => Some(id),
            _ => None,
        })
        .collect();
    let owners: BTreeSet<Uuid> =
        loaded.iter().filter_map(|one| customer_of(&one.fact.kind)).collect();
    let owners: Vec<Id> = owners.into_iter().map(Id).collect();
    let mut neighbours: BTreeSet<Id> = BTreeSet::new();
    for part in owners.chunks(conn.bind_limit() - 1) {
        let found: Vec<Id> = on_each!(conn, |c| facts::table
            .filter(facts::owner.eq_any(part.iter().copied().map(Some)))
            .filter(facts::seq.le(last))
            .select(facts::subject)
            .load(c))?;
        neighbours.extend(found.into_iter().filter(|id| !there.contains(&id.0)));
    }
    let neighbours: Vec<Id> = neighbours.into_iter().collect();
    for part in neighbours.chunks(conn.bind_limit() - 1) {
        let rows: Vec<Row> = on_each!(conn, |c| facts::table
            .filter(facts::subject.eq_any(part))
            .filter(facts::seq.le(last))
            .select(COLUMNS)
            .load(c))?;
        for row in rows {
            let one = recorded(row)?;
            // Ids of different kinds of subjects do not share a meaning, even where they are equal.
            if matches!(Subject::of(&one.fact.kind), Subject::Subscription(_)) {
                loaded.push(one);
            }
        }
    }
    Ok(())
}
