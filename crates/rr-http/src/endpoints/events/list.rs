//! `GET /api/devops/events`: what came in.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_store::{EventFilter, EventRow};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Allowed, ReadEvents};
use crate::problem::Outcome;
use crate::query::Query;
use crate::state::AppState;

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventList {
    events: Vec<Event>,
    next_cursor: Option<String>,
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// The `webhook_id` that its sender was told.
    id: Uuid,
    event_type: String,
    source: String,
    /// When it happened, if it said so.
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// The body as it was sent.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

/// Events, newest first.
#[utoipa::path(get, path = "/api/devops/events", operation_id = "list_events", tag = "events",
    params(
        ("type" = Option<String>, Query, description = "Only of this type"),
        ("source" = Option<String>, Query, description = "Only from this source"),
        ("from" = Option<String>, Query, description = "Arrived at this time or later (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Arrived before this time (RFC 3339)"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Events per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of events", body = EventList)))]
pub(crate) async fn get(
    _: Allowed<ReadEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["type", "source", "from", "to", "limit", "cursor"])?;
    let page = state.store.events(filter(&query)?, query.page()?).await?;
    Ok(HttpResponse::Ok().json(EventList {
        events: page.items.into_iter().map(Event::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

/// Which events are asked for.
pub(super) fn filter(query: &Query<'_>) -> Outcome<EventFilter> {
    Ok(EventFilter {
        event_type: query.text("type")?,
        source: query.text("source")?,
        from: query.instant("from")?,
        to: query.instant("to")?,
    })
}

impl From<EventRow> for Event {
    fn from(row: EventRow) -> Event {
        Event {
            id: row.id,
            event_type: row.event_type,
            source: row.source,
            occurred_at: row.occurred_at,
            received_at: row.received_at,
            data: row.data,
        }
    }
}
