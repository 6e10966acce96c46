//! Events: what the webhook accepted.

mod accept;
mod after;
mod bodies;
mod expire;
mod full;
mod keep;
mod list;
mod meanings;
mod rows;

use rr_domain::Timestamp;
use rr_webhooks::Meaning;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::Idempotency;

pub use full::FullEvent;

pub(crate) use accept::{EventGroup, EventJob, import};
pub(crate) use meanings::understand_stored;

/// An event to keep.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its id, which the sender is told.
    pub id: Uuid,
    /// The key that sent it.
    pub key_id: Option<Uuid>,
    /// The source of webhooks that it belongs to; none: the default one.
    pub webhook_source: Option<Uuid>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When it happened, if it says so.
    pub occurred_at: Option<Timestamp>,
    /// Its type.
    pub event_type: String,
    /// Where it comes from.
    pub source: String,
    /// What it says happened, as far as it is understood.
    pub meaning: Meaning,
    /// What lists show.
    pub data: Box<RawValue>,
    /// The content type of the body.
    pub content_type: String,
    /// The body, byte for byte as received; of an event that came with others, its part of it.
    pub body: Vec<u8>,
}

/// An event with what makes a repeat of it recognisable: any of the ids suffices.
#[derive(Debug, Clone)]
pub struct OfferedEvent {
    /// The event.
    pub event: NewEvent,
    /// The ids that its sender gave it.
    pub ids: Vec<Idempotency>,
}

/// What one event's conflict means for those that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Together {
    /// None is stored, whatever the others' answers say: they are one message. The first of them that is
    /// stored keeps it as it was received, where it is not that event's body anyway.
    AllOrNothing(Option<Vec<u8>>),
    /// Nothing: each is stored or refused by itself.
    EachByItself,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptEvent {
    /// It is stored under this id.
    Stored(Uuid),
    /// It is a repeat: the first one was stored under this id, and nothing was stored now.
    Repeated(Uuid),
    /// Its idempotency id was used before for another body. Nothing was stored.
    Conflict,
}

/// A stored event.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its id.
    pub id: Uuid,
    /// Its number in commit order.
    pub seq: i64,
    /// The key that sent it.
    pub key_id: Option<Uuid>,
    /// Its type.
    pub event_type: String,
    /// Where it comes from.
    pub source: String,
    /// When it happened, if it said so.
    pub occurred_at: Option<Timestamp>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What lists show, exactly as it was accepted.
    pub data: Box<RawValue>,
    /// The source of webhooks that it belongs to; none: the default one.
    pub webhook_source: Option<Uuid>,
}

/// The body of a stored event as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBody {
    /// Its content type.
    pub content_type: String,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Which events; `from` and `to` bound the time of arrival, `to` excluded.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only of this type.
    pub event_type: Option<String>,
    /// Only from this source.
    pub source: Option<String>,
    /// Arrived at this instant or later.
    pub from: Option<Timestamp>,
    /// Arrived before this instant.
    pub to: Option<Timestamp>,
}
