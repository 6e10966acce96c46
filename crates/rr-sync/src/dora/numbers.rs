//! Medians and shares, exactly.

use std::fmt;
use std::time::Duration;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Percent;
use crate::ratio::rounded;

/// A number of halves. On the wire it is a JSON number (`3`, `3.5`), written digit by digit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Halves(pub u64);

impl fmt::Display for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = if self.0.is_multiple_of(2) { "" } else { ".5" };
        write!(f, "{}{half}", self.0 / 2)
    }
}

impl fmt::Debug for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Halves({self})")
    }
}

impl Serialize for Halves {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// The two values in the middle; of an odd number, the middle one twice.
fn middle<T: Ord + Copy>(mut values: Vec<T>) -> Option<(T, T)> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some((lower, upper))
}

/// The median of counts.
pub(super) fn median_count(counts: Vec<u64>) -> Option<Halves> {
    middle(counts).map(|(lower, upper)| Halves(lower + upper))
}

/// The median of spans, in seconds, rounded once.
pub(super) fn median_seconds(spans: Vec<Duration>) -> Option<i64> {
    let (lower, upper) = middle(spans)?;
    let micros = i128::try_from((lower + upper).as_micros()).unwrap_or(i128::MAX / 4);
    Some(i64::try_from(rounded(micros, 2_000_000)).unwrap_or(i64::MAX))
}

/// `part` of `whole` in percent; none of nothing.
pub(super) fn share(part: usize, whole: usize) -> Option<Percent> {
    let wide = |count: usize| i128::try_from(count).unwrap_or(i128::MAX / 10_000);
    (whole > 0).then(|| Percent::from_hundredths(rounded(wide(part) * 10_000, wide(whole))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_shares_are_exact() {
        let json = |halves: Option<Halves>| serde_json::to_string(&halves).unwrap();
        assert_eq!(json(median_count(vec![])), "null");
        assert_eq!(json(median_count(vec![3])), "3");
        assert_eq!(json(median_count(vec![3, 0])), "1.5");
        assert_eq!(json(median_count(vec![4, 0, 2, 1])), "1.5");
        let seconds = |spans: &[u64]| {
            median_seconds(spans.iter().map(|span| Duration::from_millis(*span)).collect())
        };
        assert_eq!(seconds(&[]), None);
        assert_eq!(seconds(&[1_499]), Some(1));
        assert_eq!(seconds(&[1_500]), Some(2));
        assert_eq!(seconds(&[1_000, 2_000]), Some(2), "half away from zero, once");
        assert_eq!(seconds(&[1_400, 1_400]), Some(1));
        assert_eq!(share(1, 0), None);
        assert_eq!(share(0, 3), Some(Percent::from_hundredths(0)));
        assert_eq!(share(1, 3), Some(Percent::from_hundredths(3_333)));
        assert_eq!(share(2, 3), Some(Percent::from_hundredths(6_667)));
    }
}
