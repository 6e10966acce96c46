//! Incidents and alerts.

use proptest::prelude::*;
use rr_domain::{Alert, AlertState, Incident, IncidentState, Meaning};
use serde_json::json;

use super::{cdevent, free, name, read, relation, time};

prop_compose! {
    fn alert()(
        names in prop::array::uniform5(prop::option::of(name())),
        times in prop::array::uniform2(prop::option::of(time())), over in any::<bool>(),
    ) -> Alert {
        let [id, name, service, environment, severity] = names;
        let [started_at, ended_at] = times;
        let state = if over { AlertState::Resolved } else { AlertState::Firing };
        Alert { id, name, service, environment, severity, state, started_at, ended_at }
    }
}

proptest! {
    #[test]
    fn an_incident_of_cdevents(
        id in name(), service in name(), environment in name(), artifact in name(),
        cause in name(), chain in name(), at in time(), over in any::<bool>(),
    ) {
        let (state, predicate) =
            if over { (IncidentState::Resolved, "resolved") } else { (IncidentState::Detected, "detected") };
        let built = Incident {
            id: Some(id), service: Some(service), environment: Some(environment), severity: None,
            state, detected_at: (!over).then_some(at), acknowledged_at: None,
            resolved_at: over.then_some(at), caused_by: Some(cause), artifact: Some(artifact),
            chain: Some(chain),
        };
        let subject = json!({"id": built.id, "content": {
            "environment": {"id": built.environment}, "service": {"id": built.service},
            "artifactId": built.artifact,
        }});
        let mut body = cdevent(&format!("incident.{predicate}"), Some(at), &built.chain, subject);
        body["context"]["links"] = relation("CAUSED_BY", &built.caused_by);
        prop_assert_eq!(read(&[], &body), Meaning::Incident(built));
    }

    #[test]
    fn an_incident_of_pagerduty(
        id in name(), service in name(), severity in name(), began in time(), at in time(),
        state in 0..4_usize,
    ) {
        let (kind, state) = [
            ("triggered", IncidentState::Detected),
            ("acknowledged", IncidentState::Acknowledged),
            ("escalated", IncidentState::Updated),
            ("resolved", IncidentState::Resolved),
        ][state];
        let when = |wanted| (state == wanted).then_some(at);
        let built = Incident {
            id: Some(id), service: Some(service), environment: None, severity: Some(severity),
            state, detected_at: Some(began),
            acknowledged_at: when(IncidentState::Acknowledged),
            resolved_at: when(IncidentState::Resolved),
            caused_by: None, artifact: None, chain: None,
        };
        let body = json!({"event": {
            "id": "e", "event_type": format!("incident.{kind}"), "resource_type": "incident",
            "occurred_at": at,
            "data": {
                "id": built.id, "created_at": built.detected_at, "urgency": "low",
                "service": {"summary": built.service}, "priority": {"summary": built.severity},
            },
        }});
        prop_assert_eq!(read(&[], &body), Meaning::Incident(built));
    }

    #[test]
    fn an_incident_in_free_form(
        names in prop::array::uniform6(prop::option::of(name())),
        times in prop::array::uniform3(prop::option::of(time())),
        state in 0..4_usize, below in any::<bool>(),
    ) {
        let [id, service, environment, severity, caused_by, artifact] = names;
        let [detected_at, acknowledged_at, resolved_at] = times;
        let state = [
            IncidentState::Detected, IncidentState::Acknowledged, IncidentState::Updated,
            IncidentState::Resolved,
        ][state];
        let built = Incident {
            id, service, environment, severity, state, detected_at, acknowledged_at, resolved_at,
            caused_by, artifact, chain: None,
        };
        let members = json!({
            "incident_id": built.id, "service": built.service, "environment": built.environment,
            "severity": built.severity, "status": built.state, "detected_at": built.detected_at,
            "acknowledged_at": built.acknowledged_at, "resolved_at": built.resolved_at,
            "caused_by": built.caused_by, "version": built.artifact,
        });
        let meaning = read(&[], &free("incident", members, below));
        prop_assert_eq!(meaning, Meaning::Incident(built));
    }

    #[test]
    fn an_alert_of_alertmanager(built in alert(), id in name(), began in time(), end in time()) {
        let over = built.state == AlertState::Resolved;
        let built = Alert {
            id: Some(id), started_at: Some(began), ended_at: over.then_some(end), ..built
        };
        let body = json!({"version": "4", "groupKey": "g", "alerts": [{
            "status": built.state, "startsAt": built.started_at, "endsAt": end,
            "fingerprint": built.id,
            "labels": {
                "alertname": built.name, "service": built.service, "env": built.environment,
                "severity": built.severity,
            },
        }]});
        prop_assert_eq!(read(&[], &body), Meaning::Alert(built));
    }

    #[test]
    fn an_alert_in_free_form(built in alert(), below in any::<bool>()) {
        let members = json!({
            "id": built.id, "name": built.name, "service": built.service,
            "environment": built.environment, "severity": built.severity, "status": built.state,
            "started_at": built.started_at, "ended_at": built.ended_at,
        });
        let meaning = read(&[], &free("alert", members, below));
        prop_assert_eq!(meaning, Meaning::Alert(built));
    }
}
