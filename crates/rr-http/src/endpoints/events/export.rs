//! `GET /api/devops/events/export`: every event, one a line.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use rr_store::{Cursor, EventFilter, PageRequest};

use super::list::{Event, filter};
use crate::auth::{Allowed, ReadEvents};
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::AppState;

/// How many events are in memory at once, at most; fewer where they are large.
const PAGE: u32 = 500;

/// Every event, newest first, one JSON object a line, as the list has them. What arrives meanwhile is
/// not in it. An answer that breaks off before its end was not all.
#[utoipa::path(get, path = "/api/devops/events/export", operation_id = "export_events", tag = "events",
    params(
        ("type" = Option<String>, Query, description = "Only of this type"),
        ("source" = Option<String>, Query, description = "Only from this source"),
        ("from" = Option<String>, Query, description = "Arrived at this time or later (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Arrived before this time (RFC 3339)")),
    responses((status = 200, description = "An event a line", body = String,
        content_type = "application/x-ndjson")))]
pub(crate) async fn get(
    _: Allowed<ReadEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["type", "source", "from", "to"])?;
    let filter = filter(&query)?;
    // The first page is read before the answer begins, so that trouble is told as trouble.
    let first = page(&state, &filter, None).await?;
    let pages = stream::unfold(Some(Step::Have(first)), move |step| {
        let (state, filter) = (state.clone(), filter.clone());
        async move {
            let lines = match step? {
                Step::Have(lines) => Ok(lines),
                Step::Next(cursor) => page(&state, &filter, Some(cursor)).await,
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

async fn page(state: &AppState, filter: &EventFilter, cursor: Option<Cursor>) -> Outcome<Lines> {
    let request = PageRequest { limit: PAGE, cursor };
    let page = state.store.events(filter.clone(), request).await?;
    let mut lines = Vec::new();
    for row in page.items {
        let wrote = serde_json::to_writer(&mut lines, &Event::from(row));
        wrote.map_err(|_| Problem::new(Code::Internal))?;
        lines.push(b'\n');
    }
    Ok((Bytes::from(lines), page.next))
}
