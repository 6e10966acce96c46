//! What every kind of meaning has, under one name: for lists, and for finding.

use super::{
    Alert, AlertState, Build, Change, Deployment, Incident, IncidentState, Meaning, Progress,
};
use crate::Timestamp;

impl Meaning {
    /// The name of its kind; none where nothing was understood.
    pub fn kind(&self) -> Option<&'static str> {
        match self {
            Meaning::Deployment(_) => Some("deployment"),
            Meaning::Incident(_) => Some("incident"),
            Meaning::Alert(_) => Some("alert"),
            Meaning::Build(_) => Some("build"),
            Meaning::Change(_) => Some("change"),
            Meaning::Other => None,
        }
    }

    /// The sender's id of what it is about.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Meaning::Deployment(Deployment { id, .. })
            | Meaning::Incident(Incident { id, .. })
            | Meaning::Alert(Alert { id, .. })
            | Meaning::Build(Build { id, .. })
            | Meaning::Change(Change { id, .. }) => id.as_deref(),
            Meaning::Other => None,
        }
    }

    /// The service it is about.
    pub fn service(&self) -> Option<&str> {
        match self {
            Meaning::Deployment(Deployment { service, .. })
            | Meaning::Build(Build { service, .. })
            | Meaning::Change(Change { service, .. }) => Some(service),
            Meaning::Incident(Incident { service, .. }) | Meaning::Alert(Alert { service, .. }) => {
                service.as_deref()
            }
            Meaning::Other => None,
        }
    }

    /// Where it happened.
    pub fn environment(&self) -> Option<&str> {
        match self {
            Meaning::Deployment(Deployment { environment, .. })
            | Meaning::Incident(Incident { environment, .. })
            | Meaning::Alert(Alert { environment, .. }) => environment.as_deref(),
            Meaning::Build(_) | Meaning::Change(_) | Meaning::Other => None,
        }
    }

    /// How far it got.
    pub fn state(&self) -> Option<&'static str> {
        match self {
            Meaning::Deployment(Deployment { result, .. })
            | Meaning::Build(Build { result, .. }) => Some(match result {
                Progress::Running => "running",
                Progress::Succeeded => "succeeded",
                Progress::Failed => "failed",
                Progress::Cancelled => "cancelled",
            }),
            Meaning::Incident(incident) => Some(match incident.state {
                IncidentState::Detected => "detected",
                IncidentState::Acknowledged => "acknowledged",
                IncidentState::Updated => "updated",
                IncidentState::Resolved => "resolved",
            }),
            Meaning::Alert(alert) => Some(match alert.state {
                AlertState::Firing => "firing",
                AlertState::Resolved => "resolved",
            }),
            Meaning::Change(_) | Meaning::Other => None,
        }
    }

    /// The instants that it speaks of. When a commit was made is not one: it says nothing about when
    /// this happened.
    pub fn times(&self) -> impl Iterator<Item = Timestamp> {
        let times = match self {
            Meaning::Deployment(Deployment { started_at, finished_at, .. })
            | Meaning::Build(Build { started_at, finished_at, .. }) => {
                [*started_at, *finished_at, None]
            }
            Meaning::Incident(Incident { detected_at, acknowledged_at, resolved_at, .. }) => {
                [*detected_at, *acknowledged_at, *resolved_at]
            }
            Meaning::Alert(Alert { started_at, ended_at, .. }) => [*started_at, *ended_at, None],
            Meaning::Change(Change { merged_at, .. }) => [*merged_at, None, None],
            Meaning::Other => [None; 3],
        };
        times.into_iter().flatten()
    }
}
