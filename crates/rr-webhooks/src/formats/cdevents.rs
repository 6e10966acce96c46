//! CDEvents 0.5: `context` and `subject`, as the data of a CloudEvent or on their own.
//!
//! A type is `dev.cdevents.<subject>.<predicate>.<version>`. The version is not looked at: what is
//! read here has stayed the same from 0.3 to 0.5.

use serde_json::value::RawValue;

use super::cloudevents::identity;
use super::{Read, Source};
use crate::event::Event;
use crate::view::View;
use rr_domain::{Build, Change, Deployment, Incident, IncidentState, Meaning, Progress, Trigger};

/// What the types of CDEvents begin with.
const PREFIX: &str = "dev.cdevents.";

/// Whether a CloudEvent of this type carries a CDEvent.
pub(super) fn is_type(event_type: &str) -> bool {
    event_type.starts_with(PREFIX)
}

/// The event, if the body is one without a CloudEvent around it. It is the same event as with one,
/// so it is told apart by the same id.
pub(super) fn read(source: Source<'_>, body: View<'_>, data: &RawValue) -> Option<Event> {
    if !body.has("/subject") {
        return None;
    }
    let event_type = body.text("/context/type").filter(|name| is_type(name))?;
    let (id, from) = (body.text("/context/id")?, body.text("/context/source")?);
    let read = Read {
        occurred_at: body.time("/context/timestamp"),
        meaning: meaning(&event_type, body),
        dedupe: vec![identity(source.key_id, &from, id, &event_type, Some(body.0))],
        event_type,
        source: from,
    };
    Some(read.event(data, source.media))
}

/// What a CDEvent says happened.
pub(super) fn meaning(event_type: &str, body: View<'_>) -> Meaning {
    let mut words = event_type.strip_prefix(PREFIX).unwrap_or_default().split('.');
    match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
        ("service", "deployed" | "upgraded") => deployment(body, Trigger::Planned),
        ("service", "rolledback") => deployment(body, Trigger::Rollback),
        ("incident", "detected" | "reported") => incident(body, IncidentState::Detected),
        ("incident", "resolved") => incident(body, IncidentState::Resolved),
        ("pipelinerun" | "build", "queued" | "started") => build(body, Progress::Running),
        ("pipelinerun", "finished") => {
            // It is over, however that is put; whoever says nothing against it means that it went well.
            let outcome = body.text("/subject/content/outcome").map(|word| Progress::read(&word));
            let over = outcome.filter(|outcome| *outcome != Progress::Running);
            build(body, over.unwrap_or(Progress::Succeeded))
        }
        ("build", "finished") => build(body, Progress::Succeeded),
        ("change", "merged") => change(body),
        _ => Meaning::Other,
    }
}

/// The subject is the service, so the deployment is told apart by its event: that is also what
/// links of other events point at.
fn deployment(body: View<'_>, trigger: Trigger) -> Meaning {
    Meaning::Deployment(Deployment {
        id: body.text("/context/id"),
        service: subject(body),
        environment: body.text("/subject/content/environment/id"),
        result: Progress::Succeeded,
        started_at: None,
        finished_at: body.time("/context/timestamp"),
        artifact: body.text("/subject/content/artifactId"),
        commits: Vec::new(),
        previous: None,
        trigger,
        rolls_back: if trigger == Trigger::Rollback { related(body) } else { None },
        chain: body.text("/context/chainId"),
    })
}

fn incident(body: View<'_>, state: IncidentState) -> Meaning {
    let at = body.time("/context/timestamp");
    let when = |wanted| if state == wanted { at } else { None };
    Meaning::Incident(Incident {
        id: body.text("/subject/id"),
        service: body.text("/subject/content/service/id"),
        environment: body.text("/subject/content/environment/id"),
        severity: None,
        state,
        detected_at: when(IncidentState::Detected),
        acknowledged_at: None,
        resolved_at: when(IncidentState::Resolved),
        caused_by: related(body),
        artifact: body.text("/subject/content/artifactId"),
        chain: body.text("/context/chainId"),
    })
}

fn build(body: View<'_>, result: Progress) -> Meaning {
    let at = body.time("/context/timestamp");
    Meaning::Build(Build {
        id: body.text("/subject/id"),
        service: body.text("/subject/content/pipelineName").unwrap_or_else(|| subject(body)),
        name: body.text("/subject/content/pipelineName"),
        commit: None,
        result,
        started_at: if result == Progress::Running { at } else { None },
        finished_at: result.end(at),
        chain: body.text("/context/chainId"),
    })
}

fn change(body: View<'_>) -> Meaning {
    Meaning::Change(Change {
        id: body.text("/subject/id"),
        service: body.text("/subject/content/repository/id").unwrap_or_else(|| subject(body)),
        reference: None,
        commits: Vec::new(),
        previous: None,
        merged_at: body.time("/context/timestamp"),
    })
}

fn subject(body: View<'_>) -> String {
    body.first(&["/subject/id", "/context/source"]).unwrap_or_else(|| "cdevents".to_owned())
}

/// The event that this one is tied to by a link of the kind RELATION.
fn related(body: View<'_>) -> Option<String> {
    (0..16)
        .map(|index| body.part(&format!("/context/links/{index}")))
        .find(|link| link.text("/linkType").as_deref() == Some("RELATION"))?
        .text("/target/contextId")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::formats::vectors::{
        BARE_CDEVENT, BINARY, CDEVENT, CDEVENT_CHANGE, CDEVENT_RUN, changed, event, meaning,
        outline,
    };

    #[test]
    fn deployments_incidents_runs_and_changes_are_understood() {
        let deployed = event(CDEVENT);
        let ids = vec![("cloudevents/00000000-0000-0000-0000-000000000007//ci", "271069a8")];
        let at = Some("2026-01-15T12:00:00Z".to_owned());
        assert_eq!(outline(&deployed), ("dev.cdevents.service.rolledback.0.3.0", "/ci", at, ids));
        let expected = json!({
            "kind": "deployment", "id": "271069a8", "service": "shop", "environment": "prod",
            "result": "succeeded", "finished_at": "2026-01-15T12:00:00Z",
            "artifact": "pkg:oci/shop@sha256%3A0b31", "trigger": "rollback",
            "rolls_back": "5328c37f", "chain": "4c8cb7dd",
        });
        assert_eq!(meaning(&deployed), expected);
        assert_eq!(meaning(&event(BINARY))["kind"], "deployment");
        let resolved = event(BARE_CDEVENT);
        assert!(resolved.dedupe[0].scope.ends_with("//monitoring"));
        let expected = json!({
            "kind": "incident", "id": "incident-123", "service": "shop", "environment": "prod",
            "state": "resolved", "resolved_at": "2026-01-15T13:52:20Z", "artifact": "pkg:oci/shop",
            "chain": "4c8cb7dd",
        });
        assert_eq!(meaning(&resolved), expected);
        let run = json!({
            "kind": "build", "id": "run-1", "service": "main", "name": "main", "result": "failed",
            "finished_at": "2026-01-15T12:00:00Z",
        });
        assert_eq!(meaning(&event(CDEVENT_RUN)), run);
        let change = json!({
            "kind": "change", "id": "change-1", "service": "octo/shop",
            "merged_at": "2026-01-15T12:00:00Z",
        });
        assert_eq!(meaning(&event(CDEVENT_CHANGE)), change);
        for other in ["dev.cdevents.taskrun.started.0.3.0", "dev.cdevents.", "dev.cdevents.service"]
        {
            let read = changed(CDEVENT_CHANGE, "dev.cdevents.change.merged.0.3.0", other);
            assert_eq!(meaning(&read), json!({"kind": "other"}), "{other}");
        }
        let foreign = changed(CDEVENT_CHANGE, "dev.cdevents.change", "com.example.change");
        assert_eq!(foreign.event_type, "unknown");
    }
}
