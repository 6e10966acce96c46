//! The calendar of a time zone, cut into periods.

use std::iter;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use rr_domain::Timestamp;
use serde::{Deserialize, Serialize};

const HOUR: Duration = Duration::from_secs(3_600);

/// How long a period is in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// From one full hour of the clock to the next.
    Hour,
    /// From midnight to midnight: 23 or 25 hours where the clocks change.
    Day,
    /// From Monday to Monday (ISO 8601).
    Week,
    /// From the first to the first.
    Month,
}

/// A stretch of time that holds its start and not its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// Whether it is only a part of its hour, day, week or month.
    pub partial: bool,
}

/// A time zone of the IANA database, which is compiled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// Not the name of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time zone of the IANA database, such as UTC or Europe/Berlin")]
pub struct ZoneError;

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The zone of that name.
    pub fn parse(name: &str) -> Result<Zone, ZoneError> {
        jiff::tz::db().get(name).map(Zone).map_err(|_| ZoneError)
    }

    /// Its name, as the database spells it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

/// The most periods that are given at once.
pub const MAX_PERIODS: usize = 10_000;

/// The range has more than [`MAX_PERIODS`] periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the range has more than {MAX_PERIODS} periods")]
pub struct PeriodsError;

/// The periods between two instants, `to` not included. They follow each other without a gap; the
/// first and the last are cut where the range is, and say so. No range, no periods.
///
/// A midnight that a clock change leaves out is the first instant of the new day, one that comes
/// twice the first of the two, and a day that a zone left out is no period.
pub fn periods(
    from: Timestamp,
    to: Timestamp,
    step: Step,
    zone: &Zone,
) -> Result<Vec<Period>, PeriodsError> {
    if from >= to {
        return Ok(Vec::new());
    }
    let first = zone.civil(from);
    match step {
        Step::Hour => {
            let start = from.minus(past_the_hour(first));
            cut(from, to, iter::successors(Some(start), |hour| Some(zone.next_hour(*hour))))
        }
        Step::Day => cut(from, to, zone.midnights(first.date(), 1.day())),
        Step::Week => {
            let days = first.weekday().to_monday_zero_offset().days();
            cut(from, to, zone.midnights(first.date().saturating_sub(days), 1.week()))
        }
        Step::Month => cut(from, to, zone.midnights(first.date().first_of_month(), 1.month())),
    }
}

/// The stretches between these starts, as far as they lie within the range. The first start is not
/// after `from`.
fn cut(
    from: Timestamp,
    to: Timestamp,
    mut starts: impl Iterator<Item = Timestamp>,
) -> Result<Vec<Period>, PeriodsError> {
    let mut periods = Vec::new();
    let mut start = starts.next().unwrap_or(from);
    while start < to {
        // There is no next one at the end of time alone.
        let end = starts.next().unwrap_or(to);
        if end > start.max(from) {
            if periods.len() == MAX_PERIODS {
                return Err(PeriodsError);
            }
            let partial = start < from || end > to;
            periods.push(Period { start: start.max(from), end: end.min(to), partial });
        }
        start = end.max(start);
    }
    Ok(periods)
}

impl Zone {
    /// The first instants of every day that is `step` after the last.
    fn midnights(&self, first: Date, step: Span) -> impl Iterator<Item = Timestamp> {
        iter::successors(Some(first), move |date| date.checked_add(step).ok())
            .filter_map(|date| date.to_zoned(self.0.clone()).ok())
            .filter_map(|midnight| {
                Timestamp::from_micros(midnight.timestamp().as_microsecond()).ok()
            })
    }

    /// The next full hour of the clock. Where the clock is moved by half an hour, an hour is half
    /// as long again.
    fn next_hour(&self, hour: Timestamp) -> Timestamp {
        let next = hour.plus(HOUR);
        let past = past_the_hour(self.civil(next));
        if past.is_zero() {
            return next;
        }
        let earlier = next.minus(past);
        if earlier > hour && past_the_hour(self.civil(earlier)).is_zero() {
            earlier
        } else {
            next.plus(HOUR - past)
        }
    }

    /// What calendar and clock show; the last day of all is cut short.
    fn civil(&self, moment: Timestamp) -> DateTime {
        let moment = jiff::Timestamp::from_microsecond(moment.micros());
        self.0.to_datetime(moment.unwrap_or(jiff::Timestamp::MAX))
    }
}

fn past_the_hour(clock: DateTime) -> Duration {
    let seconds = i32::from(clock.minute()) * 60 + i32::from(clock.second());
    Duration::from_secs(seconds.unsigned_abs().into())
        + Duration::from_nanos(clock.subsec_nanosecond().unsigned_abs().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let text = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
        Timestamp::parse(&text).unwrap()
    }

    /// The starts, the hours each lasts, and which are partial.
    fn show(from: &str, to: &str, step: Step, zone: &str) -> Vec<(String, u64, bool)> {
        periods(at(from), at(to), step, &Zone::parse(zone).unwrap())
            .unwrap()
            .into_iter()
            .map(|one| {
                let length = one.end.since(one.start);
                (one.start.to_string(), length.as_secs() / 60, one.partial)
            })
            .collect()
    }

    fn lengths(from: &str, to: &str, step: Step, zone: &str) -> Vec<u64> {
        show(from, to, step, zone).into_iter().map(|(_, minutes, _)| minutes).collect()
    }

    const DAY: u64 = 24 * 60;

    #[test]
    fn days_have_23_and_25_hours_where_the_clocks_change() {
        let spring =
            lengths("2024-03-29T23:00:00Z", "2024-04-01T22:00:00Z", Step::Day, "Europe/Berlin");
        assert_eq!(spring, [DAY, DAY - 60, DAY]);
        let autumn =
            lengths("2024-10-25T22:00:00Z", "2024-10-28T23:00:00Z", Step::Day, "Europe/Berlin");
        assert_eq!(autumn, [DAY, DAY + 60, DAY]);
        assert_eq!(lengths("2024-02-28", "2024-03-02", Step::Day, "UTC"), [DAY, DAY, DAY]);
    }

    #[test]
    fn a_midnight_may_be_missing_or_come_twice() {
        // In Santiago the clock went from 23:59:59 to 01:00 on 2024-09-08, and on 2024-04-07 from
        // 23:59:59 of the day before to 23:00; in Havana on 2024-11-03 from 00:59:59 to 00:00.
        let missing =
            show("2024-09-07T04:00:00Z", "2024-09-09T03:00:00Z", Step::Day, "America/Santiago");
        assert_eq!(missing[1], ("2024-09-08T04:00:00Z".to_owned(), DAY - 60, false));
        let longer =
            show("2024-04-06T03:00:00Z", "2024-04-08T04:00:00Z", Step::Day, "America/Santiago");
        assert_eq!(longer[0], ("2024-04-06T03:00:00Z".to_owned(), DAY + 60, false));
        let twice =
            show("2024-11-02T04:00:00Z", "2024-11-04T05:00:00Z", Step::Day, "America/Havana");
        assert_eq!(twice[1], ("2024-11-03T04:00:00Z".to_owned(), DAY + 60, false));
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_no_period() {
        // Samoa crossed the date line and had no 30 December 2011.
        let days = show("2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", Step::Day, "Pacific/Apia");
        let starts: Vec<&str> = days.iter().map(|(start, _, _)| start.as_str()).collect();
        assert_eq!(starts, ["2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"]);
    }

    #[test]
    fn hours_follow_the_clock_of_the_zone() {
        assert_eq!(
            show("2024-01-01T00:00:00Z", "2024-01-01T02:00:00Z", Step::Hour, "Asia/Kolkata"),
            [
                ("2024-01-01T00:00:00Z".to_owned(), 30, true),
                ("2024-01-01T00:30:00Z".to_owned(), 60, false),
                ("2024-01-01T01:30:00Z".to_owned(), 30, true),
            ]
        );
        // Lord Howe moves its clocks by half an hour.
        let hours = lengths(
            "2024-04-06T13:00:00Z",
            "2024-04-06T17:30:00Z",
            Step::Hour,
            "Australia/Lord_Howe",
        );
        assert_eq!(hours, [60, 90, 60, 60]);
        assert_eq!(
            lengths("2024-03-31", "2024-03-31T04:00:00Z", Step::Hour, "Europe/Berlin"),
            [60; 4]
        );
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_the_first() {
        let weeks = show("2024-02-26", "2024-03-12", Step::Week, "UTC");
        assert_eq!(
            weeks,
            [
                ("2024-02-26T00:00:00Z".to_owned(), 7 * DAY, false),
                ("2024-03-04T00:00:00Z".to_owned(), 7 * DAY, false),
                ("2024-03-11T00:00:00Z".to_owned(), DAY, true),
            ]
        );
        let months = show("2024-01-31", "2024-04-01", Step::Month, "UTC");
        assert_eq!(
            months,
            [
                ("2024-01-31T00:00:00Z".to_owned(), DAY, true),
                ("2024-02-01T00:00:00Z".to_owned(), 29 * DAY, false),
                ("2024-03-01T00:00:00Z".to_owned(), 31 * DAY, false),
            ]
        );
    }

    #[test]
    fn ranges_have_limits() {
        let utc = Zone::utc();
        let (first, last) = ("0000-01-01", "9999-12-31T23:59:59.999999Z");
        assert_eq!(periods(at(first), at(last), Step::Week, &utc), Err(PeriodsError));
        assert_eq!(periods(at(last), at(first), Step::Week, &utc), Ok(Vec::new()));
        assert_eq!(periods(at(first), at(first), Step::Week, &utc), Ok(Vec::new()));
        for step in [Step::Hour, Step::Day, Step::Week, Step::Month] {
            let end = periods(at("9999-12-30T12:00:00Z"), at(last), step, &utc).unwrap();
            assert_eq!(end.last().unwrap().end, at(last));
        }
        assert_eq!(Zone::parse("Mars/Olympus"), Err(ZoneError));
        assert_eq!(Zone::parse("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!((utc.name(), Zone::parse("UTC").unwrap().name()), ("UTC", "UTC"));
    }

    proptest::proptest! {
        #[test]
        fn periods_follow_each_other_without_a_gap(
            from in -1_000_000_000..2_000_000_000_i64,
            length in 1..30_000_000_i64,
            step in proptest::sample::select(vec![Step::Hour, Step::Day, Step::Week, Step::Month]),
            zone in proptest::sample::select(vec![
                "UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana",
                "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca",
            ]),
        ) {
            let (from, to) = (
                Timestamp::from_seconds(from).unwrap(),
                Timestamp::from_seconds(from + length).unwrap(),
            );
            let periods = periods(from, to, step, &Zone::parse(zone).unwrap()).unwrap();
            let mut start = from;
            for (index, period) in periods.iter().enumerate() {
                proptest::prop_assert_eq!(period.start, start);
                proptest::prop_assert!(period.end > period.start);
                let edge = index == 0 || index + 1 == periods.len();
                proptest::prop_assert!(edge || !period.partial);
                start = period.end;
            }
            proptest::prop_assert_eq!(start, to);
        }
    }
}
