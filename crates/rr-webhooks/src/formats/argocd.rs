//! Argo CD notifications. The body is whatever the template says; the one we document sends
//! `{"app": …}` with the parts of the Application that are read here, and a template that sends
//! the whole Application under `app` is understood as well.
//!
//! A notification has no id; the same body again is the same notification tried again.

use serde_json::value::RawValue;

use super::{Read, Source, digest, dotted, hex, joined};
use crate::event::{Dedupe, Event};
use crate::view::View;
use rr_domain::{Commit, Deployment, Meaning, Progress, Trigger};

/// The event, if the body is one.
pub(super) fn read(source: Source<'_>, body: View<'_>, data: &RawValue) -> Option<Event> {
    let app = body.part("/app");
    let name = app.text("/metadata/name")?;
    if !app.part("/status").is_object() {
        return None;
    }
    let phase = app.text("/status/operationState/phase");
    let at = app
        .time("/status/operationState/finishedAt")
        .or_else(|| app.time("/status/operationState/startedAt"));
    let fingerprint = digest(source.body);
    let read = Read {
        event_type: dotted("argocd", &[Some("sync".to_owned()), phase.clone()]),
        source: joined("argocd", &[Some(name.clone())]),
        occurred_at: at,
        meaning: phase.map_or(Meaning::Other, |phase| deployment(app, name, &phase)),
        dedupe: vec![Dedupe {
            scope: format!("argocd/{}", source.key_id),
            key: hex(&fingerprint),
            fingerprint,
        }],
    };
    Some(read.event(data, source.media))
}

fn deployment(app: View<'_>, name: String, phase: &str) -> Meaning {
    let result = Progress::read(phase);
    let begun = app.text("/status/operationState/startedAt");
    let sha = app
        .sha("/status/operationState/syncResult/revision")
        .or_else(|| app.sha("/status/sync/revision"));
    Meaning::Deployment(Deployment {
        // A sync has no id of its own; one application runs one at a time.
        id: begun.map(|begun| format!("{name}@{begun}")),
        service: name,
        environment: app.first(&[
            "/metadata/labels/environment",
            "/metadata/labels/env",
            "/spec/destination/name",
            "/spec/destination/namespace",
        ]),
        result,
        started_at: app.time("/status/operationState/startedAt"),
        finished_at: result.end(app.time("/status/operationState/finishedAt")),
        artifact: None,
        commits: sha.map(|sha| Commit { sha, committed_at: None }).into_iter().collect(),
        previous: None,
        trigger: Trigger::Planned,
        rolls_back: None,
        chain: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::formats::vectors::{ARGOCD, changed, event, meaning};

    #[test]
    fn a_sync_is_a_deployment() {
        let read = event(ARGOCD);
        assert_eq!(
            (read.event_type.as_str(), read.source.as_str()),
            ("argocd.sync.succeeded", "argocd/shop")
        );
        let expected = json!({
            "kind": "deployment", "id": "shop@2026-01-15T12:00:00Z", "service": "shop",
            "environment": "prod", "result": "succeeded", "trigger": "planned",
            "started_at": "2026-01-15T12:00:00Z", "finished_at": "2026-01-15T12:01:00Z",
            "commits": [{"sha": "279484c09fbe69ededfced8c1bb6e6d24616b468"}],
        });
        assert_eq!(meaning(&read), expected);
        assert_eq!(read.dedupe[0].scope, "argocd/00000000-0000-0000-0000-000000000007");
        assert_eq!(read.dedupe, event(ARGOCD).dedupe, "tried again");
        let failed = changed(ARGOCD, "Succeeded", "Failed");
        assert_eq!(meaning(&failed)["result"], "failed");
        assert_ne!(failed.dedupe, read.dedupe);
        for body in [r#"{"app":"shop"}"#, r#"{"app":{"metadata":{"name":"x"}}}"#] {
            assert_eq!(event(("no Application", &[], body)).event_type, "unknown");
        }
    }
}
