//! Events as rows, and what inserts them: on SQLite one statement for each table, on PostgreSQL one for
//! all of a batch, because every statement is a round trip and every round trip wakes two processes.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::NewEvent;
use super::meanings::{MeaningColumns, MeaningRow};
use crate::conn::{Clash, Conn, PgConn, Row, Values, insert_lite, push_column};
use crate::sequence::Sequence;
use crate::types::{At, DbJson, DbTime, DbUuid, Id};

/// An event that is to be stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh<'a> {
    pub(super) event: &'a NewEvent,
    /// What it says happened, written out; none where it says nothing.
    pub(super) told: Option<&'a str>,
    /// The body to keep.
    pub(super) body: &'a [u8],
}

/// Numbers events and stores them.
pub(super) fn insert(conn: &mut Conn, fresh: &[Fresh<'_>]) -> QueryResult<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let first = match conn {
        // This statement takes the numbers as well, and adds them to what is here.
        Conn::Pg(_) => 1,
        Conn::Lite(_) => Sequence::Events.take(conn, fresh.len())?,
    };
    let numbered = || (first..).zip(fresh);
    let events: Vec<_> = numbered().map(|(seq, fresh)| EventRow::of(seq, fresh)).collect();
    let meanings: Vec<_> =
        numbered().filter_map(|(seq, fresh)| MeaningRow::of(seq, fresh)).collect();
    match conn {
        Conn::Pg(c) => AtOnce::of(&events, &meanings).get_result::<i64>(c).map(drop),
        Conn::Lite(c) => {
            insert_lite(c, &events)?;
            let bodies: Vec<_> = events.iter().map(BodyRow).collect();
            insert_lite(c, &bodies)?;
            insert_lite(c, &meanings).map(drop)
        }
    }
}

struct EventRow<'a> {
    seq: i64,
    id: Id,
    key_id: Option<Id>,
    occurred_at: Option<At>,
    received_at: At,
    webhook_source: Option<Id>,
    event: &'a NewEvent,
    body: &'a [u8],
}

impl<'a> EventRow<'a> {
    fn of(seq: i64, &Fresh { event, body, .. }: &Fresh<'a>) -> EventRow<'a> {
        EventRow {
            seq,
            id: Id(event.id),
            key_id: event.key_id.map(Id),
            occurred_at: event.occurred_at.map(At),
            received_at: At(event.received_at),
            webhook_source: event.webhook_source.map(Id),
            event,
            body,
        }
    }
}

impl Row for EventRow<'_> {
    type Named = EventRow<'static>;
    const INTO: &'static str = "events (seq, id, key_id, event_type, source, \
        occurred_at, received_at, data, webhook_source)";
    const CLASH: Clash = Clash::Fails;

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<BigInt, _>(&self.seq)?;
        values.put::<DbUuid, _>(&self.id)?;
        values.put::<Nullable<DbUuid>, _>(&self.key_id)?;
        values.put::<Text, _>(&self.event.event_type)?;
        values.put::<Text, _>(&self.event.source)?;
        values.put::<Nullable<DbTime>, _>(&self.occurred_at)?;
        values.put::<DbTime, _>(&self.received_at)?;
        values.put::<DbJson, str>(self.event.data.get())?;
        values.put::<Nullable<DbUuid>, _>(&self.webhook_source)
    }
}

/// The body of an event.
struct BodyRow<'a>(&'a EventRow<'a>);

impl Row for BodyRow<'_> {
    type Named = BodyRow<'static>;
    const INTO: &'static str = "event_bodies (event_seq, received_at, content_type, body)";
    const CLASH: Clash = Clash::Fails;

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<BigInt, _>(&self.0.seq)?;
        values.put::<DbTime, _>(&self.0.received_at)?;
        values.put::<Text, _>(&self.0.event.content_type)?;
        values.put::<Binary, _>(self.0.body)
    }
}

/// All of a batch: its numbers, its events with their bodies, and what they say. Gives the number
/// before the first, or nothing where numbers have no row, so that nothing is stored unseen.
struct AtOnce<'a> {
    count: i64,
    numbers: Vec<i64>,
    ids: Vec<Id>,
    key_ids: Vec<Option<Id>>,
    types: Vec<&'a str>,
    sources: Vec<&'a str>,
    occurred: Vec<Option<At>>,
    received: Vec<At>,
    data: Vec<&'a str>,
    webhook_sources: Vec<Option<Id>>,
    content_types: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
    meanings: MeaningColumns<'a>,
}

impl<'a> AtOnce<'a> {
    fn of(rows: &'a [EventRow<'a>], meanings: &'a [MeaningRow<'a>]) -> AtOnce<'a> {
        AtOnce {
            count: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            numbers: rows.iter().map(|row| row.seq).collect(),
            ids: rows.iter().map(|row| row.id).collect(),
            key_ids: rows.iter().map(|row| row.key_id).collect(),
            types: rows.iter().map(|row| &*row.event.event_type).collect(),
            sources: rows.iter().map(|row| &*row.event.source).collect(),
            occurred: rows.iter().map(|row| row.occurred_at).collect(),
            received: rows.iter().map(|row| row.received_at).collect(),
            data: rows.iter().map(|row| row.event.data.get()).collect(),
            webhook_sources: rows.iter().map(|row| row.webhook_source).collect(),
            content_types: rows.iter().map(|row| &*row.event.content_type).collect(),
            bodies: rows.iter().map(|row| row.body).collect(),
            meanings: MeaningColumns::of(meanings),
        }
    }
}

impl QueryFragment<Pg> for AtOnce<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH taken AS (UPDATE sequences SET value = value + ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(" WHERE name = '");
        out.push_sql(Sequence::Events.name());
        out.push_sql("' RETURNING value - ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(
            " AS before), events_of_these AS (INSERT INTO events (seq, id, key_id, event_type, \
             source, occurred_at, received_at, data, webhook_source) SELECT before",
        );
        push_column::<BigInt, _>(&mut out, " + ", &self.numbers)?;
        push_column::<DbUuid, _>(&mut out, ", ", &self.ids)?;
        push_column::<Nullable<DbUuid>, _>(&mut out, ", ", &self.key_ids)?;
        push_column::<Text, _>(&mut out, ", ", &self.types)?;
        push_column::<Text, _>(&mut out, ", ", &self.sources)?;
        push_column::<Nullable<DbTime>, _>(&mut out, ", ", &self.occurred)?;
        push_column::<DbTime, _>(&mut out, ", ", &self.received)?;
        push_column::<DbJson, _>(&mut out, ", ", &self.data)?;
        push_column::<Nullable<DbUuid>, _>(&mut out, ", ", &self.webhook_sources)?;
        out.push_sql(
            " FROM taken), bodies_of_these AS (INSERT INTO event_bodies (event_seq, received_at, \
             content_type, body) SELECT before",
        );
        push_column::<BigInt, _>(&mut out, " + ", &self.numbers)?;
        push_column::<DbTime, _>(&mut out, ", ", &self.received)?;
        push_column::<Text, _>(&mut out, ", ", &self.content_types)?;
        push_column::<Binary, _>(&mut out, ", ", &self.bodies)?;
        out.push_sql(" FROM taken), meanings_of_these AS (");
        self.meanings.push(&mut out)?;
        out.push_sql(" FROM taken) SELECT before FROM taken");
        Ok(())
    }
}

impl QueryId for AtOnce<'_> {
    type QueryId = AtOnce<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for AtOnce<'_> {
    type SqlType = BigInt;
}

impl RunQueryDsl<PgConn> for AtOnce<'_> {}
