//! How long the events of a source are kept, and from which of them on.

use std::time::Duration;

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rr_domain::Timestamp;
use uuid::Uuid;

use super::bodies::its_event;
use crate::conn::{Conn, on_each};
use crate::schema::{event_bodies, events, webhook_sources};
use crate::types::{At, Id};
use crate::{Store, StoreError, WebhookSource};

/// How many events one statement looks at, so that each is over soon on a table of any size.
pub(super) const PART: i64 = 2_000;
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How long a source keeps its events; none: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    days: Option<i64>,
    bytes: Option<i64>,
}

impl Limits {
    /// What a source says.
    pub(super) fn said_by(source: &WebhookSource) -> Limits {
        Limits { days: source.retention_days, bytes: source.retention_bytes }
    }

    /// What a source says at present. One that was removed keeps its events for as many days as the default
    /// source, however many bytes they are: whose number is limited is never pushed out by another's.
    pub(super) fn of(conn: &mut Conn, source: Option<Uuid>) -> QueryResult<Limits> {
        if let Some(limits) = Limits::find(conn, source)? {
            return Ok(limits);
        }
        let default = Limits::find(conn, None)?;
        Ok(Limits { days: default.and_then(|default| default.days), bytes: None })
    }

    fn find(conn: &mut Conn, source: Option<Uuid>) -> QueryResult<Option<Limits>> {
        let found: Option<(Option<i64>, Option<i64>)> = on_each!(conn, |c| webhook_sources::table
            .filter(webhook_sources::id.eq(Id(source.unwrap_or_default())))
            .select((webhook_sources::retention_days, webhook_sources::retention_bytes))
            .first(c)
            .optional())?;
        Ok(found.map(|(days, bytes)| Limits { days, bytes }))
    }

    /// What arrived before this is too old.
    pub(super) fn cutoff(self, now: Timestamp) -> Option<Timestamp> {
        let days = u32::try_from(self.days?).unwrap_or(u32::MAX);
        Some(now.minus(DAY.saturating_mul(days)))
    }
}

/// A place in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) at: At,
    pub(super) seq: i64,
}

impl Store {
    /// The place before which everything of a source goes. It depends on what is kept and not on what went
    /// before, so processes that sweep at once agree on it.
    pub(super) async fn end_of_past(
        &self,
        source: Option<Uuid>,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Option<Place>, StoreError> {
        let by_age = limits.cutoff(now).map(|at| Place { at: At(at), seq: 0 });
        let by_size = match limits.bytes {
            Some(most) => self.end_of_too_much(source, most).await?,
            None => None,
        };
        Ok(by_age.max(by_size))
    }

    /// The place after the newest event whose body no longer fits beside those of all that are newer.
    async fn end_of_too_much(
        &self,
        source: Option<Uuid>,
        most: i64,
    ) -> Result<Option<Place>, StoreError> {
        let (mut left, mut before) = (most, None);
        loop {
            let part = self.read(move |conn| newest(conn, source, before)).await?;
            let Some(last) = part.last() else { return Ok(None) };
            before = Some(Place { at: last.at, seq: last.seq });
            for weighed in part.iter().filter(|weighed| weighed.source == source.map(Id)) {
                left -= weighed.length;
                if left < 0 {
                    return Ok(Some(Place { at: weighed.at, seq: weighed.seq + 1 }));
                }
            }
        }
    }
}

#[derive(Queryable)]
struct Weighed {
    seq: i64,
    at: At,
    source: Option<Id>,
    length: i64,
}

/// Events before a place, the newest first, with the length of their bodies. Among those of the default source
/// are others: nothing but the order of arrival leads to them, because an index of their own would be paid for
/// with each event that arrives.
fn newest(
    conn: &mut Conn,
    source: Option<Uuid>,
    before: Option<Place>,
) -> QueryResult<Vec<Weighed>> {
    // A body may have gone before its event, with its month.
    let length = sql::<BigInt>("CAST(coalesce(length(body), 0) AS BIGINT)");
    on_each!(conn, |c| {
        let mut query = events::table
            .left_join(event_bodies::table.on(its_event!()))
            .select((events::seq, events::received_at, events::webhook_source, length))
            .into_boxed();
        if let Some(source) = source {
            query = query.filter(events::webhook_source.eq(Id(source)));
        }
        if let Some(Place { at, seq }) = before {
            // The first says where to begin; with the other alone all would be walked through.
            query = query
                .filter(events::received_at.le(at))
                .filter(events::received_at.lt(at).or(events::seq.lt(seq)));
        }
        query.order((events::received_at.desc(), events::seq.desc())).limit(PART).load(c)
    })
}
