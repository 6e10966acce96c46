//! CloudEvents 1.0 over HTTP: attributes in header fields (binary) or in the body (structured).
//!
//! Both are shown as the structured form, so that a reader sees one event the same way however it
//! was sent, and no attribute is lost with the headers.

mod binary;
mod structured;
mod text;

pub(crate) use binary::{is_binary, read_binary};
pub(crate) use structured::read_structured;

use rr_domain::Timestamp;
use serde_json::value::RawValue;

/// What both forms come to.
#[derive(Debug)]
pub(crate) struct CloudEvent {
    pub(crate) id: String,
    pub(crate) source: String,
    pub(crate) event_type: String,
    pub(crate) time: Option<Timestamp>,
    /// The event in its structured form.
    pub(crate) envelope: Box<RawValue>,
}

/// The one version there is.
const VERSION: &str = "1.0";
const VERSION_PROBLEM: &str = "must be 1.0";
const TIME_PROBLEM: &str = "must be an RFC 3339 time";
