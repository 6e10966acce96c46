//! `GET /api/devops/stream`: events and changed figures while they happen, as server-sent events.

use std::convert::Infallible;

use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::stream;

use crate::auth::{Allowed, Permission, ReadEvents, Standing};
use crate::codes::Code;
use crate::live::{After, Batch, Item, Reader};
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::AppState;

/// Events and changed figures while they happen. Every frame's `id` is the number of an event: whoever
/// sends the last one that it saw goes on with the next, and misses none.
#[utoipa::path(get, path = "/api/devops/stream", operation_id = "stream", tag = "events",
    params(
        ("after" = Option<i64>, Query, minimum = 0, description = "Begin after the event of this number; without it, with what comes next"),
        ("Last-Event-ID" = Option<i64>, Query, minimum = 0, description = "The same"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The same, and it goes before the others: browsers send it when they come back"),
        ("type" = Option<String>, Query, description = "Only events of this type"),
        ("source" = Option<String>, Query, description = "Only events from this source")),
    responses((status = 200, description = "`event: event` with an event as the list has it; with `read_metrics` also `event: figures` with the figures that changed, by the names of their endpoints (all of them at first)",
        body = String, content_type = "text/event-stream")))]
pub(crate) async fn get(
    who: Allowed<ReadEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["after", "Last-Event-ID", "type", "source"])?;
    let filter = Filter { event_type: query.text("type")?, source: query.text("source")? };
    let after = begin_after(&request, &query)?;
    let standing = Standing::of(&who.caller, Permission::ReadEvents, &request, &state)?;
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/event-stream");
    // A proxy that collects an answer before it hands it on would hand on nothing.
    answer.insert_header((HeaderName::from_static("x-accel-buffering"), "no"));
    if request.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    let reader = Reader::join(state.into_inner(), standing, after).await?;
    // The figures come along; from here on a permission for them is one that is needed.
    who.caller.may(Permission::ReadMetrics);
    let frames = Frames { told: None, reader, filter };
    Ok(answer.streaming(stream::unfold(frames, async |mut frames| {
        let next = frames.next().await?;
        Some((Ok::<_, Infallible>(next), frames))
    })))
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The header first: a browser that comes back sends it to the address with which it began.
fn begin_after(request: &HttpRequest, query: &Query<'_>) -> Outcome<Option<After>> {
    const WRONG: &str = "must be the id of an event of this stream";
    let after = |text: Option<&str>, refuse: fn(&'static str) -> Problem| {
        let number = text.and_then(number).ok_or_else(|| refuse(WRONG))?;
        Ok(Some(After { number, refuse }))
    };
    if let Some(value) = request.headers().get(&LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        return after(value.to_str().ok(), |why| {
            Problem::new(Code::InvalidHeader).detail(format!("Last-Event-ID {why}."))
        });
    }
    if let Some(text) = query.text("Last-Event-ID")? {
        return after(Some(&text), |why| Problem::parameter("Last-Event-ID", why));
    }
    match query.text("after")? {
        Some(text) => after(Some(&text), |why| Problem::parameter("after", why)),
        None => Ok(None),
    }
}

/// Digits and nothing else.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Which events.
struct Filter {
    event_type: Option<String>,
    source: Option<String>,
}

impl Filter {
    /// The frames of the events after a number that it lets through, and the last number in them.
    fn frames(&self, batch: &Batch, after: i64) -> (Bytes, i64) {
        if self.event_type.is_none() && self.source.is_none() {
            return (batch.frames_after(after), batch.upto());
        }
        let (mut frames, mut last) = (BytesMut::new(), after);
        for event in batch.events_after(after) {
            if self.lets(&event.event_type, &event.source) {
                frames.extend_from_slice(batch.frame(event));
                last = event.seq();
            }
        }
        (frames.freeze(), last)
    }

    fn lets(&self, event_type: &str, source: &str) -> bool {
        self.event_type.as_deref().is_none_or(|wanted| wanted == event_type)
            && self.source.as_deref().is_none_or(|wanted| wanted == source)
    }
}

/// What a reader is handed, written as frames.
struct Frames {
    reader: Reader,
    filter: Filter,
    /// The last id that its client knows.
    told: Option<i64>,
}

impl Frames {
    /// The next bytes. An id comes first of all, so that a client that loses the connection before
    /// the first event still knows from where to go on.
    async fn next(&mut self) -> Option<Bytes> {
        let Some(told) = self.told else {
            let first = self.reader.position();
            self.told = Some(first);
            return Some(Bytes::from(format!("retry: 2000\nid: {first}\n\n")));
        };
        loop {
            let item = self.reader.next().await?;
            let id = self.reader.position();
            let (frames, last) = match item {
                Item::Events(batch, after) => self.filter.frames(&batch, after),
                Item::Figures(parts) => {
                    let head = format!("id: {id}\nevent: figures\ndata: ");
                    (Bytes::from([head.as_bytes(), &parts, b"\n\n"].concat()), id)
                }
                // What the filter left out need not be looked through again: browsers too keep an id that
                // comes without an event.
                Item::Beat if id > told => (Bytes::from(format!(":\nid: {id}\n\n")), id),
                Item::Beat => (Bytes::from_static(b":\n\n"), id),
            };
            if !frames.is_empty() {
                self.reader.told();
                self.told = Some(last);
                return Some(frames);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_digits() {
        for (text, expected) in [
            ("0", Some(0)),
            ("42", Some(42)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-1", None),
            ("+1", None),
            ("", None),
            ("4 2", None),
            ("4,2", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }
}
