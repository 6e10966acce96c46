//! `GET /api/devops/events/export`: every event, one a line.

use std::collections::HashMap;
use std::rc::Rc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use rr_store::{Cursor, EventFilter, PageRequest};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::list::{Event, filter};
use crate::auth::{Allowed, ReadEvents};
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::AppState;

/// How many events are in memory at once, at most; fewer where they are large.
const PAGE: u32 = 500;

/// An event with everything that is kept of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FullEvent {
    #[serde(flatten)]
    event: Event,
    /// Its number in the order of the commits, as the live stream has it.
    seq: i64,
    /// The key that sent it.
    #[schema(required = true)]
    key_id: Option<Uuid>,
    /// The name of its webhook source; null, if that was removed.
    #[schema(required = true, example = "default")]
    webhook_source: Option<String>,
    /// The content type of its body; null, where the body is kept no longer.
    #[schema(required = true, example = "application/json")]
    content_type: Option<String>,
    /// The body as it was received, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// The body as it was received, in base64, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    /// What it says happened; null, where that was not understood.
    #[schema(value_type = Option<Object>, required = true)]
    meaning: Option<Box<RawValue>>,
}

/// Every event, newest first, one JSON object a line: as the list has them, or with all that is kept of them.
/// What arrives meanwhile is not in it. An answer that breaks off before its end was not all.
#[utoipa::path(get, path = "/api/devops/events/export", operation_id = "export_events", tag = "events",
    params(
        ("type" = Option<String>, Query, description = "Only of this type"),
        ("source" = Option<String>, Query, description = "Only from this source"),
        ("from" = Option<String>, Query, description = "Arrived at this time or later (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Arrived before this time (RFC 3339)"),
        ("full" = Option<bool>, Query, description = "With body, content type, number, key, source and meaning")),
    responses((status = 200, description = "An event a line", body = FullEvent,
        content_type = "application/x-ndjson")))]
pub(crate) async fn get(
    _: Allowed<ReadEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["type", "source", "from", "to", "full"])?;
    let filter = filter(&query)?;
    let sources = if query.switch("full")? { Some(names(&state).await?) } else { None };
    let export = Rc::new(Export { state, filter, sources });
    // The first page is read before the answer begins, so that trouble is told as trouble.
    let first = export.page(None).await?;
    let pages = stream::unfold(Some(Step::Have(first)), move |step| {
        let export = Rc::clone(&export);
        async move {
            let lines = match step? {
                Step::Have(lines) => Ok(lines),
                Step::Next(cursor) => export.page(Some(cursor)).await,
            };
            Some(match lines {
                Ok((text, next)) => (Ok(text), next.map(Step::Next)),
                // The answer has begun: all that is left to do is to break it off.
                Err(problem) => (Err(std::io::Error::other(problem.to_string())), None),
            })
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .streaming(pages))
}

/// Lines, and where those after them begin.
type Lines = (Bytes, Option<Cursor>);

enum Step {
    Have(Lines),
    Next(Cursor),
}

/// What is asked for.
struct Export {
    state: Data<AppState>,
    filter: EventFilter,
    /// The names of the sources, where all that is kept of events is wanted.
    sources: Option<Names>,
}

type Names = HashMap<Option<Uuid>, String>;

async fn names(state: &AppState) -> Outcome<Names> {
    let (_, sources) = state.store.webhook_sources().await?;
    Ok(sources.into_iter().map(|source| (source.id, source.name)).collect())
}

impl Export {
    async fn page(&self, cursor: Option<Cursor>) -> Outcome<Lines> {
        let (store, filter) = (&self.state.store, self.filter.clone());
        let request = PageRequest { limit: PAGE, cursor };
        match &self.sources {
            None => {
                let page = store.events(filter, request).await?;
                write(page.items.into_iter().map(Event::from), page.next)
            }
            Some(names) => {
                let page = store.full_events(filter, request).await?;
                write(page.items.into_iter().map(|full| FullEvent::of(full, names)), page.next)
            }
        }
    }
}

fn write<T: Serialize>(events: impl Iterator<Item = T>, next: Option<Cursor>) -> Outcome<Lines> {
    let mut lines = Vec::new();
    for event in events {
        let wrote = serde_json::to_writer(&mut lines, &event);
        wrote.map_err(|_| Problem::new(Code::Internal))?;
        lines.push(b'\n');
    }
    Ok((Bytes::from(lines), next))
}

impl FullEvent {
    fn of(full: rr_store::FullEvent, names: &Names) -> FullEvent {
        let rr_store::FullEvent { row, body, meaning } = full;
        let (content_type, bytes) = body.map(|body| (body.content_type, body.body)).unzip();
        let (body, body_base64) = match bytes.map(String::from_utf8) {
            None => (None, None),
            Some(Ok(text)) => (Some(text), None),
            Some(Err(other)) => (None, Some(STANDARD.encode(other.as_bytes()))),
        };
        FullEvent {
            seq: row.seq,
            key_id: row.key_id,
            webhook_source: names.get(&row.webhook_source).cloned(),
            content_type,
            body,
            body_base64,
            meaning,
            event: Event::from(row),
        }
    }
}
