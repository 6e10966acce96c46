//! Events in the order of their commits, for those who follow along.

use diesel::QueryResult;
use diesel::prelude::*;
use tokio::sync::watch;

use super::EventRow;
use super::list::EventRecord;
use crate::conn::{Conn, on_each};
use crate::schema::events;
use crate::sequence::Sequence;
use crate::{Store, StoreError};

/// How many bytes of events are handed out at once, about.
const BYTES: usize = 256 << 10;
/// How many events are handed out at once.
const EVENTS: usize = 256;
/// How many are read by one statement; when they are as large as events may be, these are handed out.
const PART: i64 = 32;

impl Store {
    /// The number of the last event. Everything up to it is committed, because the numbers are given
    /// in the order of the commits.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        self.read(|conn| Sequence::Events.last(conn)).await
    }

    /// The events that follow the one of number `after`, oldest first, as many as fit into one
    /// answer; none when there are no more. No event with a smaller number than the last of them will
    /// ever appear.
    pub async fn events_after(&self, after: i64) -> Result<Vec<EventRow>, StoreError> {
        self.read(move |conn| {
            let mut rows: Vec<EventRow> = Vec::new();
            let mut bytes = 0;
            loop {
                let part = part(conn, rows.last().map_or(after, |row| row.seq))?;
                let at_the_end = part.len() < usize::try_from(PART).unwrap_or(0);
                for record in part {
                    let row = record.into_row()?;
                    bytes += row.data.get().len();
                    rows.push(row);
                }
                if at_the_end || bytes >= BYTES || rows.len() >= EVENTS {
                    return Ok(rows);
                }
            }
        })
        .await
    }

    /// Changes whenever this process has committed something.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.committed().subscribe()
    }
}

fn part(conn: &mut Conn, after: i64) -> QueryResult<Vec<EventRecord>> {
    on_each!(conn, |c| events::table
        .filter(events::seq.gt(after))
        .order(events::seq.asc())
        .limit(PART)
        .select(EventRecord::as_select())
        .load(c))
}
