//! Prometheus Alertmanager's webhook, version 4: a group of alerts, an event for each.
//!
//! Alertmanager gives a notification no id, sends a group again after `repeat_interval` as long as
//! an alert in it is on, and sends all of it when one of its alerts changes. What is kept is each
//! alert's turn: that it began, and that it ended, once each. So an alert is told apart by its
//! fingerprint, its status and when that status began, whatever its annotations say by now; a
//! reminder stores nothing and gets the first answer. Two Alertmanagers that send the same alert
//! with one key count as one.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MOST_EVENTS, Read, Source, digest, joined};
use crate::Refusal;
use crate::event::{Dedupe, Event};
use crate::view::View;
use rr_domain::{Alert, AlertState, Meaning};

/// The events, if the body is a group of alerts.
pub(super) fn read(
    source: Source<'_>,
    body: View<'_>,
    data: &RawValue,
) -> Result<Option<Vec<Event>>, Refusal> {
    if body.string("/version") != Some("4") || !body.has("/groupKey") {
        return Ok(None);
    }
    let alerts = body.list("/alerts").filter(|alerts| !alerts.is_empty());
    let (Some(alerts), Ok(Group { alerts: written })) = (alerts, serde_json::from_str(data.get()))
    else {
        return Ok(None);
    };
    if alerts.len() > MOST_EVENTS {
        return Err(Refusal::member("/alerts", "must hold at most 1000 alerts"));
    }
    let named = joined("alertmanager", &[body.string("/receiver").map(str::to_owned)]);
    let alerts = alerts.iter().map(View).zip(written);
    Ok(alerts.map(|(alert, written)| event(source, &named, alert, written)).collect())
}

/// The alerts as they were written.
#[derive(Deserialize)]
struct Group<'a> {
    #[serde(borrow)]
    alerts: Vec<&'a RawValue>,
}

/// An alert without fingerprint, status or start is no alert, and then the body is no such group.
fn event(source: Source<'_>, named: &str, body: View<'_>, written: &RawValue) -> Option<Event> {
    let (fingerprint, status) = (body.text("/fingerprint")?, body.text("/status")?);
    let started_at = body.time("/startsAt")?;
    let (state, at) = match status.as_str() {
        "firing" => (AlertState::Firing, Some(started_at)),
        "resolved" => (AlertState::Resolved, body.time("/endsAt")),
        _ => return None,
    };
    // Of an alert that is on, endsAt is nothing or a guess.
    let ended_at = if state == AlertState::Resolved { at } else { None };
    let end = ended_at.map(|end| format!("/{end}")).unwrap_or_default();
    let key = format!("{fingerprint}/{status}/{started_at}{end}");
    let label =
        |names: &[&str]| names.iter().find_map(|name| body.text(&format!("/labels/{name}")));
    let meaning = Meaning::Alert(Alert {
        id: Some(fingerprint),
        name: label(&["alertname"]),
        service: label(&["service", "app", "job"]),
        environment: label(&["environment", "env"]),
        severity: label(&["severity"]),
        state,
        started_at: Some(started_at),
        ended_at,
    });
    let read = Read {
        event_type: format!("alertmanager.{status}"),
        source: named.to_owned(),
        occurred_at: at,
        meaning,
        dedupe: vec![Dedupe {
            scope: format!("alertmanager/{}", source.key_id),
            fingerprint: digest(key.as_bytes()),
            key,
        }],
    };
    Some(read.event(written, source.media))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::formats::vectors::{ALERTS, changed, events, meaning, outline, send};

    #[test]
    fn each_alert_of_a_group_is_an_event() {
        let read = events(ALERTS);
        let scope = "alertmanager/00000000-0000-0000-0000-000000000007";
        let firing = "c1d0b2a3e4f50617/firing/2026-01-15T12:00:00.5Z";
        let over = "d2e1c3b4f5061728/resolved/2026-01-15T11:00:00Z/2026-01-15T11:30:00Z";
        let expected = [
            ("alertmanager.firing", "2026-01-15T12:00:00.5Z", firing),
            ("alertmanager.resolved", "2026-01-15T11:30:00Z", over),
        ];
        for (event, (kind, at, key)) in read.iter().zip(expected) {
            let ids = vec![(scope, key)];
            assert_eq!(outline(event), (kind, "alertmanager/devops", Some(at.to_owned()), ids));
        }
        assert!(read[0].data.get().starts_with(r#"{"status":"firing","labels":"#));
        let expected = json!({
            "kind": "alert", "id": "c1d0b2a3e4f50617", "name": "HighLatency", "service": "shop",
            "environment": "prod", "severity": "page", "state": "firing",
            "started_at": "2026-01-15T12:00:00.5Z",
        });
        assert_eq!(meaning(&read[0]), expected);
        assert_eq!(meaning(&read[1])["service"], "cart");
        assert_eq!(meaning(&read[1])["ended_at"], "2026-01-15T11:30:00Z");
    }

    #[test]
    fn a_reminder_is_the_same_alert_and_another_turn_is_not() {
        let id = |old: &str, new: &str| changed(ALERTS, old, new).dedupe;
        let first = events(ALERTS).remove(0).dedupe;
        assert_eq!(id("p99 is 2.1 s", "p99 is 2.2 s"), first, "annotations change all the time");
        assert_eq!(id("0001-01-01T00:00:00Z", "2026-01-15T12:30:00Z"), first, "a guess");
        assert_ne!(id("12:00:00.5Z", "12:00:00.6Z"), first);
        assert_ne!(id("c1d0b2a3e4f50617", "c1d0b2a3e4f50618"), first);
        assert_ne!(
            id("\"status\":\"firing\",\"labels\"", "\"status\":\"resolved\",\"labels\""),
            first
        );
    }

    #[test]
    fn what_is_no_such_group_stays_free_form() {
        for (old, new) in [
            ("\"version\":\"4\"", "\"version\":\"5\""),
            ("\"groupKey\"", "\"group\""),
            ("\"alerts\":[", "\"alerts\":[1,"),
            ("\"fingerprint\":\"d2e1c3b4f5061728\"", "\"x\":1"),
            ("\"status\":\"resolved\"", "\"status\":\"odd\""),
        ] {
            assert_eq!(changed(ALERTS, old, new).event_type, "unknown", "{new}");
        }
        let many =
            format!(r#"{{"version":"4","groupKey":"g","alerts":[{}1]}}"#, "1,".repeat(1_000));
        let refused = send(&[], many.as_bytes()).unwrap_err();
        assert_eq!(refused.pointer(), Some("/alerts"));
    }
}
