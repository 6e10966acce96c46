//! The payload that Standard Webhooks advises: `type`, `timestamp`, `data`, in a request with its
//! headers (or those of Svix, which are the same under another name).

use serde_json::value::RawValue;

use super::{Read, Source};
use crate::Meaning;
use crate::event::Event;
use crate::view::View;

/// The event, if the request is one. Its id is the request's, which is a repeat's anyway.
pub(super) fn read(source: Source<'_>, body: View<'_>, data: &RawValue) -> Option<Event> {
    if body.has("/event") || !body.has("/data") {
        return None;
    }
    let sent = |name| source.headers.single(name).ok().flatten();
    sent("webhook-timestamp").or_else(|| sent("svix-timestamp"))?;
    let read = Read {
        event_type: body.text("/type")?,
        source: body.text("/source").unwrap_or_else(|| "api".to_owned()),
        occurred_at: body.time("/timestamp"),
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
