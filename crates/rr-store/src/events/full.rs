//! Events with everything that is kept of them, for copies that are to stand by themselves.

use std::collections::HashMap;

use diesel::QueryResult;
use diesel::prelude::*;
use serde_json::value::RawValue;

use super::{EventBody, EventRow};
use crate::conn::{Conn, on_each};
use crate::schema::{event_bodies, meanings};
use crate::types::{At, JsonText, raw_json};

/// A stored event, its body and what it said.
#[derive(Debug, Clone)]
pub struct FullEvent {
    /// The event.
    pub row: EventRow,
    /// Its body; none, where it went with its month and the event goes next.
    pub body: Option<EventBody>,
    /// What it says happened, if that was understood.
    pub meaning: Option<Box<RawValue>>,
}

impl FullEvent {
    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        let body = self.body.as_ref().map_or(0, |body| body.body.len());
        let meaning = self.meaning.as_ref().map_or(0, |meaning| meaning.get().len());
        self.row.data.get().len() + body + meaning
    }
}

/// Finds what belongs to rows, which stand in the order of their arrival.
pub(super) fn complete(conn: &mut Conn, rows: Vec<EventRow>) -> QueryResult<Vec<FullEvent>> {
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let times = || rows.iter().map(|row| row.received_at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Ok(Vec::new()) };
    // The times say in which months to look.
    let found: Vec<(i64, String, Vec<u8>)> = on_each!(conn, |c| event_bodies::table
        .filter(event_bodies::event_seq.eq_any(&seqs))
        .filter(event_bodies::received_at.between(At(first), At(last)))
        .select((event_bodies::event_seq, event_bodies::content_type, event_bodies::body))
        .load(c))?;
    let body = |(seq, content_type, body)| (seq, EventBody { content_type, body });
    let mut bodies: HashMap<i64, EventBody> = found.into_iter().map(body).collect();
    let found: Vec<(i64, JsonText)> = on_each!(conn, |c| meanings::table
        .filter(meanings::event_seq.eq_any(&seqs))
        .select((meanings::event_seq, meanings::body))
        .load(c))?;
    let mut told: HashMap<i64, JsonText> = found.into_iter().collect();
    let full = |row: EventRow| {
        let body = bodies.remove(&row.seq);
        let meaning = told.remove(&row.seq).map(raw_json).transpose()?;
        Ok(FullEvent { row, body, meaning })
    };
    rows.into_iter().map(full).collect()
}
