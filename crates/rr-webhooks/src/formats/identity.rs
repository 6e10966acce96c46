//! What is built in a tool's format from what happened is read back as what happened.
//!
//! The builders here are the slow obvious opposite of the readers: a body with the members that the
//! tool's documentation names, filled from a meaning that the format can carry.

mod builds;
mod changes;
mod deployments;
mod troubles;

use proptest::prelude::*;
use rr_domain::Timestamp;
use serde_json::{Value, json};

use super::vectors::send;
use rr_domain::{Commit, Meaning, Progress};

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

/// Free form: the members beside the event's name or, as the DevOps module's script has it, below `data`.
fn free(name: &str, mut members: Value, below: bool) -> Value {
    if below {
        return json!({"event": name, "data": members});
    }
    members["event_type"] = json!(name);
    members
}

/// A CDEvent; `kind` is its type without what all have in common.
fn cdevent(kind: &str, at: Option<Timestamp>, chain: &Option<String>, subject: Value) -> Value {
    json!({
        "context": {
            "specversion": "0.5.1", "id": "the event", "source": "/x", "chainId": chain,
            "type": format!("dev.cdevents.{kind}.0.3.0"), "timestamp": at,
        },
        "subject": subject,
    })
}

/// A link of a CDEvent to another.
fn relation(kind: &str, to: &Option<String>) -> Value {
    json!([{"linkType": "RELATION", "linkKind": kind, "target": {"contextId": to}}])
}
