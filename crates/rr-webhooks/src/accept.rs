//! The decision: is this request an event, and which.

use rr_domain::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Refusal, WebhookSecret};

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
    /// The longest body.
    pub max_bytes: usize,
}

/// A believed request.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The event to store.
    pub event: Event,
    /// What makes a repeat recognisable, if the sender gave anything.
    pub dedupe: Option<Dedupe>,
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
    /// What the list of events shows.
    pub data: Box<RawValue>,
    /// Media type of the body.
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
pub fn accept(incoming: &Incoming<'_>, policy: &Policy<'_>) -> Result<Accepted, Refusal> {
    let _ = (incoming, policy);
    Err(Refusal::NotAnObject)
}
