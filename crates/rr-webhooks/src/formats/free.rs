//! The free form: any JSON object, as the old clients send it.
//!
//! `event_type`, or `event` without it, names the event and has to be a name; null is absent, as
//! clients that fill in a form write it. The rest is the sender's own: a `source` that is text and
//! a `timestamp` that is an RFC 3339 time are understood, anything else under these names stays
//! data. Deployments, incidents, alerts and builds are understood by the words people use.

use std::time::Duration;

use rr_domain::Timestamp;
use serde_json::value::RawValue;

use super::{Read, cdevents};
use crate::Refusal;
use crate::event::Event;
use crate::json::take_apart_stored;
use crate::media::Media;
use crate::view::View;
use rr_domain::{
    Alert, AlertState, Build, Commit, Deployment, Incident, IncidentState, Meaning, Progress,
    Trigger,
};

pub(super) fn read(media: &Media, body: View<'_>, data: &RawValue) -> Result<Event, Refusal> {
    let named = ["/event_type", "/event"].into_iter().find(|pointer| body.has(pointer));
    let event_type = named.map_or(Ok("unknown"), |pointer| body.required(pointer))?;
    let source = body.string("/source").map_or(Ok("api"), |_| body.required("/source"))?;
    let occurred_at = body.time("/timestamp");
    let read = Read {
        event_type: event_type.to_owned(),
        source: source.to_owned(),
        occurred_at,
        meaning: meaning(event_type, source, occurred_at, body),
        dedupe: Vec::new(),
    };
    Ok(read.event(data, media))
}

/// What an event says happened that was kept without being understood: an object of the free form, or a
/// CDEvent with or without a CloudEvent around it. What only headers would tell is lost.
pub fn understand(event_type: &str, source: &str, data: &RawValue) -> Meaning {
    let tree = take_apart_stored(data.get());
    let body = View(&tree);
    if cdevents::is_type(event_type) {
        return cdevents::meaning(event_type, below_data(body));
    }
    meaning(event_type, source, body.time("/timestamp"), body)
}

/// What it says happened, where its name promises something.
fn meaning(event_type: &str, source: &str, at: Option<Timestamp>, body: View<'_>) -> Meaning {
    let read = match event_type {
        "deployment" | "deploy" => deployment,
        "incident" => incident,
        "alert" => alert,
        "build" => build,
        _ => return Meaning::Other,
    };
    // The DevOps module's script puts everything but the name into `data`.
    read(below_data(body), source, at)
}

/// The part `data`, if it is an object, else the whole.
fn below_data(body: View<'_>) -> View<'_> {
    let inner = body.part("/data");
    if inner.is_object() { inner } else { body }
}

fn deployment(body: View<'_>, source: &str, at: Option<Timestamp>) -> Meaning {
    // Who says nothing about the result reports what is done.
    let result = word(body).map_or(Progress::Succeeded, Progress::read);
    let finished_at = body.time("/finished_at").or(result.end(at));
    let took = body.number("/deployTime").or_else(|| body.number("/duration_s"));
    let began = || Some(finished_at?.minus(Duration::from_secs(took?)));
    let waiting = if result == Progress::Running { at } else { None };
    let commit = body.sha("/commit").or_else(|| body.sha("/sha"));
    let mut commits = body.commits("/commits");
    if commits.is_empty() {
        commits.extend(commit.map(|sha| Commit { sha, committed_at: None }));
    }
    Meaning::Deployment(Deployment {
        id: body.id("/deployment_id").or_else(|| body.id("/id")),
        service: service(body).unwrap_or_else(|| source.to_owned()),
        environment: environment(body),
        result,
        started_at: body.time("/started_at").or_else(began).or(waiting),
        finished_at,
        artifact: body.first(&["/artifact", "/version"]),
        commits,
        previous: body.sha("/previous_commit").or_else(|| body.sha("/previous_sha")),
        trigger: body.name("/trigger").map_or(Trigger::Planned, Trigger::read),
        rolls_back: body.id("/rolls_back"),
        chain: None,
    })
}

fn incident(body: View<'_>, _: &str, at: Option<Timestamp>) -> Meaning {
    let state = match word(body).unwrap_or_default().to_ascii_lowercase().as_str() {
        "resolved" | "closed" | "fixed" | "done" => IncidentState::Resolved,
        "acknowledged" => IncidentState::Acknowledged,
        "updated" => IncidentState::Updated,
        _ => IncidentState::Detected,
    };
    let when = |wanted| if state == wanted { at } else { None };
    Meaning::Incident(Incident {
        id: body.id("/incident_id").or_else(|| body.id("/id")),
        service: service(body),
        environment: environment(body),
        severity: body.text("/severity"),
        state,
        detected_at: body.time("/detected_at").or(when(IncidentState::Detected)),
        acknowledged_at: body.time("/acknowledged_at").or(when(IncidentState::Acknowledged)),
        resolved_at: body.time("/resolved_at").or(when(IncidentState::Resolved)),
        caused_by: body.id("/caused_by"),
        artifact: body.first(&["/artifact", "/version"]),
        chain: None,
    })
}

fn alert(body: View<'_>, _: &str, at: Option<Timestamp>) -> Meaning {
    let over = word(body).is_some_and(|word| {
        matches!(word.to_ascii_lowercase().as_str(), "resolved" | "ok" | "closed")
    });
    let state = if over { AlertState::Resolved } else { AlertState::Firing };
    let when = |wanted| if state == wanted { at } else { None };
    Meaning::Alert(Alert {
        id: body.id("/alert_id").or_else(|| body.id("/id")),
        name: body.first(&["/name", "/title", "/message"]),
        service: service(body),
        environment: environment(body),
        severity: body.text("/severity"),
        state,
        started_at: body.time("/started_at").or(when(AlertState::Firing)),
        ended_at: body.time("/ended_at").or(when(AlertState::Resolved)),
    })
}

fn build(body: View<'_>, source: &str, at: Option<Timestamp>) -> Meaning {
    let result = word(body).map_or(Progress::Succeeded, Progress::read);
    Meaning::Build(Build {
        id: body.id("/build_id").or_else(|| body.id("/id")),
        service: service(body).unwrap_or_else(|| source.to_owned()),
        name: body.first(&["/name", "/pipeline"]),
        commit: body.sha("/commit").or_else(|| body.sha("/sha")),
        result,
        started_at: body.time("/started_at"),
        finished_at: body.time("/finished_at").or(result.end(at)),
        chain: None,
    })
}

/// How it went.
fn word(body: View<'_>) -> Option<&str> {
    ["/status", "/result", "/state", "/outcome"].iter().find_map(|pointer| body.name(pointer))
}

fn service(body: View<'_>) -> Option<String> {
    body.first(&["/service", "/app", "/application", "/project"])
}

fn environment(body: View<'_>) -> Option<String> {
    body.first(&["/environment", "/env"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::formats::vectors::{
        ALERTS, ARGOCD, BARE_CDEVENT, FREE_DEPLOYMENT, PAGERDUTY, SCRIPT, STANDARD, UNKNOWN,
        changed, event, meaning, send,
    };

    #[test]
    fn what_the_old_clients_say_is_understood() {
        let deployment = json!({
            "kind": "deployment", "service": "api", "environment": "production",
            "result": "succeeded", "started_at": "2026-01-15T12:00:00Z",
            "finished_at": "2026-01-15T12:00:45Z", "artifact": "1.2.3", "trigger": "planned",
        });
        assert_eq!(meaning(&event(FREE_DEPLOYMENT)), deployment);
        let script = json!({
            "kind": "deployment", "service": "shop", "result": "failed", "trigger": "planned",
            "finished_at": "2026-01-15T12:00:45Z",
            "commits": [{"sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e"}],
        });
        assert_eq!(meaning(&event(SCRIPT)), script);
        let running = changed(FREE_DEPLOYMENT, "\"success\"", "\"started\"");
        assert_eq!(meaning(&running)["started_at"], "2026-01-15T12:00:45Z");
        assert_eq!(meaning(&running)["finished_at"], json!(null));
        let silent = changed(FREE_DEPLOYMENT, "\"status\":\"success\",", "");
        assert_eq!(meaning(&silent)["result"], "succeeded", "who reports, reports what is done");
        let incident = changed(
            SCRIPT,
            r#"{"event":"deployment","data":{"#,
            r#"{"event":"incident","data":{"id":7,"caused_by":"d1","severity":"high","#,
        );
        let expected = json!({
            "kind": "incident", "id": "7", "service": "shop", "severity": "high",
            "state": "detected", "detected_at": "2026-01-15T12:00:45Z", "caused_by": "d1",
        });
        assert_eq!(meaning(&incident), expected);
        let alert = changed(
            FREE_DEPLOYMENT,
            "\"deployment\",\"status\":\"success\"",
            "\"alert\",\"message\":\"High CPU\"",
        );
        let expected = json!({
            "kind": "alert", "name": "High CPU", "environment": "production", "state": "firing",
            "started_at": "2026-01-15T12:00:45Z",
        });
        assert_eq!(meaning(&alert), expected);
        let build = changed(FREE_DEPLOYMENT, "\"deployment\"", "\"build\"");
        assert_eq!(meaning(&build)["kind"], "build");
        assert_eq!(meaning(&event(UNKNOWN)), json!({"kind": "other"}));
    }

    #[test]
    fn a_body_that_names_itself_is_free_form_whatever_else_it_holds() {
        for (name, fields, body) in [PAGERDUTY, ALERTS, ARGOCD, BARE_CDEVENT, STANDARD] {
            let named = body.replacen('{', r#"{"event_type":"mine","#, 1);
            let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
            let read = send(&fields, named.as_bytes()).unwrap();
            assert_eq!((read.len(), read[0].event_type.as_str()), (1, "mine"), "{name}");
        }
    }
}
