//! `GET /api/devops/metrics`: every named figure and what it means.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};
use rr_sync::metrics::{METRICS, Metric};
use serde::Serialize;
use utoipa::ToSchema;

use super::About;
use crate::auth::{Allowed, ReadMetrics};
use crate::tag::Tag;

/// Every named figure.
#[derive(Debug, Hash, Serialize, ToSchema)]
pub(crate) struct Catalogue {
    metrics: Vec<Definition>,
}

/// What a figure is.
#[derive(Debug, Hash, Serialize, ToSchema)]
pub(crate) struct Definition {
    #[serde(flatten)]
    about: About,
    definition: &'static str,
    /// The facts that it comes from.
    source: &'static str,
    /// What it can be told by, if by anything.
    by: &'static [&'static str],
    /// Of a rate: the figures that it relates, which can be explained.
    made_of: &'static [&'static str],
}

/// Every named figure and what it means.
#[utoipa::path(get, path = "/api/devops/metrics", operation_id = "list_metrics", tag = "figures",
    responses(
        (status = 200, description = "The figures there are", body = Catalogue,
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match")))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, request: HttpRequest) -> HttpResponse {
    static CATALOGUE: LazyLock<(Catalogue, Tag)> = LazyLock::new(|| {
        let catalogue = Catalogue { metrics: METRICS.iter().map(Definition::of).collect() };
        let tag = Tag::of_build(&catalogue);
        (catalogue, tag)
    });
    let (catalogue, tag) = &*CATALOGUE;
    tag.answer(request.headers(), catalogue)
}

impl Definition {
    fn of(metric: &Metric) -> Definition {
        Definition {
            about: About::of(metric),
            definition: metric.definition,
            source: metric.source,
            by: metric.dimensions(),
            made_of: metric.made_of,
        }
    }
}
