//! What events say happened, kept beside them: one row for each event that is understood.
//!
//! Events of before that was so are understood once, by the migration that calls [`understand_stored`].

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};

use rr_domain::{Meaning, Timestamp};
use rr_webhooks::understand;

use super::NewEvent;
use super::rows::Fresh;
use crate::conn::{Clash, Conn, Row, Values, insert, on_each, push_column};
use crate::schema::{events, meanings};
use crate::types::{At, DbJson, DbTime, DbUuid, Id, JsonText, raw_json};

/// Writes out what an event says, if it says anything.
pub(super) fn written(meaning: &Meaning) -> serde_json::Result<Option<String>> {
    meaning.kind().map(|_| serde_json::to_string(meaning)).transpose()
}

/// Understands what is stored and was not when it came, page by page.
pub(crate) fn understand_stored(conn: &mut Conn) -> QueryResult<()> {
    type Stored = (i64, Id, String, String, At, Option<At>, JsonText);
    let mut after = i64::MIN;
    loop {
        let page: Vec<Stored> = on_each!(conn, |c| events::table
            .left_join(meanings::table.on(meanings::event_seq.eq(events::seq)))
            .filter(meanings::event_seq.is_null())
            .filter(events::seq.gt(after))
            .order(events::seq)
            .limit(PAGE)
            .select((
                events::seq,
                events::id,
                events::event_type,
                events::source,
                events::received_at,
                events::occurred_at,
                events::data,
            ))
            .load(c))?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after = *last;
        let read =
            page.into_iter().map(|(seq, id, event_type, source, received, occurred, data)| {
                let meaning = understand(&event_type, &source, &raw_json(data)?);
                let told = written(&meaning).map_err(|e| Error::SerializationError(e.into()))?;
                Ok((seq, id, received.0, occurred.map(|at| at.0), meaning, told))
            });
        let read = read.collect::<QueryResult<Vec<_>>>()?;
        let rows = read.iter().filter_map(|(seq, id, received, occurred, meaning, told)| {
            MeaningRow::new(*seq, *id, *received, *occurred, meaning, told.as_deref())
        });
        insert(conn, &rows.collect::<Vec<_>>())?;
    }
}

/// How many stored events are in memory at once.
const PAGE: i64 = 500;

pub(super) struct MeaningRow<'a> {
    seq: i64,
    event: Id,
    kind: &'static str,
    subject: Option<&'a str>,
    service: Option<&'a str>,
    environment: Option<&'a str>,
    state: Option<&'static str>,
    began: At,
    at: At,
    received: At,
    body: &'a str,
}

impl<'a> MeaningRow<'a> {
    pub(super) fn of(seq: i64, fresh: &Fresh<'a>) -> Option<MeaningRow<'a>> {
        let NewEvent { id, received_at, occurred_at, meaning, .. } = fresh.event;
        MeaningRow::new(seq, Id(*id), *received_at, *occurred_at, meaning, fresh.told)
    }

    fn new(
        seq: i64,
        event: Id,
        received_at: Timestamp,
        occurred_at: Option<Timestamp>,
        meaning: &'a Meaning,
        told: Option<&'a str>,
    ) -> Option<MeaningRow<'a>> {
        let (mut began, mut at) = (None, None);
        for time in meaning.times().chain(occurred_at) {
            began = began.map_or(Some(time), |began: Timestamp| Some(began.min(time)));
            at = at.max(Some(time));
        }
        Some(MeaningRow {
            seq,
            event,
            kind: meaning.kind()?,
            subject: meaning.subject(),
            service: meaning.service(),
            environment: meaning.environment(),
            state: meaning.state(),
            began: At(began.unwrap_or(received_at)),
            at: At(at.unwrap_or(received_at)),
            received: At(received_at),
            body: told?,
        })
    }
}

impl Row for MeaningRow<'_> {
    type Named = MeaningRow<'static>;
    const INTO: &'static str = "meanings (event_seq, event_id, kind, subject, \
        service, environment, state, began_at, at, received_at, body)";
    const CLASH: Clash = Clash::Fails;

    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.put::<BigInt, _>(&self.seq)?;
        values.put::<DbUuid, _>(&self.event)?;
        values.put::<Text, _>(&self.kind)?;
        values.put::<Nullable<Text>, _>(&self.subject)?;
        values.put::<Nullable<Text>, _>(&self.service)?;
        values.put::<Nullable<Text>, _>(&self.environment)?;
        values.put::<Nullable<Text>, _>(&self.state)?;
        values.put::<DbTime, _>(&self.began)?;
        values.put::<DbTime, _>(&self.at)?;
        values.put::<DbTime, _>(&self.received)?;
        values.put::<DbJson, _>(&self.body)
    }
}

/// The same as columns, for PostgreSQL.
pub(super) struct MeaningColumns<'a> {
    seqs: Vec<i64>,
    events: Vec<Id>,
    kinds: Vec<&'static str>,
    subjects: Vec<Option<&'a str>>,
    services: Vec<Option<&'a str>>,
    environments: Vec<Option<&'a str>>,
    states: Vec<Option<&'static str>>,
    began: Vec<At>,
    at: Vec<At>,
    received: Vec<At>,
    bodies: Vec<&'a str>,
}

impl<'a> MeaningColumns<'a> {
    pub(super) fn of(rows: &'a [MeaningRow<'a>]) -> MeaningColumns<'a> {
        MeaningColumns {
            seqs: rows.iter().map(|row| row.seq).collect(),
            events: rows.iter().map(|row| row.event).collect(),
            kinds: rows.iter().map(|row| row.kind).collect(),
            subjects: rows.iter().map(|row| row.subject).collect(),
            services: rows.iter().map(|row| row.service).collect(),
            environments: rows.iter().map(|row| row.environment).collect(),
            states: rows.iter().map(|row| row.state).collect(),
            began: rows.iter().map(|row| row.began).collect(),
            at: rows.iter().map(|row| row.at).collect(),
            received: rows.iter().map(|row| row.received).collect(),
            bodies: rows.iter().map(|row| row.body).collect(),
        }
    }

    /// Writes the statement up to the table of which `before` is a column: what is added to every number.
    pub(super) fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO meanings (event_seq, event_id, kind, subject, service, environment, \
             state, began_at, at, received_at, body) SELECT ",
        );
        push_column::<BigInt, _>(out, "before + ", &self.seqs)?;
        push_column::<DbUuid, _>(out, ", ", &self.events)?;
        push_column::<Text, _>(out, ", ", &self.kinds)?;
        push_column::<Nullable<Text>, _>(out, ", ", &self.subjects)?;
        push_column::<Nullable<Text>, _>(out, ", ", &self.services)?;
        push_column::<Nullable<Text>, _>(out, ", ", &self.environments)?;
        push_column::<Nullable<Text>, _>(out, ", ", &self.states)?;
        push_column::<DbTime, _>(out, ", ", &self.began)?;
        push_column::<DbTime, _>(out, ", ", &self.at)?;
        push_column::<DbTime, _>(out, ", ", &self.received)?;
        push_column::<DbJson, _>(out, ", ", &self.bodies)
    }
}
