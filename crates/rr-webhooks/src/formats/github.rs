//! GitHub: `X-GitHub-Event` names the event, the body is the event's own.
//!
//! `X-GitHub-Delivery` stays the same when a delivery is sent again, so it tells a repeat.

use serde_json::value::RawValue;

use super::{Read, Source, digest, dotted, joined};
use crate::Refusal;
use crate::event::{Dedupe, Event};
use crate::view::View;
use rr_domain::{Build, Change, Commit, Deployment, Meaning, Progress, Trigger};

pub(super) fn read(
    source: Source<'_>,
    name: &str,
    body: View<'_>,
    data: &RawValue,
) -> Result<Event, Refusal> {
    let delivery = source.headers.id("x-github-delivery")?;
    let (meaning, occurred_at) = match name {
        "deployment" => (deployment(body), body.time("/deployment/created_at")),
        "deployment_status" => {
            (deployment_status(body), body.time("/deployment_status/created_at"))
        }
        "workflow_run" => (workflow_run(body), body.time("/workflow_run/updated_at")),
        "push" => (push(body), body.time("/head_commit/timestamp")),
        "release" => (release(body), body.time("/release/published_at")),
        _ => (Meaning::Other, None),
    };
    let read = Read {
        event_type: dotted("github", &[Some(name.to_owned()), step(name, body)]),
        source: joined("github", &[body.text("/repository/full_name")]),
        occurred_at,
        meaning,
        dedupe: delivery
            .map(|id| Dedupe {
                scope: format!("github/{}", source.key_id),
                key: id.to_owned(),
                fingerprint: digest(source.body),
            })
            .into_iter()
            .collect(),
    };
    Ok(read.event(data, source.media))
}

/// The JSON in a form of GitHub's.
pub(super) fn payload(form: &[u8]) -> Result<String, Refusal> {
    let mut fields = form_urlencoded::parse(form).filter(|(name, _)| name == "payload");
    match (fields.next(), fields.next()) {
        (Some((_, payload)), None) => Ok(payload.into_owned()),
        _ => Err(Refusal::member("", "must be a form with one field payload")),
    }
}

/// What the event's name does not say: what became of a deployment, else the action.
fn step(name: &str, body: View<'_>) -> Option<String> {
    match name {
        "deployment_status" => body.text("/deployment_status/state"),
        _ => body.text("/action"),
    }
}

fn service(body: View<'_>) -> String {
    body.first(&["/deployment/payload/service", "/repository/name"])
        .unwrap_or_else(|| "github".to_owned())
}

fn deployment(body: View<'_>) -> Meaning {
    Meaning::Deployment(Deployment {
        id: body.id("/deployment/id"),
        service: service(body),
        environment: body.text("/deployment/environment"),
        result: Progress::Running,
        started_at: body.time("/deployment/created_at"),
        finished_at: None,
        artifact: body.text("/deployment/ref"),
        commits: commit(body.sha("/deployment/sha")),
        previous: None,
        trigger: body
            .text("/deployment/task")
            .map_or(Trigger::Planned, |task| Trigger::read(&task)),
        rolls_back: body.id("/deployment/payload/rolls_back"),
        chain: None,
    })
}

/// `inactive` says that another deployment took its place, which is no result of this one.
fn deployment_status(body: View<'_>) -> Meaning {
    let state = body.text("/deployment_status/state").unwrap_or_default();
    let Meaning::Deployment(whole) = deployment(body) else { return Meaning::Other };
    if state == "inactive" {
        return Meaning::Other;
    }
    let result = Progress::read(&state);
    let environment = body.text("/deployment_status/environment").or(whole.environment);
    let finished_at = result.end(body.time("/deployment_status/created_at"));
    Meaning::Deployment(Deployment { environment, result, finished_at, ..whole })
}

fn workflow_run(body: View<'_>) -> Meaning {
    let ended = body.text("/workflow_run/conclusion");
    let result = ended.map_or(Progress::Running, |word| Progress::read(&word));
    Meaning::Build(Build {
        id: body.id("/workflow_run/id"),
        service: service(body),
        name: body.text("/workflow_run/name"),
        commit: body.sha("/workflow_run/head_sha"),
        result,
        started_at: body.time("/workflow_run/run_started_at"),
        finished_at: result.end(body.time("/workflow_run/updated_at")),
        chain: None,
    })
}

/// A push that deletes a branch brings nothing.
fn push(body: View<'_>) -> Meaning {
    if body.is_true("/deleted") {
        return Meaning::Other;
    }
    let mut commits = body.commits("/commits");
    if commits.is_empty() {
        commits = commit(body.sha("/after"));
    }
    Meaning::Change(Change {
        id: body.sha("/after"),
        service: service(body),
        reference: body.text("/ref"),
        commits,
        previous: body.sha("/before"),
        merged_at: body.time("/head_commit/timestamp"),
    })
}

/// Only a release that is published changes anything for others.
fn release(body: View<'_>) -> Meaning {
    if body.text("/action").as_deref() != Some("published") {
        return Meaning::Other;
    }
    let tag = body.text("/release/tag_name");
    Meaning::Change(Change {
        id: tag.clone(),
        service: service(body),
        reference: tag.map(|tag| format!("refs/tags/{tag}")),
        commits: Vec::new(),
        previous: None,
        merged_at: body.time("/release/published_at"),
    })
}

fn commit(sha: Option<String>) -> Vec<Commit> {
    sha.map(|sha| Commit { sha, committed_at: None }).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::formats::vectors::{
        GITHUB_DEPLOYMENT, GITHUB_PING, GITHUB_PUSH, GITHUB_RELEASE, GITHUB_RUN, GITHUB_STATUS,
        changed, event, meaning, outline, send,
    };

    #[test]
    fn a_deployment_is_followed_from_its_start_to_its_end() {
        let started = event(GITHUB_DEPLOYMENT);
        let id =
            ("github/00000000-0000-0000-0000-000000000007", "0b989ba4-242f-11e5-81e1-c7b6966d2516");
        let at = Some("2026-01-15T12:00:00Z".to_owned());
        assert_eq!(
            outline(&started),
            ("github.deployment.created", "github/octo/shop", at, vec![id])
        );
        let expected = json!({
            "kind": "deployment", "id": "145988746", "service": "shop",
            "environment": "production", "result": "running", "trigger": "rollback",
            "started_at": "2026-01-15T12:00:00Z", "artifact": "main",
            "commits": [{"sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"}],
        });
        assert_eq!(meaning(&started), expected);
        let ended = event(GITHUB_STATUS);
        assert_eq!(ended.event_type, "github.deployment_status.success");
        let expected = json!({
            "kind": "deployment", "id": "145988746", "service": "checkout",
            "environment": "production", "result": "succeeded", "trigger": "planned",
            "started_at": "2026-01-15T12:00:00Z", "finished_at": "2026-01-15T12:03:00Z",
            "artifact": "main", "commits": [{"sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"}],
        });
        assert_eq!(meaning(&ended), expected);
        for (state, result) in [
            ("error", "failed"),
            ("failure", "failed"),
            ("in_progress", "running"),
            ("queued", "running"),
        ] {
            let read = changed(GITHUB_STATUS, "\"success\"", &format!("\"{state}\""));
            assert_eq!(meaning(&read)["result"], result, "{state}");
        }
        let replaced = changed(GITHUB_STATUS, "\"success\"", "\"inactive\"");
        assert_eq!(meaning(&replaced), json!({"kind": "other"}));
    }

    #[test]
    fn runs_pushes_releases_and_pings_are_understood() {
        let run = json!({
            "kind": "build", "id": "30433642", "service": "shop", "name": "Build",
            "commit": "acb5820ced9479c074f688cc328bf03f341a511d", "result": "failed",
            "started_at": "2026-01-15T12:00:10Z", "finished_at": "2026-01-15T12:09:00Z",
        });
        assert_eq!(meaning(&event(GITHUB_RUN)), run);
        let running = changed(GITHUB_RUN, "\"conclusion\":\"failure\"", "\"conclusion\":null");
        assert_eq!(meaning(&running)["result"], "running");
        let sha = "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c";
        let push = json!({
            "kind": "change", "id": sha, "service": "shop", "reference": "refs/heads/main",
            "commits": [{"sha": sha, "committed_at": "2026-01-15T10:58:00Z"}],
            "previous": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
            "merged_at": "2026-01-15T10:58:00Z",
        });
        assert_eq!(meaning(&event(GITHUB_PUSH)), push);
        let deleted = changed(GITHUB_PUSH, "\"deleted\":false", "\"deleted\":true");
        assert_eq!(meaning(&deleted), json!({"kind": "other"}));
        let release = json!({
            "kind": "change", "id": "v1.2.0", "service": "shop",
            "reference": "refs/tags/v1.2.0", "merged_at": "2026-01-15T12:00:00Z",
        });
        assert_eq!(meaning(&event(GITHUB_RELEASE)), release);
        let ping = event(GITHUB_PING);
        assert_eq!(ping.event_type, "github.ping");
        assert_eq!(meaning(&ping), json!({"kind": "other"}));
    }

    #[test]
    fn a_name_that_is_no_name_is_refused() {
        for name in ["", "a b", "é"] {
            let refused = send(&[("x-github-event", name.as_bytes())], b"{}").unwrap_err();
            assert_eq!(refused.code(), "invalid_header");
        }
        let list = send(&[("x-github-event", b"push")], b"[]").unwrap_err();
        assert_eq!(list.code(), "invalid_body");
        let long = changed(GITHUB_PING, "octo/shop", &"x".repeat(250));
        assert_eq!(long.source, "github", "a source that would be too long is cut to the tool");
    }
}
