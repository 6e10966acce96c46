//! The named figures: one table, each with its definition and its fold over the ledger's sums.

mod formula;
mod groups;
mod periods;
pub(crate) mod table;

pub use formula::{Kind, Metric, Span, Unit, Value};
pub use periods::{MAX_PERIODS, Period, PeriodsError, Step, Zone, ZoneError, periods};
pub use table::METRICS;

/// The figure of that name.
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}
