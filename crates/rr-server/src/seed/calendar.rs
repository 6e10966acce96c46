//! Months, pay days, and some time later.

use std::time::Duration;

use rr_domain::Timestamp;
use time::{Date, OffsetDateTime, UtcOffset};

use super::dice::Dice;
use super::signups::{DAY, weekday};

/// `months` calendar months after `start`, at the same time of day; the 31st falls on the last day
/// of a shorter month.
pub(crate) fn months_after(start: Timestamp, months: u32) -> Timestamp {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(start.seconds()) else { return start };
    let (year, month, day) = moment.to_offset(UtcOffset::UTC).to_calendar_date();
    let index = i64::from(year) * 12 + i64::from(u8::from(month)) - 1 + i64::from(months);
    let target = i32::try_from(index.div_euclid(12)).ok().and_then(|year| {
        let month = u8::try_from(index.rem_euclid(12) + 1).ok()?;
        let month = time::Month::try_from(month).ok()?;
        Date::from_calendar_date(year, month, day.min(month.length(year))).ok()
    });
    let Some(date) = target else { return start };
    let days = i64::from(date.to_julian_day() - moment.date().to_julian_day());
    start.plus(DAY * u32::try_from(days).unwrap_or(0))
}

/// The first Monday, nine o'clock UTC, after `at`: when commissions are paid out.
pub(crate) fn next_pay_day(at: Timestamp) -> Timestamp {
    let midnight = at.minus(Duration::from_micros(
        u64::try_from(at.micros().rem_euclid(86_400_000_000)).unwrap_or(0),
    ));
    let days = 7 - u32::try_from(weekday(at)).unwrap_or(0);
    midnight.plus(DAY * days + Duration::from_secs(9 * 3_600))
}

/// Some time between so many days and so many days after `at`.
pub(crate) fn days_after(at: Timestamp, first: u64, last: u64, dice: &mut Dice) -> Timestamp {
    at.plus(Duration::from_secs(dice.between(first * 86_400, last * 86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_where_the_calendar_ends_them() {
        for (start, months, end) in [
            ("2024-01-31T12:00:00.5Z", 1, "2024-02-29T12:00:00.5Z"),
            ("2023-01-31T12:00:00Z", 1, "2023-02-28T12:00:00Z"),
            ("2024-01-31T12:00:00Z", 2, "2024-03-31T12:00:00Z"),
            ("2024-11-15T23:59:59Z", 14, "2026-01-15T23:59:59Z"),
            ("2024-05-05T00:00:00Z", 0, "2024-05-05T00:00:00Z"),
        ] {
            assert_eq!(months_after(Timestamp::parse(start).unwrap(), months).to_string(), end);
        }
    }

    #[test]
    fn pay_day_is_the_next_monday() {
        for (at, day) in [
            ("2024-01-01T00:00:00Z", "2024-01-08T09:00:00Z"),
            ("2024-01-07T23:00:00Z", "2024-01-08T09:00:00Z"),
            ("2024-01-03T10:00:00Z", "2024-01-08T09:00:00Z"),
        ] {
            assert_eq!(next_pay_day(Timestamp::parse(at).unwrap()).to_string(), day);
        }
    }
}
