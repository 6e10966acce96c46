//! What every kind of meaning has, under one name: for lists, and for finding.

use rr_domain::Timestamp;

use super::{
    Alert, AlertState, Build, Change, Deployment, Incident, IncidentState, Meaning, Progress,
};

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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::Meaning;
    use crate::formats::vectors::{
        ALERTS, BARE_CDEVENT, GITHUB_DEPLOYMENT, GITHUB_PUSH, GITHUB_RUN, PAGERDUTY, UNKNOWN,
        event, events, meaning,
    };

    /// The parts say what the whole says.
    #[test]
    fn kind_subject_service_and_state_are_those_of_the_whole() {
        let one = [GITHUB_DEPLOYMENT, BARE_CDEVENT, GITHUB_RUN, GITHUB_PUSH, PAGERDUTY];
        let all = one.into_iter().map(event).chain(events(ALERTS));
        let mut kinds = std::collections::BTreeSet::new();
        for event in all {
            let (whole, read) = (meaning(&event), &event.meaning);
            let state = if whole["result"].is_null() { &whole["state"] } else { &whole["result"] };
            assert_eq!(json!(read.kind()), whole["kind"]);
            assert_eq!(json!(read.subject()), whole["id"]);
            assert_eq!(json!(read.service()), whole["service"]);
            assert_eq!(json!(read.environment()), whole["environment"]);
            assert_eq!(json!(read.state()), *state);
            let ends = |name: &&String| name.ends_with("_at");
            let times = whole.as_object().unwrap().keys().filter(ends).count();
            assert_eq!(read.times().count(), times, "{whole}");
            kinds.extend(read.kind());
        }
        assert_eq!(kinds.len(), 5, "{kinds:?}");
        let other = event(UNKNOWN).meaning;
        assert_eq!((other.kind(), other.times().count()), (None, 0));
    }

    /// They are kept as JSON, so each has to come back as it was.
    #[test]
    fn a_meaning_reads_back() {
        for sent in [GITHUB_DEPLOYMENT, BARE_CDEVENT, GITHUB_RUN, GITHUB_PUSH, PAGERDUTY, UNKNOWN] {
            let meaning = event(sent).meaning;
            let kept: Value = serde_json::to_value(&meaning).unwrap();
            assert_eq!(serde_json::from_value::<Meaning>(kept).unwrap(), meaning);
        }
    }
}
