//! How well software is delivered: five figures for each service and environment, out of what events
//! say about deployments, incidents and changes.
//!
//! A pure function of what was told and of a window whose end is the instant the figures speak of:
//! nothing dated at or after it counts, whenever it arrived, so what arrives late corrects the past and
//! what happens later does not. No data is no figure, never 0.

mod asked;
mod figures;
mod incidents;
mod leads;
mod links;
mod numbers;
mod rollouts;

use rr_domain::{Meaning, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::Percent;
pub use asked::{Asked, Relevance};
pub use figures::{dora, dora_of};
pub use leads::Commits;
pub use numbers::Halves;

/// What one event said.
#[derive(Debug, Clone)]
pub struct Told {
    /// The event's number: of two that speak of the same instant, the later one is right.
    pub seq: i64,
    /// The event.
    pub event: Uuid,
    /// The last instant that it speaks of; where it names none, its arrival.
    pub at: Timestamp,
    /// What it said.
    pub meaning: Meaning,
}

/// A span of time: `from` is in it, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its start.
    pub from: Timestamp,
    /// Its end, which is the instant that the figures speak of.
    pub to: Timestamp,
}

/// The figures of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dora {
    /// The window.
    #[serde(flatten)]
    pub window: Window,
    /// By service, then environment.
    pub services: Vec<Delivery>,
    /// Incidents of the window that name no service and no deployment: they count nowhere.
    pub incidents_without_service: usize,
}

/// The figures of a service in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The service.
    pub service: String,
    /// The environment in lower case; `production` for what is called so in short, or nothing.
    pub environment: String,
    /// Deployments of the window that succeeded. The rates are shares of these.
    pub deployments: usize,
    /// Deployments of the window that failed before they ran.
    pub failed_deployments: usize,
    /// Deployments of the window that led to an incident or were taken back.
    pub harmful_deployments: usize,
    /// Unplanned deployments of the window that followed an incident.
    pub unplanned_deployments: usize,
    /// Days with a deployment in a week, the median over the whole weeks before the end of the window;
    /// none where there is no whole week or no deployment.
    pub deployment_days_per_week: Option<Halves>,
    /// From commit to running, in seconds: the median over the commits first deployed in the window.
    pub change_lead_time_s: Option<i64>,
    /// The share of harmful deployments, in percent.
    pub change_fail_rate: Option<Percent>,
    /// From an incident's start to its end, in seconds: the median over the incidents that began in the
    /// window and are over.
    pub recovery_time_s: Option<i64>,
    /// The share of unplanned deployments that followed an incident, in percent.
    pub rework_rate: Option<Percent>,
    /// What tied the window's incidents to deployments.
    pub incidents: IncidentCounts,
    /// The whole weeks counted back from the end of the window, the earliest first.
    pub weeks: Vec<Week>,
    /// The newest of those ties, at most [`MOST_LINKS`], newest incident first.
    pub links: Vec<Link>,
}

/// Seven days of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Week {
    /// Its start.
    pub start: Timestamp,
    /// Deployments that succeeded.
    pub deployments: usize,
    /// Days with one.
    pub deployment_days: usize,
    /// Those that led to an incident or were taken back.
    pub harmful_deployments: usize,
}

/// How many ties an answer shows.
pub const MOST_LINKS: usize = 20;

/// The window's incidents of a service in an environment, by what ties them to a deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct IncidentCounts {
    /// All of them.
    pub total: usize,
    /// Those that are not over.
    pub open: usize,
    /// The incident names the deployment.
    pub by_id: usize,
    /// Both belong to one chain of events.
    pub by_chain: usize,
    /// Both are about the same artifact.
    pub by_artifact: usize,
    /// The deployment was taken back while the incident was on.
    pub by_rollback: usize,
    /// The deployment was the last one before the incident.
    pub by_time: usize,
    /// No deployment is known that could be the cause.
    pub unlinked: usize,
}

/// An incident and the deployment that is taken for its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The event that first told of the incident.
    pub incident: Uuid,
    /// When the incident began.
    pub detected_at: Timestamp,
    /// The event that first told of the deployment.
    pub deployment: Uuid,
    /// When the deployment was done.
    pub deployed_at: Timestamp,
    /// What ties them.
    pub link: Evidence,
    /// How sure that is.
    pub confidence: Confidence,
}

/// What ties an incident to a deployment, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The incident names the deployment.
    Id,
    /// Both belong to one chain of events.
    Chain,
    /// Both are about the same artifact.
    Artifact,
    /// The deployment was taken back while the incident was on.
    Rollback,
    /// The deployment was the last one before the incident, within a day.
    Time,
}

/// How sure it is that a deployment caused an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Somebody said so.
    High,
    /// It would be strange otherwise.
    Medium,
    /// A guess.
    Low,
}

impl Evidence {
    /// How sure it makes.
    pub fn confidence(self) -> Confidence {
        match self {
            Evidence::Id | Evidence::Chain => Confidence::High,
            Evidence::Artifact | Evidence::Rollback => Confidence::Medium,
            Evidence::Time => Confidence::Low,
        }
    }
}

/// The name under which the figures know an environment. Who says none means production.
pub(crate) fn environment_name(said: Option<&str>) -> String {
    let name = said.unwrap_or("production").trim().to_lowercase();
    match name.as_str() {
        "" | "prod" | "prd" | "live" => "production".to_owned(),
        _ => name,
    }
}
