//! `GET /api/devops/metrics`: every named figure and what it means.

use actix_web::HttpResponse;
use rr_sync::metrics::{METRICS, Metric};
use serde::Serialize;
use utoipa::ToSchema;

use super::About;
use crate::auth::{Allowed, ReadMetrics};

/// Every named figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Catalogue {
    metrics: Vec<Definition>,
}

/// What a figure is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Definition {
    #[serde(flatten)]
    about: About,
    definition: &'static str,
    /// The facts that it comes from.
    source: &'static str,
}

/// Every named figure and what it means.
#[utoipa::path(get, path = "/api/devops/metrics", operation_id = "list_metrics", tag = "figures",
    responses((status = 200, description = "The figures there are", body = Catalogue)))]
pub(crate) async fn get(_: Allowed<ReadMetrics>) -> HttpResponse {
    HttpResponse::Ok().json(Catalogue { metrics: METRICS.iter().map(Definition::of).collect() })
}

impl Definition {
    fn of(metric: &Metric) -> Definition {
        Definition {
            about: About::of(metric),
            definition: metric.definition,
            source: metric.source,
        }
    }
}
