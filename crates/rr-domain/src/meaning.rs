//! What an event says happened, in words that do not depend on who sent it.
//!
//! Enough to compute how often a service is deployed, how long a commit takes, how many
//! deployments fail and how long recovery takes, and no more. Times are those the sender gave:
//! when the event arrived is kept beside it, so that a late one corrects the past.

mod parts;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What an event says happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Meaning {
    /// A service goes to an environment.
    Deployment(Deployment),
    /// Something is broken, until it is resolved.
    Incident(Incident),
    /// A monitor complains, or stops.
    Alert(Alert),
    /// A pipeline runs.
    Build(Build),
    /// Commits reach a branch, or a version is released.
    Change(Change),
    /// Anything else.
    Other,
}

/// One deployment, or a step of one: events with the same `id` and service speak of the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The sender's id of the deployment; none means that the event is the deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is deployed: the name the sender has for it, or where the event came from.
    pub service: String,
    /// Where to, as the sender calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How far it got.
    pub result: Progress,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it was over, well or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The version or the package URL of what is deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The commits it brings, the one it stands at last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Commit>,
    /// The commit that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Why it was made; planned, where nobody says otherwise.
    #[serde(default)]
    pub trigger: Trigger,
    /// The id of the deployment that it takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolls_back: Option<String>,
    /// The chain of events it belongs to (CDEvents).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

/// One incident, or a step of one: events with the same `id` speak of the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The sender's id of the incident; none means that the event is the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How bad it is, in the sender's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What this event says about it.
    pub state: IncidentState,
    /// When it was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    /// When somebody took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// The id of the deployment, or of the event of one, that caused it, where the sender knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// The version or the package URL of what is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The chain of events it belongs to (CDEvents).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

/// An alert of a monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What tells it from other alerts, the same from its start to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How bad it is, in the sender's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Whether it is still so.
    pub state: AlertState,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Until when, once it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// A run of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The sender's id of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is built.
    pub service: String,
    /// The pipeline's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of which commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How far it got.
    pub result: Progress,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it was over, well or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The chain of events it belongs to (CDEvents).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

/// Commits that arrived somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The sender's id of the change, or the name of the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is changed.
    pub service: String,
    /// The branch or tag, as git writes it where the sender does (`refs/heads/main`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The commits, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Commit>,
    /// The commit that was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When they arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_at: Option<Timestamp>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its hash.
    pub sha: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<Timestamp>,
}

/// How far a deployment or a build got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It waits or runs, or the sender's word for it is not known.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It was given up.
    Cancelled,
}

/// Why a deployment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// As planned.
    #[default]
    Planned,
    /// To mend what an incident showed.
    Hotfix,
    /// To go back.
    Rollback,
}

/// What an event says about an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// It began, or began again.
    Detected,
    /// Somebody took it.
    Acknowledged,
    /// Something else about it changed.
    Updated,
    /// It is over.
    Resolved,
}

/// Whether an alert is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It is on.
    Firing,
    /// It is over.
    Resolved,
}

impl Progress {
    /// Reads the words that tools and people use.
    pub fn read(word: &str) -> Progress {
        match word.to_ascii_lowercase().as_str() {
            "success" | "succeeded" | "successful" | "passed" | "completed" | "complete"
            | "deployed" | "finished" | "done" | "ok" | "neutral" => Progress::Succeeded,
            "failure" | "failed" | "fail" | "error" | "errored" | "broken" | "timed_out"
            | "timeout" | "startup_failure" => Progress::Failed,
            "cancel" | "cancelled" | "canceled" | "aborted" | "skipped" | "stale" | "stopped" => {
                Progress::Cancelled
            }
            _ => Progress::Running,
        }
    }

    /// `at`, if this is an end.
    pub fn end(self, at: Option<Timestamp>) -> Option<Timestamp> {
        if self == Progress::Running { None } else { at }
    }
}

impl Trigger {
    /// Reads why a deployment was made out of what its sender calls it.
    pub fn read(text: &str) -> Trigger {
        let text = text.to_ascii_lowercase();
        if text.contains("rollback") || text.contains("roll-back") || text.contains("revert") {
            Trigger::Rollback
        } else if text.contains("hotfix") || text.contains("hot-fix") {
            Trigger::Hotfix
        } else {
            Trigger::Planned
        }
    }
}
