//! Which instant, or which stretch of time, is asked for.

use rr_domain::Timestamp;
use rr_sync::metrics::{Metric, Period, Step, Zone, periods};

use crate::problem::{Outcome, Problem};
use crate::query::Query;

/// The most periods of a series.
const POINTS: usize = 2_000;

/// Of when a figure is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// As it is.
    Now,
    /// As it was.
    At(Timestamp),
    /// In a stretch of time.
    Within(Range),
}

/// A stretch of time that holds its start and not its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Whether it ends now because nobody said when.
    pub(super) is_open: bool,
}

/// How a range is cut.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) step: Step,
    pub(super) zone: Zone,
}

impl Asked {
    /// Reads `as_of`, `from` and `to`.
    pub(super) fn read(query: &Query<'_>, now: Timestamp) -> Outcome<Asked> {
        let as_of = query.past_instant("as_of", now)?;
        let from = query.instant("from")?;
        let to = query.past_instant("to", now)?;
        match (as_of, from, to) {
            (None, None, None) => Ok(Asked::Now),
            (Some(at), None, None) => Ok(Asked::At(at)),
            (Some(_), _, _) => {
                Err(Problem::unusable("as_of", "cannot be combined with from and to"))
            }
            (None, None, Some(_)) => Err(Problem::unusable("from", "is needed with to")),
            (None, Some(from), to) if from > to.unwrap_or(now) => {
                Err(Problem::unusable("from", "must not be later than to, nor than now"))
            }
            (None, Some(from), to) => {
                Ok(Asked::Within(Range { from, to: to.unwrap_or(now), is_open: to.is_none() }))
            }
        }
    }
}

/// Reads `by`: what the figure is to be told by.
pub(super) fn by(query: &Query<'_>, metric: &Metric) -> Outcome<Option<&'static str>> {
    let Some(wanted) = query.text("by")? else { return Ok(None) };
    let known = metric.dimensions();
    let unknown = || match known {
        [] => Problem::unusable("by", "cannot be asked of this figure, which has no groups"),
        _ => Problem::unusable("by", &format!("must be {}", known.join(" or "))),
    };
    known.iter().find(|name| **name == wanted).copied().map(Some).ok_or_else(unknown)
}

impl Steps {
    /// Reads `step` and `tz`, where either is given.
    pub(super) fn read(query: &Query<'_>) -> Outcome<Option<Steps>> {
        let (step, zone) = (query.text("step")?, query.text("tz")?);
        if step.is_none() && zone.is_none() {
            return Ok(None);
        }
        let step = match step.as_deref() {
            Some("hour") => Step::Hour,
            None | Some("day") => Step::Day,
            Some("week") => Step::Week,
            Some("month") => Step::Month,
            Some(_) => {
                return Err(Problem::unusable("step", "must be hour, day, week or month"));
            }
        };
        let zone = match zone {
            None => Zone::utc(),
            Some(name) => {
                Zone::parse(&name).map_err(|error| Problem::unusable("tz", &error.to_string()))?
            }
        };
        Ok(Some(Steps { step, zone }))
    }

    /// The periods of a range.
    pub(super) fn cut(&self, range: Range) -> Outcome<Vec<Period>> {
        let too_many = || {
            let detail = format!(
                "cuts the range into more than {POINTS} periods; take a longer step or a shorter range"
            );
            Problem::unusable("step", &detail)
        };
        periods(range.from, range.to, self.step, &self.zone)
            .ok()
            .filter(|periods| periods.len() <= POINTS)
            .ok_or_else(too_many)
    }
}

impl Default for Steps {
    /// Days of UTC.
    fn default() -> Steps {
        Steps { step: Step::Day, zone: Zone::utc() }
    }
}
