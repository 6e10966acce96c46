//! What is built in a tool's format from what happened is read back as what happened.
//!
//! The builders here are the slow obvious opposite of the readers: a body with the members that the
//! tool's documentation names, filled from a meaning that the format can carry.

use proptest::prelude::*;
use rr_domain::Timestamp;
use serde_json::{Value, json};

use super::vectors::send;
use rr_domain::{
    Alert, AlertState, Build, Change, Commit, Deployment, Incident, IncidentState, Meaning,
    Progress, Trigger,
};

pub(super) fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9-]{0,12}", "[^\\x00-\\x1f\\x7f-\\x9f\"\\\\]{1,12}"]
}

fn sha() -> impl Strategy<Value = String> {
    "[0-9a-f]{39}[1-9a-f]"
}

/// To the second, as the coarsest of the formats writes them.
pub(super) fn time() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000).prop_map(|seconds| Timestamp::from_seconds(seconds).unwrap())
}

fn progress() -> impl Strategy<Value = Progress> {
    prop_oneof![
        Just(Progress::Running),
        Just(Progress::Succeeded),
        Just(Progress::Failed),
        Just(Progress::Cancelled),
    ]
}

prop_compose! {
    /// A deployment as most formats carry it.
    fn deployment()(
        id in 1_u64..1_000_000_000, service in name(), environment in name(), result in progress(),
        started_at in time(), finished in time(), artifact in name(), sha in sha(),
    ) -> Deployment {
        Deployment {
            id: Some(id.to_string()), service, environment: Some(environment), result,
            started_at: Some(started_at), finished_at: result.end(Some(finished)),
            artifact: Some(artifact), commits: vec![Commit { sha, committed_at: None }],
            previous: None, trigger: Trigger::Planned, rolls_back: None, chain: None,
        }
    }
}

prop_compose! {
    fn build()(
        id in 1_u64..1_000_000_000, service in name(), pipeline in name(), commit in sha(),
        result in progress(), started_at in time(), finished in time(),
    ) -> Build {
        Build {
            id: Some(id.to_string()), service, name: Some(pipeline), commit: Some(commit), result,
            started_at: Some(started_at), finished_at: result.end(Some(finished)), chain: None,
        }
    }
}

prop_compose! {
    fn change()(
        service in name(), reference in name(), previous in sha(),
        commits in prop::collection::vec((sha(), time()), 1..5),
    ) -> Change {
        let commits: Vec<Commit> = commits
            .into_iter()
            .map(|(sha, at)| Commit { sha, committed_at: Some(at) })
            .collect();
        let last = commits.last().unwrap().clone();
        Change {
            id: Some(last.sha), service, reference: Some(reference), commits,
            previous: Some(previous), merged_at: last.committed_at,
        }
    }
}

/// The words of GitHub; GitLab's and Argo CD's differ in one or the other.
fn word(result: Progress) -> &'static str {
    match result {
        Progress::Running => "in_progress",
        Progress::Succeeded => "success",
        Progress::Failed => "failure",
        Progress::Cancelled => "cancelled",
    }
}

fn number(id: &Option<String>) -> Value {
    json!(id.as_ref().unwrap().parse::<u64>().unwrap())
}

fn read(fields: &[(&str, &[u8])], body: &Value) -> Meaning {
    send(fields, body.to_string().as_bytes()).unwrap().remove(0).meaning
}

/// As GitLab writes it, in a zone of its own.
fn gitlab_time(at: Option<Timestamp>) -> Value {
    json!(at.map(|at| at.to_string().replace('T', " ").replace('Z', " +0000")))
}

fn commits(commits: &[Commit]) -> Value {
    let commit = |commit: &Commit| json!({"id": commit.sha, "timestamp": commit.committed_at});
    commits.iter().map(commit).collect()
}

proptest! {
    #[test]
    fn a_deployment_of_github(built in deployment()) {
        let body = json!({
            "action": "created",
            "deployment_status": {
                "state": word(built.result), "environment": built.environment,
                "created_at": built.finished_at,
            },
            "deployment": {
                "id": number(&built.id), "sha": built.commits[0].sha, "ref": built.artifact,
                "task": "deploy", "environment": "as planned", "created_at": built.started_at,
            },
            "repository": {"name": built.service, "full_name": "octo/x"},
        });
        let meaning = read(&[("x-github-event", b"deployment_status")], &body);
        prop_assert_eq!(meaning, Meaning::Deployment(built));
    }

    #[test]
    fn a_deployment_of_gitlab(built in deployment()) {
        let started_at = if built.result == Progress::Running { built.started_at } else { None };
        let built = Deployment { started_at, ..built };
        let body = json!({
            "object_kind": "deployment", "status": word(built.result),
            "status_changed_at": gitlab_time(built.started_at.or(built.finished_at)),
            "deployment_id": number(&built.id), "environment": built.environment,
            "project": {"name": built.service}, "ref": built.artifact,
            "commit_url": format!("https://gitlab.example.com/-/commit/{}", built.commits[0].sha),
        });
        let meaning = read(&[("x-gitlab-event", b"Deployment Hook")], &body);
        prop_assert_eq!(meaning, Meaning::Deployment(built));
    }

    #[test]
    fn a_sync_of_argo_cd(built in deployment()) {
        let id = Some(format!("{}@{}", built.service, built.started_at.unwrap()));
        let built = Deployment { id, artifact: None, ..built };
        let body = json!({"app": {
            "metadata": {"name": built.service},
            "spec": {"destination": {"namespace": built.environment}},
            "status": {"operationState": {
                "phase": word(built.result), "startedAt": built.started_at,
                "finishedAt": built.finished_at,
                "syncResult": {"revision": built.commits[0].sha},
            }},
        }});
        // Application names are short; a longer one makes an id that is no name, and then none.
        prop_assert_eq!(read(&[], &body), Meaning::Deployment(built));
    }

    #[test]
    fn a_deployment_of_cdevents(built in deployment(), back in any::<bool>(), chain in name()) {
        let built = Deployment {
            result: Progress::Succeeded, started_at: None, finished_at: built.started_at,
            commits: Vec::new(), chain: Some(chain),
            trigger: if back { Trigger::Rollback } else { Trigger::Planned },
            rolls_back: back.then(|| "the one before".to_owned()),
            ..built
        };
        let predicate = if back { "rolledback" } else { "deployed" };
        let links = json!([{
            "linkType": "RELATION", "linkKind": "ROLLBACK",
            "target": {"contextId": built.rolls_back},
        }]);
        let body = json!({
            "context": {
                "specversion": "0.5.1", "id": built.id, "source": "/x", "chainId": built.chain,
                "type": format!("dev.cdevents.service.{predicate}.0.3.0"),
                "timestamp": built.finished_at, "links": links,
            },
            "subject": {"id": built.service, "content": {
                "environment": {"id": built.environment}, "artifactId": built.artifact,
            }},
        });
        prop_assert_eq!(read(&[], &body), Meaning::Deployment(built));
    }

    #[test]
    fn a_deployment_in_free_form(
        built in deployment(), rolls_back in prop::option::of(name()), previous in sha(),
        list in prop::collection::vec((sha(), time()), 1..4),
    ) {
        let trigger = if rolls_back.is_some() { Trigger::Rollback } else { Trigger::Hotfix };
        let commits_built: Vec<Commit> =
            list.into_iter().map(|(sha, at)| Commit { sha, committed_at: Some(at) }).collect();
        let built = Deployment {
            trigger, rolls_back, previous: Some(previous), commits: commits_built, ..built
        };
        let body = json!({
            "event_type": "deployment", "id": number(&built.id), "service": built.service,
            "environment": built.environment, "status": word(built.result),
            "started_at": built.started_at, "finished_at": built.finished_at,
            "version": built.artifact, "commits": commits(&built.commits),
            "previous_commit": built.previous, "trigger": built.trigger,
            "rolls_back": built.rolls_back,
        });
        prop_assert_eq!(read(&[], &body), Meaning::Deployment(built));
    }

    #[test]
    fn a_run_of_github(built in build()) {
        let conclusion = (built.result != Progress::Running).then(|| word(built.result));
        let body = json!({
            "action": "completed",
            "workflow_run": {
                "id": number(&built.id), "name": built.name, "head_sha": built.commit,
                "conclusion": conclusion, "run_started_at": built.started_at,
                "updated_at": built.finished_at.or(built.started_at),
            },
            "repository": {"name": built.service},
        });
        let meaning = read(&[("x-github-event", b"workflow_run")], &body);
        prop_assert_eq!(meaning, Meaning::Build(built));
    }

    #[test]
    fn a_pipeline_of_gitlab(built in build()) {
        let body = json!({
            "object_kind": "pipeline",
            "object_attributes": {
                "id": number(&built.id), "name": built.name, "sha": built.commit,
                "status": word(built.result), "created_at": gitlab_time(built.started_at),
                "finished_at": gitlab_time(built.finished_at),
            },
            "project": {"name": built.service},
        });
        let meaning = read(&[("x-gitlab-event", b"Pipeline Hook")], &body);
        prop_assert_eq!(meaning, Meaning::Build(built));
    }

    #[test]
    fn a_push(built in change(), gitlab in any::<bool>()) {
        let body = json!({
            "object_kind": "push", "ref": built.reference, "before": built.previous,
            "after": built.id, "commits": commits(&built.commits),
            "head_commit": {"timestamp": built.merged_at},
            "repository": {"name": built.service}, "project": {"name": built.service},
        });
        let fields: [(&str, &[u8]); 1] =
            if gitlab { [("x-gitlab-event", b"Push Hook")] } else { [("x-github-event", b"push")] };
        prop_assert_eq!(read(&fields, &body), Meaning::Change(built));
    }

    #[test]
    fn a_release_of_github(service in name(), tag in name(), at in time()) {
        let body = json!({
            "action": "published", "release": {"tag_name": tag, "published_at": at},
            "repository": {"name": service},
        });
        let built = Change {
            id: Some(tag.clone()), service, reference: Some(format!("refs/tags/{tag}")),
            commits: Vec::new(), previous: None, merged_at: Some(at),
        };
        prop_assert_eq!(read(&[("x-github-event", b"release")], &body), Meaning::Change(built));
    }

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
        let body = json!({
            "context": {
                "specversion": "0.5.1", "id": "e", "source": "/x", "chainId": built.chain,
                "type": format!("dev.cdevents.incident.{predicate}.0.3.0"), "timestamp": at,
                "links": [{"linkType": "RELATION", "target": {"contextId": built.caused_by}}],
            },
            "subject": {"id": built.id, "content": {
                "environment": {"id": built.environment}, "service": {"id": built.service},
                "artifactId": built.artifact,
            }},
        });
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
    fn an_alert_of_alertmanager(
        id in name(), alert in name(), service in name(), environment in name(),
        severity in name(), started_at in time(), end in time(), over in any::<bool>(),
    ) {
        let state = if over { AlertState::Resolved } else { AlertState::Firing };
        let built = Alert {
            id: Some(id), name: Some(alert), service: Some(service),
            environment: Some(environment), severity: Some(severity), state,
            started_at: Some(started_at), ended_at: over.then_some(end),
        };
        let body = json!({"version": "4", "groupKey": "g", "alerts": [{
            "status": state, "startsAt": built.started_at, "endsAt": end, "fingerprint": built.id,
            "labels": {
                "alertname": built.name, "service": built.service, "env": built.environment,
                "severity": built.severity,
            },
        }]});
        prop_assert_eq!(read(&[], &body), Meaning::Alert(built));
    }
}
