//! What events say happened, kept beside them: one row for each event that is understood.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;

use super::NewEvent;
use crate::conn::Conn;
use crate::schema::meanings;
use crate::types::{At, Id, JsonText};

/// Keeps what these events say, numbered from `first`. Those that say nothing cost nothing.
pub(super) fn insert(conn: &mut Conn, first: i64, fresh: &[&NewEvent]) -> QueryResult<()> {
    let numbered = (first..).zip(fresh.iter().copied());
    let rows: Vec<MeaningRecord<'_>> = numbered
        .filter_map(|(seq, event)| MeaningRecord::of(seq, event).transpose())
        .collect::<QueryResult<_>>()?;
    match conn {
        Conn::Pg(c) => {
            for rows in rows.chunks(MEANINGS_AT_ONCE) {
                diesel::insert_into(meanings::table).values(rows).execute(c)?;
            }
        }
        // As with the events themselves: a statement of one row stays compiled.
        Conn::Lite(c) => {
            for row in &rows {
                diesel::insert_into(meanings::table).values(row).execute(c)?;
            }
        }
    }
    Ok(())
}

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
    fn of(seq: i64, event: &'a NewEvent) -> QueryResult<Option<MeaningRecord<'a>>> {
        let meaning = &event.meaning;
        let Some(kind) = meaning.kind() else { return Ok(None) };
        let body = serde_json::to_string(meaning)
            .map_err(|error| Error::SerializationError(error.into()))?;
        let times = || meaning.times().chain(event.occurred_at);
        Ok(Some(MeaningRecord {
            event_seq: seq,
            event_id: Id(event.id),
            kind,
            subject: meaning.subject(),
            service: meaning.service(),
            environment: meaning.environment(),
            state: meaning.state(),
            began_at: At(times().min().unwrap_or(event.received_at)),
            at: At(times().max().unwrap_or(event.received_at)),
            received_at: At(event.received_at),
            body: JsonText(body),
        }))
    }
}
