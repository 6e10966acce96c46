//! `GET /api/devops/metrics/{name}`: a figure now, at a past instant, or period by period.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_store::{Present, Store};
use rr_sync::Balances;
use rr_sync::metrics::{Kind, Metric, Span, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{Asked, Steps, by};
use super::series::{self, Series};
use super::{About, TICK, beginning, named};
use crate::auth::{Allowed, ReadMetrics};
use crate::format::Format;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::AppState;
use crate::tag::{Tag, unchanged};

/// A figure at one instant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Figure {
    #[serde(flatten)]
    about: About,
    /// Null where there is nothing to divide by.
    #[schema(value_type = Option<f64>)]
    value: Option<Value>,
    /// The value by what was asked for. The groups add up to it, but for their rounding; one with nothing is
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = HashMap<String, f64>, required = false)]
    groups: Option<BTreeMap<String, Value>>,
    /// Of a rate: where the period begins that it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    from: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The version of the ledger.
    seq: i64,
}

/// A figure at one instant, or period by period.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum MetricAnswer {
    Value(Figure),
    Series(Series),
}

/// A figure now, at a past instant, or period by period.
///
/// Without parameters the figure as it is, with `as_of` as it was; with `from` a series, whose last period is
/// `partial` where it is cut short. A flow without a period is all there ever was, a rate without one looks
/// back 30 days.
#[utoipa::path(get, path = "/api/devops/metrics/{name}", operation_id = "show_metric", tag = "figures",
    params(
        ("name" = String, Path, description = "One of `GET /api/devops/metrics`"),
        ("as_of" = Option<String>, Query, description = "As it was at this time (RFC 3339), not later than now"),
        ("by" = Option<String>, Query, description = "Also group by group, at an instant or in every period: what the catalogue says that it can be told by"),
        ("from" = Option<String>, Query, description = "A series that begins at this time (RFC 3339)"),
        ("to" = Option<String>, Query, description = "The series ends before this time (now)"),
        ("step" = Option<String>, Query, description = "`hour`, `day`, `week` or `month` (`day`); at most 2000 of them"),
        ("tz" = Option<String>, Query, description = "The IANA time zone that they begin in (`UTC`)"),
        ("format" = Option<String>, Query, description = "Of a series: `json`, `csv` or `ndjson`, whatever `Accept` says")),
    responses(
        (status = 200, description = "The figure", content(
            (MetricAnswer = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match"),
        (status = 404, description = "No figure has that name", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter makes no sense; see `errors`", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn get(
    _: Allowed<ReadMetrics>,
    name: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let metric = named(&name)?;
    let query = Query::read(&request, &["as_of", "by", "from", "to", "step", "tz", "format"])?;
    let now = state.now();
    let steps = Steps::read(&query)?;
    let asked = Asked::read(&query, now)?;
    let by = by(&query, metric)?;
    if let Asked::Within(range) = asked {
        let (steps, format) = (steps.unwrap_or_default(), Format::of(&request, &query)?);
        return series::answer(&state, metric, by, range, &steps, format, &request).await;
    }
    if steps.is_some() {
        return Err(Problem::unusable("from", "is needed with step and tz"));
    }
    if query.text("format")?.is_some() {
        return Err(Problem::unusable("from", "is needed with format"));
    }
    let rendered = state.rendered_figures(now).await?;
    let present = rendered.present();
    let at = if let Asked::At(at) = asked { Some(at) } else { None };
    // What is known before anything is read. A rate looks back from now and has to be computed first.
    let fixed = |seq| match at {
        Some(_) => Some(Tag::at(present, seq, Format::Json)),
        None if metric.kind == Kind::Rate => None,
        None => Some(rendered.tag().clone()),
    };
    if let Some(tag) = fixed(present.seq)
        && let Some(response) = unchanged(request.headers(), &tag)
    {
        return Ok(response);
    }
    let figure = figure(&state.store, present, metric, by, at, now).await?;
    let tag = fixed(figure.seq).unwrap_or_else(|| Tag::of(present, figure.seq, &figure.value));
    Ok(tag.answer(request.headers(), &MetricAnswer::Value(figure)))
}

/// The figure at an instant, or as it is.
async fn figure(
    store: &Store,
    present: &Present,
    metric: &'static Metric,
    by: Option<&str>,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Outcome<Figure> {
    let as_of = at.unwrap_or(now);
    let from = beginning(metric, as_of);
    let nothing = Balances::default();
    let all = |end: &Balances| {
        let span = Span { start: &nothing, end, churned: 0 };
        (metric.value(&span), by.map(|by| metric.groups(by, end)))
    };
    let (seq, (value, groups)) = match (from, at) {
        (Some(from), _) => {
            let (both, who_churned) = (vec![from, as_of.plus(TICK)], metric.asks_who_churned());
            let read = store.spans(both, metric.accounts(), who_churned).await?;
            (read.seq, (series::values(metric, &read).next().flatten(), None))
        }
        (None, None) => (present.seq, all(&present.balances)),
        (None, Some(at)) => {
            let (seq, balances) = store.standing_at(at).await?;
            (seq, all(&balances))
        }
    };
    Ok(Figure { about: About::of(metric), value, groups, from, as_of, seq })
}
