//! What events say happened, kept beside them: one row for each event that is understood.
//!
//! Events of before that was so are understood once, by the migration that calls [`understand_stored`].

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;

use rr_domain::{Meaning, Timestamp};
use rr_webhooks::understand;

use super::NewEvent;
use crate::conn::{Conn, on_each};
use crate::schema::{events, meanings};
use crate::types::{At, Id, JsonText, raw_json};

/// Keeps what these events say, numbered from `first`. Those that say nothing cost nothing.
pub(super) fn insert(conn: &mut Conn, first: i64, fresh: &[&NewEvent]) -> QueryResult<()> {
    let numbered = (first..).zip(fresh.iter().copied());
    let rows: Vec<MeaningRecord<'_>> = numbered
        .filter_map(|(seq, event)| {
            let NewEvent { id, received_at, occurred_at, meaning, .. } = event;
            MeaningRecord::of(seq, Id(*id), *received_at, *occurred_at, meaning).transpose()
        })
        .collect::<QueryResult<_>>()?;
    insert_rows(conn, &rows)
}

fn insert_rows(conn: &mut Conn, rows: &[MeaningRecord<'_>]) -> QueryResult<()> {
    match conn {
        Conn::Pg(c) => {
            for rows in rows.chunks(MEANINGS_AT_ONCE) {
                diesel::insert_into(meanings::table).values(rows).execute(c)?;
            }
        }
        // As with the events themselves: a statement of one row stays compiled.
        Conn::Lite(c) => {
            for row in rows {
                diesel::insert_into(meanings::table).values(row).execute(c)?;
            }
        }
    }
    Ok(())
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
                Ok((seq, id, received.0, occurred.map(|at| at.0), meaning))
            });
        let read = read.collect::<QueryResult<Vec<_>>>()?;
        let rows: Vec<MeaningRecord<'_>> = read
            .iter()
            .filter_map(|(seq, id, received, occurred, meaning)| {
                MeaningRecord::of(*seq, *id, *received, *occurred, meaning).transpose()
            })
            .collect::<QueryResult<_>>()?;
        insert_rows(conn, &rows)?;
    }
}

/// How many stored events are in memory at once.
const PAGE: i64 = 500;

/// Each row binds eleven values, and PostgreSQL takes 65,535 a statement.
const MEANINGS_AT_ONCE: usize = 5_900;

#[derive(Insertable)]
#[diesel(table_name = meanings, treat_none_as_default_value = false)]
struct MeaningRecord<'a> {
    event_seq: i64,
    event_id: Id,
    kind: &'static str,
    subject: Option<&'a str>,
    service: Option<&'a str>,
    environment: Option<&'a str>,
    state: Option<&'static str>,
    began_at: At,
    at: At,
    received_at: At,
    body: JsonText,
}

impl<'a> MeaningRecord<'a> {
    fn of(
        seq: i64,
        event: Id,
        received_at: Timestamp,
        occurred_at: Option<Timestamp>,
        meaning: &'a Meaning,
    ) -> QueryResult<Option<MeaningRecord<'a>>> {
        let Some(kind) = meaning.kind() else { return Ok(None) };
        let body = serde_json::to_string(meaning)
            .map_err(|error| Error::SerializationError(error.into()))?;
        let times = || meaning.times().chain(occurred_at);
        Ok(Some(MeaningRecord {
            event_seq: seq,
            event_id: event,
            kind,
            subject: meaning.subject(),
            service: meaning.service(),
            environment: meaning.environment(),
            state: meaning.state(),
            began_at: At(times().min().unwrap_or(received_at)),
            at: At(times().max().unwrap_or(received_at)),
            received_at: At(received_at),
            body: JsonText(body),
        }))
    }
}
