//! The shape of the figures of delivery, which rr-sync writes. It is only ever described; a test holds
//! it against what is really written.
#![expect(dead_code, reason = "these types exist for their schemas")]

use utoipa::ToSchema;
use uuid::Uuid;

/// The figures of a window.
#[derive(ToSchema)]
pub(crate) struct DeliveryFigures {
    #[schema(value_type = String, format = DateTime)]
    from: String,
    /// The instant that the figures speak of.
    #[schema(value_type = String, format = DateTime)]
    to: String,
    /// By service, then environment.
    services: Vec<Delivery>,
    /// Incidents of the window that name no service and no deployment: they count nowhere.
    incidents_without_service: u64,
}

/// The figures of a service in an environment.
#[derive(ToSchema)]
pub(crate) struct Delivery {
    service: String,
    /// In lower case; `production` for what is called so in short, or nothing.
    environment: String,
    /// Deployments that succeeded; the rates are shares of these.
    deployments: u64,
    failed_deployments: u64,
    /// Deployments that led to an incident or were taken back.
    harmful_deployments: u64,
    /// Unplanned deployments that followed an incident.
    unplanned_deployments: u64,
    /// Days with a deployment in a week, the median over the whole weeks of the window.
    #[schema(required = true, example = 2.5)]
    deployment_days_per_week: Option<f64>,
    /// From commit to running, the median in seconds.
    #[schema(required = true, example = 86_400)]
    change_lead_time_s: Option<i64>,
    /// The share of harmful deployments, in percent.
    #[schema(required = true, example = 12.5)]
    change_fail_rate: Option<f64>,
    /// From an incident's start to its end, the median in seconds.
    #[schema(required = true, example = 5_400)]
    recovery_time_s: Option<i64>,
    /// The share of unplanned deployments, in percent.
    #[schema(required = true, example = 12.5)]
    rework_rate: Option<f64>,
    incidents: IncidentCounts,
    /// The whole weeks counted back from the end of the window, the earliest first.
    weeks: Vec<DeliveryWeek>,
    /// The newest ties between incidents and deployments, at most 20.
    links: Vec<IncidentLink>,
}

/// Seven days.
#[derive(ToSchema)]
pub(crate) struct DeliveryWeek {
    #[schema(value_type = String, format = DateTime)]
    start: String,
    /// Deployments that succeeded.
    deployments: u64,
    /// Days with one.
    deployment_days: u64,
    /// Deployments that led to an incident or were taken back.
    harmful_deployments: u64,
}

/// The window's incidents, by what ties them to a deployment.
#[derive(ToSchema)]
pub(crate) struct IncidentCounts {
    total: u64,
    open: u64,
    by_id: u64,
    by_chain: u64,
    by_artifact: u64,
    by_rollback: u64,
    by_time: u64,
    unlinked: u64,
}

/// An incident and the deployment that is taken for its cause.
#[derive(ToSchema)]
pub(crate) struct IncidentLink {
    /// The event that first told of the incident.
    incident: Uuid,
    #[schema(value_type = String, format = DateTime)]
    detected_at: String,
    /// The event that first told of the deployment.
    deployment: Uuid,
    #[schema(value_type = String, format = DateTime)]
    deployed_at: String,
    link: Evidence,
    confidence: Confidence,
}

/// What ties an incident to a deployment, the surest first.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Evidence {
    Id,
    Chain,
    Artifact,
    Rollback,
    Time,
}

/// How sure it is that the deployment caused the incident.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Confidence {
    High,
    Medium,
    Low,
}
