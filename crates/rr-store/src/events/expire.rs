//! Removing events that are past their time, the oldest first, in small steps.
//!
//! What an event said (`meanings`) and the ids that tell its repeats stay: a figure of the past must not
//! change because a body went, and a sender that tries again must not be taken for a new one.

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::json;
use uuid::Uuid;

use super::keep::{Limits, PART, Place};
use crate::conn::{Conn, on_each};
use crate::schema::{event_bodies, events, webhook_sources};
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError};

/// How many events go at a time: the writer is soon free for others.
const STEP: usize = 500;

impl Store {
    /// Removes what a source no longer keeps, as of the audit's instant; says how many events. Readers find
    /// them, and the writer only has to remove them. When the source's limits are changed meanwhile it ends
    /// early: the next sweep goes by those.
    pub async fn expire_events(
        &self,
        source: Option<Uuid>,
        audit: Audit,
    ) -> Result<usize, StoreError> {
        let limits = self.read(move |conn| Limits::of(conn, source)).await?;
        let Some(end) = self.end_of_past(source, limits, audit.at).await? else { return Ok(0) };
        let (mut removed, mut after) = (0, None);
        loop {
            let part = self.read(move |conn| oldest(conn, source, after, end)).await?;
            let Some((last, _)) = part.last() else { return Ok(removed) };
            after = Some(*last);
            let own = part.iter().filter(|(_, owner)| *owner == source.map(Id));
            let own: Vec<Place> = own.map(|(place, _)| *place).collect();
            for step in own.chunks(STEP) {
                let (step, audit) = (step.to_vec(), audit.clone());
                let gone =
                    self.write(move |conn| remove(conn, source, limits, &step, &audit)).await?;
                let Some(gone) = gone else { return Ok(removed) };
                removed += gone;
            }
        }
    }

    /// The sources that were removed and still have events.
    pub(crate) async fn removed_sources(&self) -> Result<Vec<Uuid>, StoreError> {
        self.read(|conn| {
            let known: Vec<Id> =
                on_each!(conn, |c| webhook_sources::table.select(webhook_sources::id).load(c))?;
            let mut removed = Vec::new();
            // From one to the next in the index, however many events each has.
            let mut after = Id(Uuid::nil());
            while let Some(next) = next_source(conn, after)? {
                if !known.contains(&next) {
                    removed.push(next.0);
                }
                after = next;
            }
            Ok(removed)
        })
        .await
    }
}

fn next_source(conn: &mut Conn, after: Id) -> QueryResult<Option<Id>> {
    let next: Option<Option<Id>> = on_each!(conn, |c| events::table
        .filter(events::webhook_source.gt(after))
        .select(events::webhook_source)
        .order(events::webhook_source)
        .first(c)
        .optional())?;
    Ok(next.flatten())
}

/// Events between two places, the oldest first, and whose they are. Of the default source's, see `newest`.
fn oldest(
    conn: &mut Conn,
    source: Option<Uuid>,
    after: Option<Place>,
    end: Place,
) -> QueryResult<Vec<(Place, Option<Id>)>> {
    let found: Vec<(At, i64, Option<Id>)> = on_each!(conn, |c| {
        let mut query = events::table
            .select((events::received_at, events::seq, events::webhook_source))
            .filter(events::received_at.le(end.at))
            .filter(events::received_at.lt(end.at).or(events::seq.lt(end.seq)))
            .into_boxed();
        if let Some(source) = source {
            query = query.filter(events::webhook_source.eq(Id(source)));
        }
        if let Some(Place { at, seq }) = after {
            query = query
                .filter(events::received_at.ge(at))
                .filter(events::received_at.gt(at).or(events::seq.gt(seq)));
        }
        query.order((events::received_at, events::seq)).limit(PART).load(c)
    })?;
    Ok(found.into_iter().map(|(at, seq, owner)| (Place { at, seq }, owner)).collect())
}

/// Removes those of `step` that are still there, if the source's limits are still those they are beyond; says
/// how many it were.
fn remove(
    conn: &mut Conn,
    source: Option<Uuid>,
    limits: Limits,
    step: &[Place],
    audit: &Audit,
) -> QueryResult<Option<usize>> {
    if Limits::of(conn, source)? != limits {
        return Ok(None);
    }
    let (Some(first), Some(last)) = (step.first(), step.last()) else { return Ok(Some(0)) };
    let seqs: Vec<i64> = step.iter().map(|place| place.seq).collect();
    // Another process that sweeps may have been quicker with some.
    let gone: Vec<i64> =
        on_each!(conn, |c| diesel::delete(events::table.filter(events::seq.eq_any(&seqs)))
            .returning(events::seq)
            .get_results(c))?;
    if gone.is_empty() {
        return Ok(Some(0));
    }
    // The times say in which months to look.
    let bodies = || {
        event_bodies::table
            .filter(event_bodies::event_seq.eq_any(&gone))
            .filter(event_bodies::received_at.between(first.at, last.at))
    };
    let total = sql::<BigInt>("CAST(coalesce(sum(length(body)), 0) AS BIGINT)");
    let bytes: i64 = on_each!(conn, |c| bodies().select(total.clone()).get_result(c))?;
    on_each!(conn, |c| diesel::delete(bodies()).execute(c))?;
    let detail = json!({ "webhook_source": source, "count": gone.len(), "bytes": bytes });
    audit.record(conn, "events.expired", None, &detail)?;
    Ok(Some(gone.len()))
}
