//! Removing events that are past their time, the oldest first, in small steps.
//!
//! What an event said (`meanings`) and the ids that tell its repeats stay: a figure of the past must not
//! change because a body went, and a sender that tries again must not be taken for a new one.

use std::time::Duration;

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rr_domain::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::bodies::its_event;
use crate::conn::{Conn, on_each};
use crate::schema::{event_bodies, events, webhook_sources};
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError, WebhookSource};

/// Which events of a source go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Those that arrived before this.
    Before(Timestamp),
    /// The oldest, until this many bytes of bodies are gone.
    Bytes(i64),
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Events.
    pub events: usize,
    /// Bytes of their bodies.
    pub bytes: i64,
}

/// Events of the default source, and those of sources that were removed: they are kept as long.
macro_rules! of_nobody_else {
    () => {
        events::webhook_source.is_null().or(events::webhook_source
            .ne_all(webhook_sources::table.select(webhook_sources::id.nullable())))
    };
}
pub(super) use of_nobody_else;

impl WebhookSource {
    /// What arrived before this is kept no longer; none where age does not matter.
    pub(super) fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        let days = u32::try_from(self.retention_days?).unwrap_or(u32::MAX);
        Some(now.minus(DAY.saturating_mul(days)))
    }
}

/// How many events go at a time: the writer is soon free for others.
const STEP: i64 = 500;
const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Store {
    /// Removes what a source no longer keeps, as of the audit's instant; says how many events.
    pub(crate) async fn keep_to_retention(
        &self,
        source: &WebhookSource,
        audit: &Audit,
    ) -> Result<usize, StoreError> {
        let id = source.id;
        let mut removed = 0;
        if let Some(cutoff) = source.cutoff(audit.at) {
            let expiry = Expiry::Before(cutoff);
            loop {
                let gone = self.expire_events(id, expiry, audit.clone()).await?;
                removed += gone.events;
                if gone.events == 0 {
                    break;
                }
            }
        }
        if let Some(most) = source.retention_bytes {
            let mut excess = self.event_bytes(id).await? - most;
            while excess > 0 {
                let expiry = Expiry::Bytes(excess);
                let gone = self.expire_events(id, expiry, audit.clone()).await?;
                removed += gone.events;
                excess -= gone.bytes;
                if gone.events == 0 {
                    break;
                }
            }
        }
        Ok(removed)
    }

    /// How many bytes the bodies of a source's events take.
    pub async fn event_bytes(&self, source: Option<Uuid>) -> Result<i64, StoreError> {
        self.read(move |conn| {
            let total = sql::<BigInt>("CAST(coalesce(sum(length(body)), 0) AS BIGINT)");
            on_each!(conn, |c| {
                let mut query = event_bodies::table
                    .inner_join(events::table.on(its_event!()))
                    .select(total.clone())
                    .into_boxed();
                query = match source {
                    Some(source) => query.filter(events::webhook_source.eq(Id(source))),
                    None => query.filter(of_nobody_else!()),
                };
                query.get_result(c)
            })
        })
        .await
    }

    /// Removes the oldest events of a source that are past their time, a few hundred at most. To be
    /// called again until nothing goes.
    pub async fn expire_events(
        &self,
        source: Option<Uuid>,
        expiry: Expiry,
        audit: Audit,
    ) -> Result<Expired, StoreError> {
        self.write(move |conn| {
            let (mut seqs, mut times, mut bytes) = (Vec::new(), Vec::new(), 0);
            for (seq, received_at, length) in oldest(conn, source, expiry)? {
                if matches!(expiry, Expiry::Bytes(enough) if bytes >= enough) {
                    break;
                }
                seqs.push(seq);
                times.push(received_at);
                bytes += length;
            }
            let (Some(first), Some(last)) = (times.first(), times.last()) else {
                return Ok(Expired::default());
            };
            // The times say in which months to look.
            let bodies = || {
                event_bodies::table
                    .filter(event_bodies::event_seq.eq_any(&seqs))
                    .filter(event_bodies::received_at.between(*first, *last))
            };
            on_each!(conn, |c| diesel::delete(bodies()).execute(c))?;
            let gone = || events::table.filter(events::seq.eq_any(&seqs));
            let count = on_each!(conn, |c| diesel::delete(gone()).execute(c))?;
            let detail = json!({ "webhook_source": source, "count": count, "bytes": bytes });
            audit.record(conn, "events.expired", None, &detail)?;
            Ok(Expired { events: count, bytes })
        })
        .await
    }
}

/// The oldest events of a source that may go, and how long their bodies are.
fn oldest(
    conn: &mut Conn,
    source: Option<Uuid>,
    expiry: Expiry,
) -> QueryResult<Vec<(i64, At, i64)>> {
    // A body may have gone before its event, with its month.
    let length = sql::<BigInt>("CAST(coalesce(length(body), 0) AS BIGINT)");
    on_each!(conn, |c| {
        let mut query = events::table
            .left_join(event_bodies::table.on(its_event!()))
            .select((events::seq, events::received_at, length))
            .into_boxed();
        query = match source {
            Some(source) => query.filter(events::webhook_source.eq(Id(source))),
            None => query.filter(of_nobody_else!()),
        };
        if let Expiry::Before(end) = expiry {
            query = query.filter(events::received_at.lt(At(end)));
        }
        query.order((events::received_at, events::seq)).limit(STEP).load(c)
    })
}
