//! The figures of delivery, from what events told.

use std::time::Duration;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_domain::Timestamp;
use rr_sync::dora::{Dora, Told, Window, dora};

use crate::conn::{Conn, on_each};
use crate::schema::meanings;
use crate::types::{At, Id, JsonText};
use crate::{Store, StoreError};

/// What is told of this long before a window bears on it: steps of deployments, commits, incidents.
const LOOK_BACK: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How much of what was told is in memory at once, and how many events told it.
const MOST_BYTES: usize = 32 << 20;
const MOST_EVENTS: usize = 50_000;
/// How many are read at a time.
const PAGE: i64 = 500;

impl Store {
    /// The figures of a window; none where more was told than one answer may read.
    pub async fn dora(&self, window: Window) -> Result<Option<Dora>, StoreError> {
        self.read(move |conn| {
            let mut told = Vec::new();
            let mut bytes = 0;
            for kind in ["deployment", "incident", "change"] {
                let mut after = (window.from.minus(LOOK_BACK), i64::MIN);
                loop {
                    let page = page(conn, kind, after, window.to)?;
                    let Some((seq, _, at, _)) = page.last() else { break };
                    after = (at.0, *seq);
                    for record in page {
                        bytes += record.3.0.len();
                        told.push(read(record)?);
                    }
                    if bytes > MOST_BYTES || told.len() > MOST_EVENTS {
                        return Ok(None);
                    }
                }
            }
            Ok(Some(dora(&told, window)))
        })
        .await
    }
}

type Record = (i64, Id, At, JsonText);

/// The next meanings of a kind after a place, of those that speak of something before `end`.
fn page(
    conn: &mut Conn,
    kind: &str,
    (at, seq): (Timestamp, i64),
    end: Timestamp,
) -> QueryResult<Vec<Record>> {
    // The first bound lets the index start at the right place.
    on_each!(conn, |c| meanings::table
        .select((meanings::event_seq, meanings::event_id, meanings::at, meanings::body))
        .filter(meanings::kind.eq(kind))
        .filter(meanings::at.ge(At(at)))
        .filter(meanings::at.gt(At(at)).or(meanings::event_seq.gt(seq)))
        .filter(meanings::began_at.lt(At(end)))
        .order((meanings::at, meanings::event_seq))
        .limit(PAGE)
        .load(c))
}

fn read((seq, event, at, body): Record) -> QueryResult<Told> {
    let meaning =
        serde_json::from_str(&body.0).map_err(|error| Error::DeserializationError(error.into()))?;
    Ok(Told { seq, event: event.0, at: at.0, meaning })
}
