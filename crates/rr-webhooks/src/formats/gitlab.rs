//! GitLab: `X-Gitlab-Event` says that it is one, `object_kind` says which.
//!
//! Its `Idempotency-Key` stays the same when a delivery is tried again and is read as any sender's.
//! `X-Gitlab-Event-UUID` is no such id: events that one event caused share it.

use rr_domain::Timestamp;
use serde_json::value::RawValue;

use super::{Read, Source, dotted, joined};
use crate::event::Event;
use crate::view::View;
use rr_domain::{Build, Change, Commit, Deployment, Meaning, Progress, Trigger};

pub(super) fn read(source: Source<'_>, body: View<'_>, data: &RawValue) -> Event {
    let kind = body.text("/object_kind");
    let (meaning, occurred_at, step) = match kind.as_deref() {
        Some("deployment") => {
            (deployment(body), time(body, "/status_changed_at"), body.text("/status"))
        }
        Some("pipeline") => {
            let at = time(body, "/object_attributes/finished_at")
                .or_else(|| time(body, "/object_attributes/created_at"));
            (pipeline(body), at, body.text("/object_attributes/status"))
        }
        Some("push" | "tag_push") => (push(body), None, None),
        Some("release") => (release(body), time(body, "/released_at"), body.text("/action")),
        _ => (Meaning::Other, None, None),
    };
    let read = Read {
        event_type: dotted("gitlab", &[kind, step]),
        source: joined("gitlab", &[body.text("/project/path_with_namespace")]),
        occurred_at,
        meaning,
        dedupe: Vec::new(),
    };
    read.event(data, source.media)
}

fn service(body: View<'_>) -> String {
    body.text("/project/name").unwrap_or_else(|| "gitlab".to_owned())
}

/// The body holds the short hash; the whole one ends the commit's address.
fn deployment(body: View<'_>) -> Meaning {
    let result = Progress::read(&body.text("/status").unwrap_or_default());
    let at = time(body, "/status_changed_at");
    let whole = body.text("/commit_url").and_then(|url| {
        let last = url.rsplit('/').next().unwrap_or_default();
        let is_hash = last.len() >= 40 && last.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| last.to_owned())
    });
    let sha = whole.or_else(|| body.sha("/short_sha"));
    Meaning::Deployment(Deployment {
        id: body.id("/deployment_id"),
        service: service(body),
        environment: body.text("/environment"),
        result,
        started_at: if result == Progress::Running { at } else { None },
        finished_at: result.end(at),
        artifact: body.text("/ref"),
        commits: sha.map(|sha| Commit { sha, committed_at: None }).into_iter().collect(),
        previous: None,
        trigger: Trigger::Planned,
        rolls_back: None,
        chain: None,
    })
}

fn pipeline(body: View<'_>) -> Meaning {
    let result = Progress::read(&body.text("/object_attributes/status").unwrap_or_default());
    Meaning::Build(Build {
        id: body.id("/object_attributes/id"),
        service: service(body),
        name: body.text("/object_attributes/name"),
        commit: body.sha("/object_attributes/sha"),
        result,
        started_at: time(body, "/object_attributes/created_at"),
        finished_at: result.end(time(body, "/object_attributes/finished_at")),
        chain: None,
    })
}

/// A push that deletes a branch brings nothing.
fn push(body: View<'_>) -> Meaning {
    let Some(after) = body.sha("/after") else { return Meaning::Other };
    let commits = body.commits("/commits");
    let merged_at = commits.last().and_then(|commit| commit.committed_at);
    Meaning::Change(Change {
        id: Some(after),
        service: service(body),
        reference: body.text("/ref"),
        commits,
        previous: body.sha("/before"),
        merged_at,
    })
}

fn release(body: View<'_>) -> Meaning {
    if body.text("/action").as_deref() != Some("create") {
        return Meaning::Other;
    }
    let tag = body.text("/tag");
    let commit = body.sha("/commit/id");
    let committed_at = body.time("/commit/timestamp");
    Meaning::Change(Change {
        id: tag.clone(),
        service: service(body),
        reference: tag.map(|tag| format!("refs/tags/{tag}")),
        commits: commit.map(|sha| Commit { sha, committed_at }).into_iter().collect(),
        previous: None,
        merged_at: time(body, "/released_at"),
    })
}

/// GitLab writes `2021-04-28 21:50:00 +0200` and `2021-04-28 19:50:00 UTC`, and in places RFC 3339.
fn time(body: View<'_>, pointer: &str) -> Option<Timestamp> {
    let text = body.text(pointer)?;
    if let Ok(time) = Timestamp::parse(&text) {
        return Some(time);
    }
    let mut parts = text.split(' ');
    let (date, clock, zone) = (parts.next()?, parts.next()?, parts.next()?);
    let zone = match zone {
        "UTC" => "Z".to_owned(),
        offset => format!("{}:{}", offset.get(..3)?, offset.get(3..)?),
    };
    Timestamp::parse(&format!("{date}T{clock}{zone}")).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::formats::vectors::{
        GITLAB_DEPLOYMENT, GITLAB_PIPELINE, GITLAB_PUSH, GITLAB_RELEASE, event, meaning, outline,
    };
    use crate::json::take_apart_stored;

    #[test]
    fn deployments_pipelines_pushes_and_releases_are_understood() {
        let read = event(GITLAB_DEPLOYMENT);
        let id = ("idempotency/00000000-0000-0000-0000-000000000007", "f5e5f430");
        let at = Some("2026-01-15T12:00:00Z".to_owned());
        assert_eq!(outline(&read), ("gitlab.deployment.success", "gitlab/octo/shop", at, vec![id]));
        let deployment = json!({
            "kind": "deployment", "id": "15", "service": "shop", "environment": "staging",
            "result": "succeeded", "finished_at": "2026-01-15T12:00:00Z", "artifact": "main",
            "commits": [{"sha": "279484c09fbe69ededfced8c1bb6e6d24616b468"}], "trigger": "planned",
        });
        assert_eq!(meaning(&read), deployment);
        let pipeline = json!({
            "kind": "build", "id": "31", "service": "shop", "name": "Pipeline for main",
            "commit": "bcbb5ec396a2c0f828686f14fac9b80b780504f2", "result": "cancelled",
            "started_at": "2026-01-15T12:00:00Z", "finished_at": "2026-01-15T12:05:30Z",
        });
        assert_eq!(meaning(&event(GITLAB_PIPELINE)), pipeline);
        let push = meaning(&event(GITLAB_PUSH));
        assert_eq!(push["commits"].as_array().unwrap().len(), 2);
        assert_eq!(push["merged_at"], "2026-01-15T11:30:00Z");
        assert_eq!(push["previous"], json!(null), "zeros are no commit");
        let release = event(GITLAB_RELEASE);
        assert_eq!(release.event_type, "gitlab.release.create");
        assert_eq!(meaning(&release)["reference"], "refs/tags/v1.1");
        let other =
            event(("an issue", &[("X-Gitlab-Event", "Issue Hook")], r#"{"object_kind":"issue"}"#));
        assert_eq!((other.event_type.as_str(), other.source.as_str()), ("gitlab.issue", "gitlab"));
    }

    #[test]
    fn times_are_read_as_gitlab_writes_them() {
        let read = |text: &str| {
            let written = json!({ "t": text }).to_string();
            time(View(&take_apart_stored(&written)), "/t").map(|time| time.to_string())
        };
        for (text, expected) in [
            ("2021-04-28 21:50:00 +0200", Some("2021-04-28T19:50:00Z")),
            ("2021-04-28 21:50:00 -0330", Some("2021-04-29T01:20:00Z")),
            ("2021-04-28 21:50:00 UTC", Some("2021-04-28T21:50:00Z")),
            ("2021-04-28T21:50:00.5Z", Some("2021-04-28T21:50:00.5Z")),
            ("2021-04-28 21:50:00", None),
            ("2021-04-28 21:50:00 +é", None),
            ("  ", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}
