//! The payload that Standard Webhooks advises: `type`, `timestamp`, `data`, in a request with its
//! headers (or those of Svix, which are the same under another name).

use rr_domain::Timestamp;
use serde_json::value::RawValue;

use super::{Members, Read, Source};
use crate::Meaning;
use crate::event::Event;
use crate::headers::check_name;
use crate::members::string;

/// The event, if the request is one. Its id is the request's, which is a repeat's anyway.
pub(super) fn read(source: Source<'_>, members: &Members<'_>, data: &RawValue) -> Option<Event> {
    if members.event.is_some() || members.data.is_none() {
        return None;
    }
    let sent = |name| source.headers.single(name).ok().flatten();
    sent("webhook-timestamp").or_else(|| sent("svix-timestamp"))?;
    let event_type = members.kind.and_then(string).filter(|name| check_name(name).is_ok())?;
    let named = members.source.and_then(string).filter(|name| check_name(name).is_ok());
    let read = Read {
        event_type,
        source: named.unwrap_or_else(|| "api".to_owned()),
        occurred_at: members.timestamp.and_then(string).and_then(|t| Timestamp::parse(&t).ok()),
        meaning: Meaning::Other,
        dedupe: Vec::new(),
    };
    Some(read.event(data, source.media))
}

#[cfg(test)]
mod tests {
    use crate::formats::vectors::{STANDARD, event, outline};

    #[test]
    fn the_advised_payload_is_understood_with_its_headers_only() {
        let read = event(STANDARD);
        let ids = vec![("webhook-id/00000000-0000-0000-0000-000000000007", "msg_1")];
        let at = Some("2026-01-15T12:00:00Z".to_owned());
        assert_eq!(outline(&read), ("invoice.paid", "api", at, ids));
        let plain = event(("without headers", &[], STANDARD.2));
        assert_eq!(plain.event_type, "unknown");
        let svix = event(("Svix", &[("svix-timestamp", "1"), ("svix-id", "m")], STANDARD.2));
        assert_eq!(svix.event_type, "invoice.paid");
    }
}
