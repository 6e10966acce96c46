//! Reading events.

use diesel::QueryResult;
use diesel::prelude::*;
use uuid::Uuid;

use super::{EventBody, EventFilter, EventRow};
use crate::conn::on_each;
use crate::page::{cut, fetch_limit};
use crate::schema::{event_bodies, events};
use crate::types::{At, Id, JsonText, raw_json};
use crate::{Cursor, Page, PageRequest, Store, StoreError};

impl Store {
    /// Events, the newest arrival first.
    pub async fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<EventRow>, StoreError> {
        self.read(move |conn| {
            let records: Vec<EventRecord> = on_each!(conn, |c| {
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
                if let Some(last) = page.cursor {
                    query =
                        query.filter(events::received_at.lt(At(last.at)).or(
                            events::received_at.eq(At(last.at)).and(events::seq.lt(last.seq())),
                        ));
                }
                query
                    .order((events::received_at.desc(), events::seq.desc()))
                    .limit(fetch_limit(&page))
                    .load(c)
            })?;
            let rows = records.into_iter().map(EventRecord::into_row).collect::<Result<_, _>>()?;
            Ok(cut(rows, &page, |row: &EventRow| Cursor::after_seq(row.received_at, row.seq)))
        })
        .await
    }

    /// The body of an event as it was received.
    pub async fn event_body(&self, id: Uuid) -> Result<Option<EventBody>, StoreError> {
        self.read(move |conn| {
            let found: Option<(String, Vec<u8>)> = on_each!(conn, |c| event_bodies::table
                .inner_join(events::table)
                .filter(events::id.eq(Id(id)))
                .select((event_bodies::content_type, event_bodies::body))
                .first(c)
                .optional())?;
            Ok(found.map(|(content_type, body)| EventBody { content_type, body }))
        })
        .await
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
struct EventRecord {
    seq: i64,
    id: Id,
    key_id: Option<Id>,
    event_type: String,
    source: String,
    occurred_at: Option<At>,
    received_at: At,
    data: JsonText,
}

impl EventRecord {
    fn into_row(self) -> QueryResult<EventRow> {
        Ok(EventRow {
            id: self.id.0,
            seq: self.seq,
            key_id: self.key_id.map(|id| id.0),
            event_type: self.event_type,
            source: self.source,
            occurred_at: self.occurred_at.map(|at| at.0),
            received_at: self.received_at.0,
            data: raw_json(self.data)?,
        })
    }
}
