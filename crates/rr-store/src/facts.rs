//! The log of facts: append-only, numbered in commit order.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};
use rr_domain::{Fact, FactKind, Timestamp};
use rr_sync::ledger::{Subject, customer_of};
use serde_json::json;

use crate::conn::{Clash, Conn, Row, Values, insert, on_each};
use crate::schema::facts;
use crate::sequence::Sequence;
use crate::types::{At, DbJsonb, DbTime, DbUuid, Id, JsonText};
use crate::{Audit, Store, StoreError};

/// How many facts are in memory at once while all are gone through.
const PAGE: i64 = 10_000;

impl Store {
    /// Appends facts in this order; one whose id is known already is left out. Says how many are new.
    pub async fn append_facts(&self, facts: Vec<Fact>, audit: Audit) -> Result<usize, StoreError> {
        self.write_facts(move |conn| {
            let appended = append(conn, &facts, audit.at)?;
            if appended.new > 0 {
                audit.record(conn, "facts.appended", None, &json!({ "count": appended.new }))?;
            }
            Ok((appended.new, appended))
        })
        .await
    }

    /// The number of the newest fact; it changes whenever a new fact may have changed a figure.
    pub async fn facts_version(&self) -> Result<i64, StoreError> {
        self.read(|conn| Sequence::Facts.last(conn)).await
    }

    /// The next facts after a place, in the order of time, up to number `version`. Pages need no
    /// snapshot to agree with each other: numbers are committed in their order, so the set below
    /// `version` is fixed, and no long transaction keeps SQLite's WAL from being emptied.
    pub(crate) async fn facts_in_time(
        &self,
        last: Option<FactPlace>,
        version: i64,
    ) -> Result<Vec<(FactPlace, Fact)>, StoreError> {
        self.read_long(move |conn| {
            let page: Vec<(i64, Id, At, JsonText)> = on_each!(conn, |c| {
                let mut query = facts::table
                    .select((facts::seq, facts::id, facts::occurred_at, facts::body))
                    .filter(facts::seq.le(version))
                    .into_boxed();
                if let Some((at, seq)) = last {
                    // The first half lets the index start at the right place.
                    query = query
                        .filter(facts::occurred_at.ge(At(at)))
                        .filter(facts::occurred_at.gt(At(at)).or(facts::seq.gt(seq)));
                }
                query.order((facts::occurred_at, facts::seq)).limit(PAGE).load(c)
            })?;
            page.into_iter()
                .map(|(seq, id, at, body)| {
                    let kind: FactKind = serde_json::from_str(&body.0)
                        .map_err(|error| Error::DeserializationError(error.into()))?;
                    Ok(((at.0, seq), Fact { id: id.0, occurred_at: at.0, kind }))
                })
                .collect()
        })
        .await
    }
}

/// Where a fact stands in time: when it happened, and its number among those of that instant.
pub(crate) type FactPlace = (Timestamp, i64);

/// A fact with what the table says about it.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) seq: i64,
    pub(crate) recorded_at: Timestamp,
    pub(crate) fact: Fact,
}

/// What a transaction has appended.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    pub(crate) new: usize,
    /// The new ones, unless some were known already: which, only the table says then.
    pub(crate) facts: Vec<Recorded>,
}

impl Appended {
    /// Takes what was appended after it.
    pub(crate) fn extend(&mut self, later: Appended) {
        self.new += later.new;
        self.facts.extend(later.facts);
    }
}

/// Appends, inside the caller's transaction, what is recorded now.
pub(crate) fn append(
    conn: &mut Conn,
    all: &[Fact],
    recorded_at: Timestamp,
) -> QueryResult<Appended> {
    let all: Vec<(Timestamp, &Fact)> = all.iter().map(|fact| (recorded_at, fact)).collect();
    append_recorded(conn, &all)
}

/// The same for facts that were each recorded at an instant of their own. A number between theirs may
/// stay unused when only some of them are new.
pub(crate) fn append_recorded(
    conn: &mut Conn,
    all: &[(Timestamp, &Fact)],
) -> QueryResult<Appended> {
    if all.is_empty() {
        return Ok(Appended::default());
    }
    let first = Sequence::Facts.take(conn, all.len())?;
    let rows = (first..)
        .zip(all)
        .map(|(seq, (recorded_at, fact))| FactRecord::of(seq, fact, *recorded_at))
        .collect::<QueryResult<Vec<_>>>()?;
    let new = insert(conn, &rows)?;
    if new < rows.len() {
        // The number goes as far as the facts do, so whoever knows them by it has missed nothing.
        let last: Option<i64> =
            on_each!(conn, |c| facts::table.select(diesel::dsl::max(facts::seq)).get_result(c))?;
        Sequence::Facts.set(conn, last.unwrap_or(0).max(first - 1))?;
        return Ok(Appended { new, facts: Vec::new() });
    }
    let recorded = |(seq, (recorded_at, fact)): (i64, &(Timestamp, &Fact))| Recorded {
        seq,
        recorded_at: *recorded_at,
        fact: Fact::clone(fact),
    };
    Ok(Appended { new, facts: (first..).zip(all).map(recorded).collect() })
}

struct FactRecord {
    seq: i64,
    id: Id,
    occurred_at: At,
    recorded_at: At,
    kind: &'static str,
    body: String,
    subject: Id,
    owner: Option<Id>,
}

impl Row for FactRecord {
    type Named = FactRecord;
    const INTO: &'static str =
        "facts (seq, id, occurred_at, recorded_at, kind, body, subject, owner)";
    const CLASH: Clash = Clash::Stays(" ON CONFLICT (id) DO NOTHING");

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<BigInt, _>(&self.seq)?;
        values.put::<DbUuid, _>(&self.id)?;
        values.put::<DbTime, _>(&self.occurred_at)?;
        values.put::<DbTime, _>(&self.recorded_at)?;
        values.put::<Text, _>(self.kind)?;
        values.put::<DbJsonb, _>(self.body.as_str())?;
        values.put::<DbUuid, _>(&self.subject)?;
        values.put::<Nullable<DbUuid>, _>(&self.owner)
    }
}

impl FactRecord {
    fn of(seq: i64, fact: &Fact, recorded_at: Timestamp) -> QueryResult<FactRecord> {
        let body = serde_json::to_string(&fact.kind)
            .map_err(|error| Error::SerializationError(error.into()))?;
        Ok(FactRecord {
            seq,
            id: Id(fact.id),
            occurred_at: At(fact.occurred_at),
            recorded_at: At(recorded_at),
            kind: kind_name(&fact.kind),
            body,
            subject: Id(Subject::of(&fact.kind).id()),
            owner: customer_of(&fact.kind).map(Id),
        })
    }
}

/// The `kind` member of the body, as a column for people at psql.
fn kind_name(kind: &FactKind) -> &'static str {
    match kind {
        FactKind::UserCreated { .. } => "user_created",
        FactKind::UserChanged { .. } => "user_changed",
        FactKind::UserDeleted { .. } => "user_deleted",
        FactKind::SubscriptionStarted { .. } => "subscription_started",
        FactKind::SubscriptionChanged { .. } => "subscription_changed",
        FactKind::SubscriptionSetToCancel { .. } => "subscription_set_to_cancel",
        FactKind::SubscriptionEnded { .. } => "subscription_ended",
        FactKind::PaymentCaptured { .. } => "payment_captured",
        FactKind::PaymentRefunded { .. } => "payment_refunded",
        FactKind::PaymentDisputed { .. } => "payment_disputed",
        FactKind::DisputeWon { .. } => "dispute_won",
        FactKind::CommissionAccrued { .. } => "commission_accrued",
        FactKind::CommissionReversed { .. } => "commission_reversed",
        FactKind::CommissionPaid { .. } => "commission_paid",
        FactKind::CommissionAdjusted { .. } => "commission_adjusted",
    }
}
