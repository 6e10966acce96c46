//! The decision: is this request an event, and which.

use rr_domain::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::cloudevents::{CloudEvent, is_binary, read_binary, read_structured};
use crate::headers::{Headers, check_name};
use crate::media::Media;
use crate::members::{object, string};
use crate::signature::verify;
use crate::{JsonLimits, Refusal, WebhookSecret, check_json};

/// A request as it arrived, authorised by a key but not yet believed.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Its header fields, names in any case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Its body, byte for byte.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: Timestamp,
    /// The key that authorised it; an id chosen by one sender means nothing to another.
    pub key_id: Uuid,
}

/// What this installation asks of a webhook.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The secret it must be signed with, if any.
    pub secret: Option<&'a WebhookSecret>,
    /// The longest body in bytes.
    pub max_bytes: usize,
}

/// A believed request.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The event to store.
    pub event: Event,
    /// What makes a repeat recognisable: everything the sender gave, any of which suffices.
    pub dedupe: Vec<Dedupe>,
    /// SHA-256 of the body: the same id with another body is a conflict, not a repeat.
    pub fingerprint: [u8; 32],
}

/// An event.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened, `unknown` where the sender did not say.
    pub event_type: String,
    /// Where it happened, `api` where the sender did not say.
    pub source: String,
    /// When it happened, where the sender said so.
    pub occurred_at: Option<Timestamp>,
    /// What the list of events shows: the body as it was sent, or a CloudEvent in its structured
    /// form.
    pub data: Box<RawValue>,
    /// Media type of the body, without parameters.
    pub content_type: String,
}

/// What makes a repeat recognisable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedupe {
    /// Within what the key is unique.
    pub scope: String,
    /// The sender's id of the request or event.
    pub key: String,
}

/// Decides whether a request is an event.
///
/// In this order: the size, the signature over the bytes as they came, the declared type, strict
/// JSON, and only then what the body says.
pub fn accept(incoming: &Incoming<'_>, policy: &Policy<'_>) -> Result<Accepted, Refusal> {
    if incoming.body.len() > policy.max_bytes {
        return Err(Refusal::TooLarge { limit: policy.max_bytes });
    }
    let headers = Headers(incoming.headers);
    if let Some(secret) = policy.secret {
        verify(headers, incoming.body, incoming.received_at, secret)?;
    }
    let mut dedupe = request_ids(headers, incoming.key_id)?;
    let media = Media::read(headers)?;

    let (event, event_id) = if media.is_cloudevent() {
        from_cloudevent(read_structured(json(incoming.body)?)?, media)
    } else if is_binary(headers) {
        let data = if incoming.body.is_empty() { None } else { Some(json(incoming.body)?) };
        from_cloudevent(read_binary(headers, media.declared(), data)?, media)
    } else {
        (free_form(json(incoming.body)?, media)?, None)
    };
    dedupe.extend(event_id);
    Ok(Accepted { event, dedupe, fingerprint: Sha256::digest(incoming.body).into() })
}

/// The ids of the request as a whole. One does not stand in for the other: `webhook-id` is signed
/// and `Idempotency-Key` is not, so a new key must not make a captured request new.
fn request_ids(headers: Headers<'_>, key_id: Uuid) -> Result<Vec<Dedupe>, Refusal> {
    let mut ids = Vec::new();
    for (header, scope) in [("idempotency-key", "idempotency"), ("webhook-id", "webhook-id")] {
        if let Some(id) = headers.id(header)? {
            ids.push(Dedupe { scope: format!("{scope}/{key_id}"), key: id.to_owned() });
        }
    }
    Ok(ids)
}

/// The body as strict JSON.
fn json(body: &[u8]) -> Result<Box<RawValue>, Refusal> {
    check_json(body, JsonLimits::default()).map_err(Refusal::Json)?;
    serde_json::from_slice(body).map_err(|_| Refusal::NotAnObject)
}

/// By its specification a CloudEvent is the same event wherever source and id are the same, so it
/// is told apart by them alone and not by the key that brought it.
fn from_cloudevent(read: CloudEvent, media: Media) -> (Event, Option<Dedupe>) {
    let dedupe = Dedupe { scope: format!("cloudevents/{}", read.source), key: read.id };
    let event = Event {
        event_type: read.event_type,
        source: read.source,
        occurred_at: read.time,
        data: read.envelope,
        content_type: media.into_string(),
    };
    (event, Some(dedupe))
}

/// The members of a free-form body that mean something here.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    event_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(borrow, default)]
    source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
}

/// Any JSON object. `event_type`, or `event` without it, names the event and has to be a name;
/// null is absent, as clients that fill in a form write it. The rest is the sender's own: a `source` that is text and a `timestamp` that is an RFC 3339 time are
/// understood, anything else under these names stays data.
fn free_form(data: Box<RawValue>, media: Media) -> Result<Event, Refusal> {
    let members: Members<'_> = object(&data)?;
    let event_type = match (members.event_type, members.event) {
        (Some(raw), _) => event_name(raw, "/event_type")?,
        (None, Some(raw)) => event_name(raw, "/event")?,
        (None, None) => "unknown".to_owned(),
    };
    let source = match members.source.and_then(string) {
        Some(source) => {
            check_name(&source).map_err(|problem| Refusal::member("/source", problem))?;
            source
        }
        None => "api".to_owned(),
    };
    let occurred_at =
        members.timestamp.and_then(string).and_then(|text| Timestamp::parse(&text).ok());
    Ok(Event { event_type, source, occurred_at, data, content_type: media.into_string() })
}

fn event_name(raw: &RawValue, pointer: &str) -> Result<String, Refusal> {
    let name = string(raw).ok_or_else(|| Refusal::member(pointer, "must be a string"))?;
    check_name(&name).map_err(|problem| Refusal::member(pointer, problem))?;
    Ok(name)
}

#[cfg(test)]
mod tests;
