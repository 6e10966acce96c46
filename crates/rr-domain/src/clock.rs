//! Instants in UTC with microsecond precision, and the clock that is handed in.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant: microseconds since the Unix epoch, the precision both databases keep.
///
/// The range is that of RFC 3339 (years 0 to 9999), so showing one cannot fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text or number that is not an instant between the years 0 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time between the years 0000 and 9999")]
pub struct TimestampError;

const MICROS_PER_SECOND: i64 = 1_000_000;
/// 0000-01-01T00:00:00Z.
const MIN_MICROS: i64 = -62_167_219_200 * MICROS_PER_SECOND;
/// 9999-12-31T23:59:59.999999Z.
const MAX_MICROS: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// An instant from microseconds since the Unix epoch.
    pub fn from_micros(micros: i64) -> Result<Timestamp, TimestampError> {
        if (MIN_MICROS..=MAX_MICROS).contains(&micros) {
            Ok(Timestamp(micros))
        } else {
            Err(TimestampError)
        }
    }

    /// An instant from seconds since the Unix epoch.
    pub fn from_seconds(seconds: i64) -> Result<Timestamp, TimestampError> {
        seconds
            .checked_mul(MICROS_PER_SECOND)
            .ok_or(TimestampError)
            .and_then(Timestamp::from_micros)
    }

    /// Reads RFC 3339 with any offset; digits past the microsecond are cut off.
    pub fn parse(text: &str) -> Result<Timestamp, TimestampError> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError)?;
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000))
            .map_err(|_| TimestampError)
            .and_then(Timestamp::from_micros)
    }

    /// Microseconds since the Unix epoch.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// This instant moved later; it stops at the end of the range.
    #[must_use]
    pub fn plus(self, span: Duration) -> Timestamp {
        let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(span).min(MAX_MICROS))
    }

    /// This instant moved earlier; it stops at the start of the range.
    #[must_use]
    pub fn minus(self, span: Duration) -> Timestamp {
        let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(span).max(MIN_MICROS))
    }

    /// The time from `earlier` to here; zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The start of the minute this instant lies in.
    #[must_use]
    pub fn floor_to_minute(self) -> Timestamp {
        Timestamp(self.0 - self.0.rem_euclid(60 * MICROS_PER_SECOND))
    }

    /// The start of the hour (of UTC) this instant lies in.
    #[must_use]
    pub fn floor_to_hour(self) -> Timestamp {
        Timestamp(self.0 - self.0.rem_euclid(3_600 * MICROS_PER_SECOND))
    }

    /// The same instant for crates that speak the standard library's type.
    pub fn to_system_time(self) -> SystemTime {
        let distance = Duration::from_micros(self.0.unsigned_abs());
        if self.0 >= 0 { UNIX_EPOCH + distance } else { UNIX_EPOCH - distance }
    }

    /// From the standard library's type, cut to the microsecond; it stops at the ends of the range.
    pub fn from_system_time(moment: SystemTime) -> Timestamp {
        match moment.duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp::EPOCH.plus(after),
            Err(before) => Timestamp::EPOCH.minus(before.duration()),
        }
    }

    /// Writes RFC 3339 with all six digits of the fraction, as a log has it.
    pub fn write_micros(self, out: &mut impl fmt::Write) -> fmt::Result {
        let text = self.text();
        out.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }

    /// `2026-01-15T12:00:00.000000Z`. Every request shows an instant or two, so this is not left to
    /// the `time` crate, which is several times slower.
    fn text(self) -> [u8; LENGTH] {
        let (days, second) = (self.seconds().div_euclid(DAY), self.seconds().rem_euclid(DAY));
        let (year, month, day) = civil(days);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let [year, month, day, second, micros] =
            [year, month, day, second, self.0.rem_euclid(MICROS_PER_SECOND)].map(small);
        write_digits(&mut text[0..4], year);
        write_digits(&mut text[5..7], month);
        write_digits(&mut text[8..10], day);
        write_digits(&mut text[11..13], second / 3_600);
        write_digits(&mut text[14..16], second / 60 % 60);
        write_digits(&mut text[17..19], second % 60);
        write_digits(&mut text[20..26], micros);
        text
    }
}

const DAY: i64 = 86_400;
const LENGTH: usize = 27;
/// Without the fraction.
const SECONDS: usize = 19;

/// Year, month and day of a day counted from 1970, in the Gregorian calendar. Years that begin with
/// March have their leap day at the end, where it is in nobody's way (Howard Hinnant's algorithm).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // from March
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

/// Takes the zeros off the end of a text's fraction, or all of the fraction.
fn shorten(text: &mut [u8; LENGTH]) -> Result<&str, std::str::Utf8Error> {
    let mut end = LENGTH - 1;
    while text[end - 1] == b'0' && end > SECONDS {
        end -= 1;
    }
    // Nothing is left of the fraction but its point.
    if end == SECONDS + 1 {
        end = SECONDS;
    }
    text[end] = b'Z';
    std::str::from_utf8(&text[..=end])
}

/// A part of an instant in the type that divides fastest; all of them fit.
fn small(part: i64) -> u32 {
    u32::try_from(part).unwrap_or(0)
}

/// Fills `place` with the last digits of `number`.
fn write_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; a fraction only when there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.text();
        f.write_str(shorten(&mut text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = self.text();
        serializer.serialize_str(shorten(&mut text).map_err(serde::ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where "now" comes from. The binary makes one from the system; tests make one they can set.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `read` each time.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(read))
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_and_reads_rfc_3339() {
        for (text, micros, shown) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2024-01-01T01:00:00+01:00", 1_704_067_200_000_000, "2024-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.5Z", -500_000, "1969-12-31T23:59:59.5Z"),
            ("2024-02-29T12:00:00.1234567Z", 1_709_208_000_123_456, "2024-02-29T12:00:00.123456Z"),
            ("9999-12-31T23:59:59.999999Z", MAX_MICROS, "9999-12-31T23:59:59.999999Z"),
        ] {
            let read = Timestamp::parse(text).unwrap();
            assert_eq!(read.micros(), micros, "{text}");
            assert_eq!(read.to_string(), shown);
            assert_eq!(Timestamp::from_system_time(read.to_system_time()), read);
        }
    }

    #[test]
    fn shows_what_the_time_crate_shows() {
        // Every 29th day, so in each month of each year, at an hour that wanders.
        let span = usize::try_from(29 * DAY * MICROS_PER_SECOND).unwrap();
        for (index, day) in (MIN_MICROS..=MAX_MICROS).step_by(span).enumerate() {
            let wander = i64::try_from(index).unwrap() * 12_345_678_901 % (DAY * MICROS_PER_SECOND);
            let instant = Timestamp::from_micros(day + wander).unwrap();
            let theirs = OffsetDateTime::from_unix_timestamp_nanos(i128::from(instant.0) * 1_000);
            assert_eq!(instant.to_string(), theirs.unwrap().format(&Rfc3339).unwrap());
        }
        let mut text = String::new();
        Timestamp::from_micros(1_709_208_000_100_000).unwrap().write_micros(&mut text).unwrap();
        assert_eq!(text, "2024-02-29T12:00:00.100000Z");
    }

    #[test]
    fn refuses_what_is_not_an_instant() {
        for text in ["", "2024-01-01", "2024-02-30T00:00:00Z", "10000-01-01T00:00:00Z", "now"] {
            assert_eq!(Timestamp::parse(text), Err(TimestampError), "{text}");
        }
        assert_eq!(Timestamp::from_micros(i64::MAX), Err(TimestampError));
    }

    #[test]
    fn minutes_and_hours_start_at_or_before_their_instants() {
        let half_past = Timestamp::parse("2024-01-01T10:20:30.5Z").unwrap();
        assert_eq!(half_past.floor_to_minute().to_string(), "2024-01-01T10:20:00Z");
        assert_eq!(half_past.floor_to_hour().to_string(), "2024-01-01T10:00:00Z");
        let before_epoch = Timestamp::from_seconds(-1).unwrap();
        assert_eq!(before_epoch.floor_to_minute().seconds(), -60);
        assert_eq!(before_epoch.floor_to_hour().seconds(), -3_600);
    }
}
