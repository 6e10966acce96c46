//! What tools send, told apart by content and headers; one file each.
//!
//! A body that names itself with `event_type` is free form whatever else it holds, as it always
//! was. Nothing is refused for being almost of a format: what a tool sends without our
//! understanding it is kept as it is.

mod alertmanager;
mod argocd;
mod cdevents;
mod cloudevents;
mod format;
mod free;
mod github;
mod gitlab;
mod pagerduty;
mod standard;

#[cfg(test)]
mod envelopes;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod vectors;

pub(crate) use cloudevents::is_binary;
pub use format::Format;
pub use free::understand;
use rr_domain::Timestamp;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::event::{Dedupe, Event};
use crate::headers::{Headers, check_name};
use crate::json::{Tree, take_apart, text};
use crate::media::Media;
use crate::view::View;
use crate::{JsonLimits, Meaning, Refusal};

/// The most events that one request may bring.
pub(crate) const MOST_EVENTS: usize = 1_000;

/// What every format reads from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) headers: Headers<'a>,
    pub(crate) media: &'a Media,
    pub(crate) body: &'a [u8],
    /// An id chosen by one sender means nothing to another.
    pub(crate) key_id: Uuid,
}

/// The events of a request, if they are what is asked for.
pub(crate) fn read(source: Source<'_>, wanted: Format) -> Result<Vec<Event>, Refusal> {
    let (format, events) = recognised(source)?;
    if events.is_empty() {
        check(None, format, wanted)?;
    }
    events.iter().try_for_each(|event| check(Some(event), format, wanted))?;
    Ok(events)
}

/// A CDEvent may come as a CloudEvent, and often does; so may none of them.
fn check(event: Option<&Event>, format: Format, wanted: Format) -> Result<(), Refusal> {
    let is_cdevent = |event: &Event| cdevents::is_type(&event.event_type);
    let fits = match wanted {
        Format::Auto => true,
        Format::Cdevents => event.map_or(format == Format::Cloudevents, is_cdevent),
        wanted => wanted == format,
    };
    if fits { Ok(()) } else { Err(Refusal::member("", "is not of the source's format")) }
}

/// The events of a request, and what it was told to be by.
fn recognised(source: Source<'_>) -> Result<(Format, Vec<Event>), Refusal> {
    if source.media.is_batch() {
        return Ok((Format::Cloudevents, cloudevents::batch(source)?));
    }
    if is_binary(source.headers) {
        return Ok((Format::Cloudevents, alone(cloudevents::binary(source)?)));
    }
    let payload;
    let source = match source.media.is_form() {
        true => {
            payload = github::payload(source.body)?;
            Source { body: payload.as_bytes(), ..source }
        }
        false => source,
    };
    let (tree, data) = json(source.body)?;
    let body = View(&tree);
    if source.media.is_cloudevent() {
        let event = cloudevents::structured(source, body, data)?;
        return Ok((Format::Cloudevents, alone(event)));
    }
    require_object(body)?;
    if let Some(event) = source.headers.id("x-github-event")? {
        return Ok((Format::Github, alone(github::read(source, event, body, data)?)));
    }
    if source.headers.single("x-gitlab-event")?.is_some() {
        return Ok((Format::Gitlab, alone(gitlab::read(source, body, data))));
    }
    if !body.has("/event_type") {
        if let Some(events) = alertmanager::read(source, body, data)? {
            return Ok((Format::Alertmanager, events));
        }
        let of = |format| move |event| (format, alone(event));
        let known = pagerduty::read(source, body, data)
            .map(of(Format::Pagerduty))
            .or_else(|| cdevents::read(source, body, data).map(of(Format::Cdevents)))
            .or_else(|| argocd::read(source, body, data).map(of(Format::Argocd)))
            .or_else(|| standard::read(source, body, data).map(of(Format::Standard)));
        if let Some(known) = known {
            return Ok(known);
        }
    }
    Ok((Format::Free, alone(free::read(source.media, body, data)?)))
}

/// What has no headers to tell it by: a CloudEvent in its structured form, or free form.
pub(crate) fn read_line(line: Source<'_>, wanted: Format) -> Result<Event, Refusal> {
    let (tree, data) = json(line.body)?;
    let body = View(&tree);
    require_object(body)?;
    let (format, event) = if body.has("/specversion") {
        (Format::Cloudevents, cloudevents::structured(line, body, data)?)
    } else {
        (Format::Free, free::read(line.media, body, data)?)
    };
    check(Some(&event), format, wanted)?;
    Ok(event)
}

/// What a format found out about an event; the rest is the same for all.
struct Read {
    /// The tool's own name for the event, without control characters.
    event_type: String,
    source: String,
    occurred_at: Option<Timestamp>,
    meaning: Meaning,
    dedupe: Vec<Dedupe>,
}

impl Read {
    fn event(self, data: &RawValue, media: &Media) -> Event {
        Event {
            event_type: self.event_type,
            source: self.source,
            occurred_at: self.occurred_at,
            data: data.to_owned(),
            content_type: media.name().to_owned(),
            meaning: self.meaning,
            dedupe: self.dedupe,
        }
    }
}

fn alone(event: Event) -> Vec<Event> {
    vec![event]
}

/// A text as strict JSON: taken apart, and as it was written.
fn json(bytes: &[u8]) -> Result<(Tree<'_>, &RawValue), Refusal> {
    let text = text(bytes).map_err(Refusal::Json)?;
    let tree = take_apart(text, JsonLimits::default()).map_err(Refusal::Json)?;
    let data = serde_json::from_str(text).map_err(|_| Refusal::NotAnObject)?;
    Ok((tree, data))
}

fn require_object(body: View<'_>) -> Result<(), Refusal> {
    if body.is_object() { Ok(()) } else { Err(Refusal::NotAnObject) }
}

/// A name put together of parts, or the first of them where that would be too long.
fn joined(tool: &str, parts: &[Option<String>]) -> String {
    let mut name = tool.to_owned();
    for part in parts.iter().flatten() {
        name.push('/');
        name.push_str(part);
    }
    if check_name(&name).is_ok() { name } else { tool.to_owned() }
}

/// A tool's name for an event in lower case with dots, as `github.release.published`.
fn dotted(tool: &str, parts: &[Option<String>]) -> String {
    let mut name = tool.to_owned();
    for part in parts.iter().flatten() {
        name.push('.');
        name.push_str(&part.to_ascii_lowercase());
    }
    if check_name(&name).is_ok() { name } else { tool.to_owned() }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
