//! What each tool sends.

use rr_webhooks::{Event, Format, Incoming, Policy, Refusal, accept, understand};

use super::{MOST_BYTES, is_modest, is_sound};
use crate::request::{Request, incoming};

pub(crate) fn free(bytes: &[u8]) -> bool {
    reads(bytes, Format::Free)
}

pub(crate) fn cloudevents(bytes: &[u8]) -> bool {
    reads(bytes, Format::Cloudevents)
}

pub(crate) fn cdevents(bytes: &[u8]) -> bool {
    reads(bytes, Format::Cdevents)
}

pub(crate) fn github(bytes: &[u8]) -> bool {
    reads(bytes, Format::Github)
}

pub(crate) fn gitlab(bytes: &[u8]) -> bool {
    reads(bytes, Format::Gitlab)
}

pub(crate) fn alertmanager(bytes: &[u8]) -> bool {
    reads(bytes, Format::Alertmanager)
}

pub(crate) fn pagerduty(bytes: &[u8]) -> bool {
    reads(bytes, Format::Pagerduty)
}

pub(crate) fn argocd(bytes: &[u8]) -> bool {
    reads(bytes, Format::Argocd)
}

pub(crate) fn standard(bytes: &[u8]) -> bool {
    reads(bytes, Format::Standard)
}

/// What one format takes, every other but the automatic choice refuses, and that reads it the same way.
fn reads(bytes: &[u8], format: Format) -> bool {
    let request = Request::read(bytes);
    let fields = request.fields();
    let incoming = incoming(&fields, &request.body);
    let taken = send(&incoming, format);
    let auto = send(&incoming, Format::Auto);
    if let Ok(events) = &taken {
        assert_eq!(auto.as_deref().map(outlines), Ok(outlines(events)));
        for event in events {
            is_the_body_s(event, &request, format);
        }
    }
    match auto {
        Ok(events) => {
            assert!((1..=1_000).contains(&events.len()));
            events.iter().for_each(is_sound);
        }
        Err(refusal) => {
            is_modest(&refusal);
            assert!(taken.is_err());
        }
    }
    taken.is_ok()
}

fn send(incoming: &Incoming<'_>, format: Format) -> Result<Vec<Event>, Refusal> {
    accept(incoming, &Policy { secrets: &[], max_bytes: MOST_BYTES, format })
}

/// All that can be compared of events.
fn outlines(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| format!("{event:?}")).collect()
}

/// What is kept is a part of what was sent, or a CloudEvent that reads back as the same event.
fn is_the_body_s(event: &Event, request: &Request, format: Format) {
    let kept = event.data.get();
    let whole = String::from_utf8_lossy(&request.body);
    if !whole.contains(kept) {
        let fields: [(&str, &[u8]); 1] = [("content-type", b"application/cloudevents+json")];
        let again = send(&incoming(&fields, kept.as_bytes()), Format::Cloudevents);
        let same = |again: &Event| {
            let ids = event.dedupe.iter().filter(|id| id.scope.starts_with("cloudevents/"));
            let own = (&again.event_type, &again.source, again.occurred_at, &again.meaning);
            own == (&event.event_type, &event.source, event.occurred_at, &event.meaning)
                && again
                    .dedupe
                    .iter()
                    .map(|id| (&id.scope, &id.key))
                    .eq(ids.map(|id| (&id.scope, &id.key)))
        };
        let same = matches!(again.as_deref(), Ok([again]) if same(again));
        assert!(same, "{kept} reads back as {again:?} for {event:?}");
    }
    if format == Format::Free {
        let again = understand(&event.event_type, &event.source, &event.data);
        assert_eq!(again, event.meaning, "{whole}");
    }
}
