//! Requests as the tools send them, by their documentation; the tests of every format start from these.

use rr_domain::Timestamp;
use uuid::Uuid;

use crate::{Event, Format, Incoming, Policy, Refusal, accept};

pub(super) const KEY: Uuid = Uuid::from_u128(7);

/// A request: its name here, its header fields, its body.
pub(super) type Vector = (&'static str, &'static [(&'static str, &'static str)], &'static str);

pub(super) const FREE_DEPLOYMENT: Vector = (
    "free form",
    &[],
    r#"{"event_type":"deployment","status":"success","version":"1.2.3","environment":"production","deployTime":45,"timestamp":"2026-01-15T12:00:45Z"}"#,
);

pub(super) const SCRIPT: Vector = (
    "the DevOps module's script",
    &[],
    r#"{"event":"deployment","data":{"service":"shop","status":"failed","commit":"6dcb09b5b57875f334f61aebed695e2e4193db5e"},"timestamp":"2026-01-15T12:00:45Z"}"#,
);

pub(super) const STANDARD: Vector = (
    "Standard Webhooks",
    &[("webhook-id", "msg_1"), ("webhook-timestamp", "1768478400")],
    r#"{"type":"invoice.paid","timestamp":"2026-01-15T12:00:00Z","data":{"id":"inv_1"}}"#,
);

pub(super) const CDEVENT: Vector = (
    "CDEvents in CloudEvents",
    &[("content-type", "application/cloudevents+json")],
    r#"{"specversion":"1.0","id":"271069a8","source":"/ci","type":"dev.cdevents.service.rolledback.0.3.0","time":"2026-01-15T12:00:00Z","subject":"shop","data":{"context":{"specversion":"0.5.1","id":"271069a8","chainId":"4c8cb7dd","source":"/ci","type":"dev.cdevents.service.rolledback.0.3.0","timestamp":"2026-01-15T12:00:00Z","links":[{"linkType":"PATH","from":{"contextId":"no"}},{"linkType":"RELATION","linkKind":"TRIGGER","target":{"contextId":"5328c37f"}}]},"subject":{"id":"shop","source":"/ci","content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/shop@sha256%3A0b31"}}}}"#,
);

pub(super) const BARE_CDEVENT: Vector = (
    "CDEvents alone",
    &[],
    r#"{"context":{"specversion":"0.5.1","id":"F4BD2B55","chainId":"4c8cb7dd","source":"/monitoring","type":"dev.cdevents.incident.resolved.0.3.0","timestamp":"2026-01-15T13:52:20Z"},"subject":{"id":"incident-123","content":{"environment":{"id":"prod"},"service":{"id":"shop"},"artifactId":"pkg:oci/shop"}}}"#,
);

pub(super) const CDEVENT_RUN: Vector = (
    "CDEvents: a run",
    &[],
    r#"{"context":{"specversion":"0.5.1","id":"1","source":"/ci","type":"dev.cdevents.pipelinerun.finished.0.3.0","timestamp":"2026-01-15T12:00:00Z"},"subject":{"id":"run-1","content":{"pipelineName":"main","outcome":"failure","errors":"it broke"}}}"#,
);

pub(super) const CDEVENT_CHANGE: Vector = (
    "CDEvents: a change",
    &[],
    r#"{"context":{"specversion":"0.5.1","id":"2","source":"/scm","type":"dev.cdevents.change.merged.0.3.0","timestamp":"2026-01-15T12:00:00Z"},"subject":{"id":"change-1","content":{"repository":{"id":"octo/shop"}}}}"#,
);

pub(super) const BATCH: Vector = (
    "CloudEvents batch",
    &[("content-type", "application/cloudevents-batch+json; charset=utf-8")],
    r#"[ {"specversion":"1.0","id":"1","source":"/s","type":"a"} , {"specversion":"1.0","id":"2","source":"/s","type":"b","data":{"x": 1.50}} ]"#,
);

pub(super) const GITHUB_DEPLOYMENT: Vector = (
    "GitHub deployment",
    &[
        ("X-GitHub-Event", "deployment"),
        ("X-GitHub-Delivery", "0b989ba4-242f-11e5-81e1-c7b6966d2516"),
    ],
    r#"{"action":"created","deployment":{"id":145988746,"sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","ref":"main","task":"deploy:rollback","payload":{},"original_environment":"production","environment":"production","created_at":"2026-01-15T12:00:00Z","updated_at":"2026-01-15T12:00:00Z"},"repository":{"id":186853002,"name":"shop","full_name":"octo/shop"}}"#,
);

pub(super) const GITHUB_STATUS: Vector = (
    "GitHub deployment_status",
    &[
        ("X-GitHub-Event", "deployment_status"),
        ("X-GitHub-Delivery", "0b989ba4-242f-11e5-81e1-c7b6966d2517"),
    ],
    r#"{"action":"created","deployment_status":{"id":209916254,"state":"success","environment":"production","created_at":"2026-01-15T12:03:00Z"},"deployment":{"id":145988746,"sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","ref":"main","task":"deploy","payload":{"service":"checkout"},"environment":"production","created_at":"2026-01-15T12:00:00Z"},"repository":{"name":"shop","full_name":"octo/shop"}}"#,
);

pub(super) const GITHUB_RUN: Vector = (
    "GitHub workflow_run",
    &[("X-GitHub-Event", "workflow_run"), ("X-GitHub-Delivery", "d3")],
    r#"{"action":"completed","workflow_run":{"id":30433642,"name":"Build","head_branch":"main","head_sha":"acb5820ced9479c074f688cc328bf03f341a511d","status":"completed","conclusion":"failure","created_at":"2026-01-15T12:00:00Z","run_started_at":"2026-01-15T12:00:10Z","updated_at":"2026-01-15T12:09:00Z"},"repository":{"name":"shop","full_name":"octo/shop"}}"#,
);

pub(super) const GITHUB_PUSH: Vector = (
    "GitHub push",
    &[("X-GitHub-Event", "push"), ("X-GitHub-Delivery", "d4")],
    r#"{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","created":false,"deleted":false,"forced":false,"commits":[{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","message":"Update","timestamp":"2026-01-15T11:58:00+01:00"}],"head_commit":{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","timestamp":"2026-01-15T11:58:00+01:00"},"repository":{"name":"shop","full_name":"octo/shop"}}"#,
);

pub(super) const GITHUB_RELEASE: Vector = (
    "GitHub release",
    &[("X-GitHub-Event", "release"), ("X-GitHub-Delivery", "d5")],
    r#"{"action":"published","release":{"id":1,"tag_name":"v1.2.0","target_commitish":"main","published_at":"2026-01-15T12:00:00Z"},"repository":{"name":"shop","full_name":"octo/shop"}}"#,
);

pub(super) const GITHUB_PING: Vector = (
    "GitHub ping",
    &[("X-GitHub-Event", "ping"), ("X-GitHub-Delivery", "d6")],
    r#"{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"type":"Repository"},"repository":{"full_name":"octo/shop"}}"#,
);

pub(super) const GITLAB_DEPLOYMENT: Vector = (
    "GitLab deployment",
    &[("X-Gitlab-Event", "Deployment Hook"), ("Idempotency-Key", "f5e5f430")],
    r#"{"object_kind":"deployment","status":"success","status_changed_at":"2026-01-15 13:00:00 +0100","deployment_id":15,"deployable_id":796,"environment":"staging","environment_tier":"staging","project":{"id":30,"name":"shop","path_with_namespace":"octo/shop"},"ref":"main","short_sha":"279484c0","commit_url":"https://gitlab.example.com/octo/shop/-/commit/279484c09fbe69ededfced8c1bb6e6d24616b468"}"#,
);

pub(super) const GITLAB_PIPELINE: Vector = (
    "GitLab pipeline",
    &[("X-Gitlab-Event", "Pipeline Hook")],
    r#"{"object_kind":"pipeline","object_attributes":{"id":31,"name":"Pipeline for main","ref":"main","sha":"bcbb5ec396a2c0f828686f14fac9b80b780504f2","before_sha":"0000000000000000000000000000000000000000","status":"canceled","created_at":"2026-01-15 12:00:00 UTC","finished_at":"2026-01-15 12:05:30 UTC","duration":330},"project":{"name":"shop","path_with_namespace":"octo/shop"}}"#,
);

pub(super) const GITLAB_PUSH: Vector = (
    "GitLab push",
    &[("X-Gitlab-Event", "Push Hook")],
    r#"{"object_kind":"push","event_name":"push","before":"0000000000000000000000000000000000000000","after":"da1560886d4f094c3e6c9ef40349f7d38b5d27d7","ref":"refs/heads/main","project":{"name":"shop","path_with_namespace":"octo/shop"},"commits":[{"id":"b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327","timestamp":"2026-01-15T11:00:00+00:00"},{"id":"da1560886d4f094c3e6c9ef40349f7d38b5d27d7","timestamp":"2026-01-15T11:30:00+00:00"}],"total_commits_count":2}"#,
);

pub(super) const GITLAB_RELEASE: Vector = (
    "GitLab release",
    &[("X-Gitlab-Event", "Release Hook")],
    r#"{"id":1,"object_kind":"release","created_at":"2026-01-15 12:00:00 UTC","released_at":"2026-01-15 12:00:00 UTC","tag":"v1.1","name":"v1.1","action":"create","project":{"name":"shop","path_with_namespace":"octo/shop"},"commit":{"id":"ee0a3fb31ac16e11b9dbb596ad16d4af654d08f8","timestamp":"2026-01-15T11:00:00Z"}}"#,
);

pub(super) const ALERTS: Vector = (
    "Alertmanager",
    &[("User-Agent", "Alertmanager/0.28.1")],
    r#"{"version":"4","groupKey":"{}:{alertname=\"HighLatency\"}","truncatedAlerts":0,"status":"firing","receiver":"devops","groupLabels":{"alertname":"HighLatency"},"commonLabels":{},"commonAnnotations":{},"externalURL":"https://alerts.example.com","alerts":[{"status":"firing","labels":{"alertname":"HighLatency","service":"shop","env":"prod","severity":"page"},"annotations":{"summary":"p99 is 2.1 s"},"startsAt":"2026-01-15T12:00:00.5Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"c1d0b2a3e4f50617"},{"status":"resolved","labels":{"alertname":"HighLatency","job":"cart"},"annotations":{},"startsAt":"2026-01-15T11:00:00Z","endsAt":"2026-01-15T11:30:00Z","generatorURL":"","fingerprint":"d2e1c3b4f5061728"}]}"#,
);

pub(super) const PAGERDUTY: Vector = (
    "PagerDuty",
    &[("X-Webhook-Id", "3ab4b0c7"), ("User-Agent", "PagerDuty-Webhook/V3.0")],
    r#"{"event":{"id":"01BWDWL3NYY7LUFPZCC28QUCMK","event_type":"incident.acknowledged","resource_type":"incident","occurred_at":"2026-01-15T12:05:00.458Z","agent":{"type":"user_reference"},"client":null,"data":{"id":"PGR0VU2","type":"incident","number":2,"status":"acknowledged","created_at":"2026-01-15T12:00:00Z","title":"A little bump in the road","service":{"id":"PF9KMXH","summary":"API Service"},"priority":{"id":"PSO75BM","summary":"P1"},"urgency":"high"}}}"#,
);

pub(super) const PAGERDUTY_PING: Vector = (
    "PagerDuty's test",
    &[],
    r#"{"event":{"id":"01BWDWL3","event_type":"pagey.ping","resource_type":"pagey","occurred_at":"2026-01-15T12:05:00Z","agent":null,"client":null,"data":{"message":"Hello from your friend Pagey!","type":"ping"}}}"#,
);

pub(super) const ARGOCD: Vector = (
    "Argo CD",
    &[("content-type", "application/json")],
    r#"{"app":{"metadata":{"name":"shop"},"spec":{"destination":{"namespace":"prod"}},"status":{"sync":{"status":"Synced","revision":"279484c09fbe69ededfced8c1bb6e6d24616b468"},"health":{"status":"Healthy"},"operationState":{"phase":"Succeeded","startedAt":"2026-01-15T12:00:00Z","finishedAt":"2026-01-15T12:01:00Z","syncResult":{"revision":"279484c09fbe69ededfced8c1bb6e6d24616b468"}}}}}"#,
);

pub(super) const BINARY: Vector = (
    "CloudEvents binary",
    &[
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/ci"),
        ("ce-type", "dev.cdevents.service.deployed.0.3.0"),
    ],
    r#"{"context":{"id":"1","source":"/ci","type":"dev.cdevents.service.deployed.0.3.0","timestamp":"2026-01-15T12:00:00Z"},"subject":{"id":"shop","content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/shop"}}}"#,
);

pub(super) const STRUCTURED: Vector = (
    "CloudEvents structured",
    &[("content-type", "application/cloudevents+json")],
    r#"{"specversion":"1.0","id":"9","source":"/s","type":"t","data_base64":"AA=="}"#,
);

pub(super) const UNKNOWN: Vector = ("anything", &[], r#"{"anything":{"else":[1,2.50,null]}}"#);

/// The events of a request.
pub(super) fn send(fields: &[(&str, &[u8])], body: &[u8]) -> Result<Vec<Event>, Refusal> {
    send_with(KEY, fields, body)
}

/// The same, of another key.
pub(super) fn send_with(
    key_id: Uuid,
    fields: &[(&str, &[u8])],
    body: &[u8],
) -> Result<Vec<Event>, Refusal> {
    let incoming = Incoming { headers: fields, body, received_at: Timestamp::EPOCH, key_id };
    accept(&incoming, &Policy { secrets: &[], max_bytes: 262_144, format: Format::Auto })
}

/// The events of a vector.
pub(super) fn events((_, fields, body): Vector) -> Vec<Event> {
    let fields: Vec<(&str, &[u8])> =
        fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    send(&fields, body.as_bytes()).unwrap()
}

/// The one event of a vector, shown as it was sent.
pub(super) fn event(vector: Vector) -> Event {
    let mut events = events(vector);
    assert_eq!(events.len(), 1, "{}", vector.0);
    events.remove(0)
}

/// The same with a part of the body replaced.
pub(super) fn changed(vector: Vector, old: &str, new: &str) -> Event {
    let (name, fields, body) = vector;
    assert!(body.contains(old), "{name} has no {old}");
    let fields: Vec<(&str, &[u8])> =
        fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    send(&fields, body.replace(old, new).as_bytes()).unwrap().remove(0)
}

/// Type, source and time of an event, and the ids it is told apart by.
pub(super) fn outline(event: &Event) -> (&str, &str, Option<String>, Vec<(&str, &str)>) {
    let ids = event.dedupe.iter().map(|id| (&*id.scope, &*id.key));
    let at = event.occurred_at.map(|at| at.to_string());
    (&event.event_type, &event.source, at, ids.collect())
}

/// What it says happened, as it would be stored.
pub(super) fn meaning(event: &Event) -> serde_json::Value {
    let stored = serde_json::to_value(&event.meaning).unwrap();
    let back: crate::Meaning = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(back, event.meaning, "what is stored reads back");
    stored
}
