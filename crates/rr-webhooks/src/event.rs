//! What an accepted request comes to.

use rr_domain::Timestamp;
use serde_json::value::RawValue;

use crate::Meaning;

/// An event.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened, `unknown` where the sender did not say.
    pub event_type: String,
    /// Where it happened, `api` where the sender did not say.
    pub source: String,
    /// When it happened, where the sender said so.
    pub occurred_at: Option<Timestamp>,
    /// What the list of events shows: the body as it was sent, the part of it that is this event
    /// where it holds several, or a CloudEvent in its structured form.
    pub data: Box<RawValue>,
    /// Media type of the body, without parameters.
    pub content_type: String,
    /// What it says happened, as far as it is understood.
    pub meaning: Meaning,
    /// What makes a repeat recognisable: everything the sender gave, any of which suffices.
    pub dedupe: Vec<Dedupe>,
}

/// What makes a repeat recognisable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedupe {
    /// Within what the key is unique.
    pub scope: String,
    /// The sender's id of the request or event.
    pub key: String,
    /// SHA-256 of what the id stands for: the same id for something else is a conflict, not a
    /// repeat.
    pub fingerprint: [u8; 32],
}
