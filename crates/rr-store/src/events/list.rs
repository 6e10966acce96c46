//! Reading events.

use diesel::QueryResult;
use diesel::prelude::*;

use super::{EventFilter, EventRow, FullEvent, full};
use crate::conn::{Conn, on_each};
use crate::page::{cut, fetch_limit};
use crate::schema::events;
use crate::types::{At, Id, JsonText, raw_json};
use crate::{Cursor, Page, PageRequest, Store, StoreError};

impl Store {
    /// Events, the newest arrival first. A page ends early, with a cursor, when its events are large:
    /// what one call holds in memory must not grow with what senders send.
    pub async fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<EventRow>, StoreError> {
        self.read(move |conn| {
            let rows = |_: &mut Conn, rows| Ok(rows);
            read_page(conn, &filter, &page, rows, |row| (row, row.data.get().len()))
        })
        .await
    }

    /// The same with everything that is kept of them.
    pub async fn full_events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<FullEvent>, StoreError> {
        self.read(move |conn| {
            read_page(conn, &filter, &page, full::complete, |full| (&full.row, full.weight()))
        })
        .await
    }
}

/// Reads a page of rows, each made into what is wanted of it; `look` says of that where it stands in the list,
/// and how many bytes it has.
fn read_page<T>(
    conn: &mut Conn,
    filter: &EventFilter,
    page: &PageRequest,
    make: impl Fn(&mut Conn, Vec<EventRow>) -> QueryResult<Vec<T>>,
    look: impl Fn(&T) -> (&EventRow, usize),
) -> QueryResult<Page<T>> {
    let place = |item: &T| {
        let (row, _) = look(item);
        Cursor::after_seq(row.received_at, row.seq)
    };
    let mut items: Vec<T> = Vec::new();
    let (mut bytes, mut missing) = (0, fetch_limit(page));
    while missing > 0 && bytes <= PAGE_BYTES {
        let after = items.last().map(place).or(page.cursor);
        let part = part(conn, filter, after, missing.min(PART))?;
        let at_the_end = part.len() < usize::try_from(missing.min(PART)).unwrap_or(0);
        let rows = part.into_iter().map(EventRecord::into_row).collect::<QueryResult<_>>()?;
        for item in make(conn, rows)? {
            bytes += look(&item).1;
            missing -= 1;
            items.push(item);
        }
        if at_the_end {
            return Ok(cut(items, page, place));
        }
    }
    // Either the page is full or its bytes are: the last row says that there are more.
    let limit = u32::try_from(items.len() - 1).unwrap_or(u32::MAX);
    Ok(cut(items, &PageRequest { limit, ..*page }, place))
}

/// How many bytes of events a page holds, about.
const PAGE_BYTES: usize = 4 << 20;
/// How many events are read at once; when they are as large as events may be, a page holds these.
const PART: i64 = 32;

/// The next events after a place in the list.
fn part(
    conn: &mut Conn,
    filter: &EventFilter,
    after: Option<Cursor>,
    limit: i64,
) -> QueryResult<Vec<EventRecord>> {
    on_each!(conn, |c| {
        let mut query = events::table.select(EventRecord::as_select()).into_boxed();
        if let Some(event_type) = &filter.event_type {
            query = query.filter(events::event_type.eq(event_type));
        }
        if let Some(source) = &filter.source {
            query = query.filter(events::source.eq(source));
        }
        if let Some(from) = filter.from {
            query = query.filter(events::received_at.ge(At(from)));
        }
        if let Some(to) = filter.to {
            query = query.filter(events::received_at.lt(At(to)));
        }
        if let Some(last) = after {
            query = query.filter(
                events::received_at
                    .lt(At(last.at))
                    .or(events::received_at.eq(At(last.at)).and(events::seq.lt(last.seq()))),
            );
        }
        query.order((events::received_at.desc(), events::seq.desc())).limit(limit).load(c)
    })
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
pub(super) struct EventRecord {
    seq: i64,
    id: Id,
    key_id: Option<Id>,
    event_type: String,
    source: String,
    occurred_at: Option<At>,
    received_at: At,
    data: JsonText,
    webhook_source: Option<Id>,
}

impl EventRecord {
    pub(super) fn into_row(self) -> QueryResult<EventRow> {
        Ok(EventRow {
            id: self.id.0,
            seq: self.seq,
            key_id: self.key_id.map(|id| id.0),
            event_type: self.event_type,
            source: self.source,
            occurred_at: self.occurred_at.map(|at| at.0),
            received_at: self.received_at.0,
            data: raw_json(self.data)?,
            webhook_source: self.webhook_source.map(|id| id.0),
        })
    }
}
