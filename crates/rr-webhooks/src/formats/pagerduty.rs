//! PagerDuty's webhooks, version 3: one member `event` with an id, a type and what it is about.
//!
//! The event's id stays the same when it is sent again, so it tells a repeat.

use serde_json::value::RawValue;

use super::{Read, Source, digest, dotted};
use crate::event::{Dedupe, Event};
use crate::view::View;
use rr_domain::{Incident, IncidentState, Meaning};

/// The event, if the body is one.
pub(super) fn read(source: Source<'_>, body: View<'_>, data: &RawValue) -> Option<Event> {
    let event = body.part("/event");
    let (id, kind) = (event.text("/id")?, event.text("/event_type")?);
    let meaning = match event.text("/resource_type").as_deref() {
        Some("incident") => incident(event, &kind),
        _ => Meaning::Other,
    };
    let read = Read {
        event_type: dotted("pagerduty", &[Some(kind)]),
        source: "pagerduty".to_owned(),
        occurred_at: event.time("/occurred_at"),
        meaning,
        dedupe: vec![Dedupe {
            scope: format!("pagerduty/{}", source.key_id),
            key: id,
            fingerprint: digest(source.body),
        }],
    };
    Some(read.event(data, source.media))
}

fn incident(event: View<'_>, kind: &str) -> Meaning {
    let state = match kind {
        "incident.triggered" | "incident.reopened" => IncidentState::Detected,
        "incident.acknowledged" => IncidentState::Acknowledged,
        "incident.resolved" => IncidentState::Resolved,
        _ => IncidentState::Updated,
    };
    let at = event.time("/occurred_at");
    let when = |wanted| if state == wanted { at } else { None };
    Meaning::Incident(Incident {
        id: event.text("/data/id"),
        service: event.text("/data/service/summary"),
        environment: None,
        severity: event.first(&["/data/priority/summary", "/data/urgency"]),
        state,
        detected_at: event.time("/data/created_at").or(when(IncidentState::Detected)),
        acknowledged_at: when(IncidentState::Acknowledged),
        resolved_at: when(IncidentState::Resolved),
        caused_by: None,
        artifact: None,
        chain: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::formats::vectors::{
        PAGERDUTY, PAGERDUTY_PING, changed, event, meaning, outline, send,
    };

    #[test]
    fn incidents_are_followed() {
        let read = event(PAGERDUTY);
        let id = ("pagerduty/00000000-0000-0000-0000-000000000007", "01BWDWL3NYY7LUFPZCC28QUCMK");
        let at = Some("2026-01-15T12:05:00.458Z".to_owned());
        assert_eq!(outline(&read), ("pagerduty.incident.acknowledged", "pagerduty", at, vec![id]));
        let expected = json!({
            "kind": "incident", "id": "PGR0VU2", "service": "API Service", "severity": "P1",
            "state": "acknowledged", "detected_at": "2026-01-15T12:00:00Z",
            "acknowledged_at": "2026-01-15T12:05:00.458Z",
        });
        assert_eq!(meaning(&read), expected);
        for (kind, state) in [
            ("incident.triggered", "detected"),
            ("incident.reopened", "detected"),
            ("incident.resolved", "resolved"),
            ("incident.priority_updated", "updated"),
        ] {
            let read = changed(PAGERDUTY, "incident.acknowledged", kind);
            assert_eq!(meaning(&read)["state"], state, "{kind}");
        }
        assert_eq!(meaning(&event(PAGERDUTY_PING)), json!({"kind": "other"}));
    }

    #[test]
    fn an_event_that_is_an_object_of_another_kind_is_refused_as_ever() {
        for body in [r#"{"event":{}}"#, r#"{"event":{"id":1,"event_type":"x"}}"#] {
            let refused = send(&[], body.as_bytes()).unwrap_err();
            assert_eq!(refused.pointer(), Some("/event"), "{body}");
        }
    }
}
