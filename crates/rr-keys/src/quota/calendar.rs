//! Days and months of the calendar in UTC, in whole numbers.

use std::time::{Duration, SystemTime};

use super::QuotaPeriod;

pub(super) const DAY_S: u64 = 86_400;

/// Days from 0000-03-01 to 1970-01-01, which is what the arithmetic below counts from: a year that begins in
/// March has its odd day at the end.
const DAYS_BEFORE_1970: u64 = 719_468;
/// Days of 400 years, after which the calendar repeats itself.
const DAYS_OF_400_YEARS: u64 = 146_097;

/// The first second of the period that holds this second since 1970.
pub(super) fn start_s(period: QuotaPeriod, now_s: u64) -> u64 {
    let day = now_s / DAY_S;
    match period {
        QuotaPeriod::Day => day * DAY_S,
        QuotaPeriod::Month => (day - (day_of_month(day) - 1)) * DAY_S,
        QuotaPeriod::Total => 0,
    }
}

/// The first second of the next period; none comes after the whole life.
pub(super) fn end_s(period: QuotaPeriod, now_s: u64) -> Option<u64> {
    match period {
        QuotaPeriod::Day => Some(start_s(period, now_s) + DAY_S),
        // Every month has 28 days and ends before its 32nd.
        QuotaPeriod::Month => Some(start_s(period, start_s(period, now_s) + 31 * DAY_S)),
        QuotaPeriod::Total => None,
    }
}

/// The first instant of the period that holds `now`; earlier than 1970 counts as 1970.
pub(super) fn start(period: QuotaPeriod, now: SystemTime) -> SystemTime {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(start_s(period, since.as_secs()))
}

/// 1 to 31, for a day counted from 1970-01-01.
fn day_of_month(day: u64) -> u64 {
    let day = (day + DAYS_BEFORE_1970) % DAYS_OF_400_YEARS;
    // A leap day ends every fourth of these years, but not the last of a hundred, but the last of all.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on months have 31, 30, 31, 30, 31 days and then again: 153 days every five months.
    let month = (5 * day + 2) / 153;
    day - (153 * month + 2) / 5 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calendar as it is taught, day by day from 1970 into the year 2554, where our time ends.
    #[test]
    fn months_begin_and_end_where_the_calendar_says() {
        let leap = |year: u64| {
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
        };
        let mut first = 0;
        for year in 1970..2555 {
            let february = if leap(year) { 29 } else { 28 };
            for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                for day in first..first + days {
                    for second in [day * DAY_S, (day + 1) * DAY_S - 1] {
                        assert_eq!(start_s(QuotaPeriod::Month, second), first * DAY_S, "{year}");
                        let end = Some((first + days) * DAY_S);
                        assert_eq!(end_s(QuotaPeriod::Month, second), end, "{year}");
                        assert_eq!(start_s(QuotaPeriod::Day, second), day * DAY_S);
                        assert_eq!(end_s(QuotaPeriod::Day, second), Some((day + 1) * DAY_S));
                    }
                }
                first += days;
            }
        }
        assert_eq!((start_s(QuotaPeriod::Total, 99), end_s(QuotaPeriod::Total, 99)), (0, None));
    }
}
