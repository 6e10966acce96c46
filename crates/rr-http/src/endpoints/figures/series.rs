//! A figure period by period, and its forms.

use std::collections::BTreeMap;
use std::hash::Hash;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_store::Spans;
use rr_sync::metrics::{Kind, Metric, Span, Step, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::About;
use super::asked::{Range, Steps};
use super::metric::MetricAnswer;
use crate::csv;
use crate::format::{Format, lines};
use crate::problem::Outcome;
use crate::state::AppState;
use crate::tag::{Tag, tagged, unchanged};

/// A figure period by period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    #[serde(flatten)]
    about: About,
    #[schema(value_type = String, example = "day")]
    step: Step,
    /// The time zone that the periods begin in.
    #[schema(example = "UTC")]
    tz: String,
    /// What the points are told by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    by: Option<&'static str>,
    points: Vec<Point>,
    /// The end of the series.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The version of the ledger.
    seq: i64,
}

/// A period and the figure of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The period ends before this.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Whether it is only a part of its hour, day, week or month.
    partial: bool,
    /// Null where there is nothing to divide by.
    #[schema(value_type = Option<f64>)]
    value: Option<Value>,
    /// The value by what was asked for. The groups add up to it, but for their rounding; one with nothing is
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = HashMap<String, f64>, required = false)]
    groups: Option<BTreeMap<String, Value>>,
}

/// A point as a line of its own: it says everything, so that lines of several series can be put together.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    about: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    #[serde(flatten)]
    point: &'a Point,
    as_of: Timestamp,
    seq: i64,
}

/// Answers with a series. One with both ends given changes with the ledger alone, and for a caller that has it
/// nothing is read; one that goes on is read and compared.
pub(super) async fn answer(
    state: &AppState,
    metric: &'static Metric,
    by: Option<&'static str>,
    range: Range,
    steps: &Steps,
    format: Format,
    request: &HttpRequest,
) -> Outcome<HttpResponse> {
    let periods = steps.cut(range)?;
    let present = state.store.present(state.now()).await?;
    let fixed = |seq| (!range.is_open).then(|| Tag::at(&present, seq, format));
    let known = |tag: &Tag| unchanged(request.headers(), tag);
    if let Some(response) = fixed(present.seq).as_ref().and_then(known) {
        return Ok(response);
    }
    let mut instants = vec![range.from];
    instants.extend(periods.iter().map(|period| period.end));
    let read = state.store.spans(instants, metric.accounts(), metric.asks_who_churned()).await?;
    let told_by = figures(metric, by, &read);
    let points = periods.iter().zip(told_by).map(|(period, (value, groups))| Point {
        start: period.start,
        end: period.end,
        partial: period.partial,
        value,
        groups,
    });
    let points: Vec<Point> = points.collect();
    let tag =
        fixed(read.seq).unwrap_or_else(|| Tag::of(&present, read.seq, &(format, told(&points))));
    if let Some(response) = known(&tag) {
        return Ok(response);
    }
    let series = Series {
        about: About::of(metric),
        step: steps.step,
        tz: steps.zone.name().to_owned(),
        by,
        points,
        as_of: range.to,
        seq: read.seq,
    };
    let mut response = tagged(&tag);
    response.insert_header((header::VARY, HeaderValue::from_static("accept")));
    Ok(match format {
        Format::Json => response.json(MetricAnswer::Series(series)),
        Format::Csv => csv::attach(&mut response, metric.name).body(series.csv()),
        Format::Ndjson => {
            response.content_type("application/x-ndjson").body(lines(series.lines())?)
        }
    })
}

/// What points say. Each ends where the next one begins, and the last one at `as_of`.
fn told(points: &[Point]) -> impl Hash {
    let told = points.iter().map(|point| {
        let groups: Option<Vec<_>> = point.groups.as_ref().map(|groups| groups.iter().collect());
        (point.start, point.partial, point.value, groups)
    });
    told.collect::<Vec<_>>()
}

/// The figure of every span.
pub(super) fn values(metric: &Metric, spans: &Spans) -> impl Iterator<Item = Option<Value>> {
    figures(metric, None, spans).map(|(value, _)| value)
}

/// The figure of every span, and by what it is asked for.
fn figures(
    metric: &Metric,
    by: Option<&str>,
    spans: &Spans,
) -> impl Iterator<Item = (Option<Value>, Option<BTreeMap<String, Value>>)> {
    let mut end = spans.start.clone();
    spans.changes.iter().zip(&spans.churned).map(move |(change, churned)| {
        let start = end.clone();
        end.add_all(change);
        let value = metric.value(&Span { start: &start, end: &end, churned: *churned });
        let of = if metric.kind == Kind::Flow { change } else { &end };
        (value, by.map(|by| metric.groups(by, of)))
    })
}

impl Series {
    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.points.iter().map(|point| Line {
            about: self.about,
            by: self.by,
            point,
            as_of: self.as_of,
            seq: self.seq,
        })
    }

    /// A row for every point; by groups, one for each of them, so that a column of numbers adds up.
    fn csv(&self) -> String {
        let last = ["as_of", "seq"];
        let columns = match self.by {
            None => vec!["value"],
            Some(by) => vec![by, "value"],
        };
        let mut text = csv::row(
            ["name", "unit", "kind", "currency", "start", "end", "partial"]
                .into_iter()
                .chain(columns)
                .chain(last),
        );
        for Point { start, end, partial, value, groups } in &self.points {
            let row = |cells: &[&str]| {
                let head = [
                    self.about.name,
                    self.about.unit.as_str(),
                    self.about.kind.as_str(),
                    self.about.currency.unwrap_or(""),
                    &start.to_string(),
                    &end.to_string(),
                    &partial.to_string(),
                ];
                let tail = [&*self.as_of.to_string(), &*self.seq.to_string()];
                csv::row(head.iter().chain(cells).chain(&tail).copied())
            };
            match groups {
                None => text += &row(&[&value.map(|value| value.to_string()).unwrap_or_default()]),
                Some(groups) => {
                    text.extend(
                        groups.iter().map(|(name, value)| row(&[name, &value.to_string()])),
                    );
                }
            }
        }
        text
    }
}
