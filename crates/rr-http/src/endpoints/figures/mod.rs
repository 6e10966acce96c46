//! The named figures: what there are, what they were at any instant, and what stands behind them.

pub(crate) mod catalogue;
pub(crate) mod explain;
pub(crate) mod metric;
pub(crate) mod restatements;
pub(crate) mod verify;

mod asked;
mod place;
mod series;
mod walk;

use std::time::Duration;

use rr_domain::Timestamp;
use rr_sync::ledger::parts;
use rr_sync::metrics::{self, Kind, Metric, Unit};
use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// The shortest time. What holds its own instant ends this much after it.
const TICK: Duration = Duration::from_micros(1);

/// The figure of that name.
fn named(name: &str) -> Outcome<&'static Metric> {
    let unknown = || {
        let detail = "No figure has that name. GET /api/devops/metrics lists those there are.";
        Problem::new(Code::NotFound).detail(detail)
    };
    metrics::find(name).ok_or_else(unknown)
}

/// What a figure is: the beginning of every answer about it.
#[derive(Debug, Clone, Copy, Hash, Serialize, ToSchema)]
pub(crate) struct About {
    #[schema(example = "mrr")]
    name: &'static str,
    /// `count`, `money` or `percent`.
    #[schema(value_type = String, example = "money")]
    unit: Unit,
    /// `stock`: what stands at the end of a period. `flow`: what was added within it. `rate`: a relation of
    /// such, null where there is nothing to divide by.
    #[schema(value_type = String, example = "stock")]
    kind: Kind,
    /// Of a figure that is money.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "USD")]
    currency: Option<&'static str>,
}

impl About {
    fn of(metric: &Metric) -> About {
        let Metric { name, unit, kind, .. } = *metric;
        let currency = (unit == Unit::Money).then_some(rr_sync::CURRENCY);
        About { name, unit, kind, currency }
    }
}

/// The parts of a group's name; an account without groups has none.
fn group(name: &str) -> Vec<String> {
    parts(name).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Where the time begins that a figure without a period speaks of: a rate looks back 30 days, from the
/// full minute; everything else adds up all there is.
fn beginning(metric: &Metric, at: Timestamp) -> Option<Timestamp> {
    const LOOK_BACK: Duration = Duration::from_secs(30 * 24 * 3_600);
    (metric.kind == Kind::Rate).then(|| at.floor_to_minute().minus(LOOK_BACK))
}
