//! How often a key may be used in a day, in a month and in all.
//!
//! A quota is a number that is agreed on ("10,000 calls a day"), where a [rate limit](crate::RateLimit) is a
//! pace. Its periods are those of the calendar in UTC, so that "today" is the same on every node and in every
//! report.

mod calendar;
mod tally;

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

pub(crate) use tally::{QuotaSpent, Tallies, rest_of};

/// The stretch of time that a quota is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaPeriod {
    /// A day in UTC.
    Day,
    /// A calendar month in UTC.
    Month,
    /// The whole life of the key.
    Total,
}

/// How often a key may be used in each period, and how much of that its store has seen.
///
/// Uses are counted from the moment at which a key has a quota, for all three periods at once: a monthly
/// quota given to a key with a daily one knows of the month so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotas(Option<Box<Inner>>);

/// Apart, because most keys have none and every cached key carries this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Inner {
    limits: [Option<NonZeroU32>; 3],
    used: QuotaUse,
}

/// Uses that count towards quotas, for each period in which they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaUse {
    /// The first instant of the day that `day` is of.
    pub day_start: SystemTime,
    /// Uses on that day.
    pub day: u64,
    /// The first instant of the month that `month` is of.
    pub month_start: SystemTime,
    /// Uses in that month.
    pub month: u64,
    /// Uses in all.
    pub total: u64,
}

impl QuotaPeriod {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Total];

    /// `day`, `month` or `total`. In `RateLimit` fields `quota-` stands before it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// The first instant after the period that holds `now`; `None` when nothing comes after it.
    pub fn end(self, now: SystemTime) -> Option<SystemTime> {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let end = calendar::end_s(self, since.as_secs())?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(end))
    }

    fn index(self) -> usize {
        match self {
            Self::Day => 0,
            Self::Month => 1,
            Self::Total => 2,
        }
    }
}

impl Quotas {
    /// At most so many uses in each of these periods; of two quotas for one period the last counts.
    pub fn new(quotas: impl IntoIterator<Item = (QuotaPeriod, NonZeroU32)>) -> Self {
        let mut inner: Option<Box<Inner>> = None;
        for (period, limit) in quotas {
            inner.get_or_insert_default().limits[period.index()] = Some(limit);
        }
        Self(inner)
    }

    /// The same quotas of a key that has used this much of them, as its store knows it. Without any quota
    /// there is nothing to be used.
    #[must_use]
    pub fn with_used(mut self, used: QuotaUse) -> Self {
        if let Some(inner) = &mut self.0 {
            inner.used = used;
        }
        self
    }

    /// What [`Quotas::with_used`] said.
    pub fn used(&self) -> QuotaUse {
        self.0.as_ref().map(|inner| inner.used).unwrap_or_default()
    }

    /// The uses that the key may have in one such period; `None` is any number.
    pub fn limit(&self, period: QuotaPeriod) -> Option<NonZeroU32> {
        self.0.as_ref().and_then(|inner| inner.limits[period.index()])
    }

    /// The quotas, that of the shortest period first.
    pub fn iter(&self) -> impl Iterator<Item = (QuotaPeriod, NonZeroU32)> {
        QuotaPeriod::ALL.into_iter().filter_map(|period| Some((period, self.limit(period)?)))
    }

    /// Whether whoever keeps to these quotas keeps to those of `outer` too.
    pub fn is_within(&self, outer: &Self) -> bool {
        outer.iter().all(|(period, most)| self.limit(period).is_some_and(|own| own <= most))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl QuotaUse {
    /// How much of this counts in the period of `now`: a count of another day or month says nothing.
    pub fn in_period(&self, period: QuotaPeriod, now: SystemTime) -> u64 {
        let current = |start, uses| match start == calendar::start(period, now) {
            true => uses,
            false => 0,
        };
        match period {
            QuotaPeriod::Day => current(self.day_start, self.day),
            QuotaPeriod::Month => current(self.month_start, self.month),
            QuotaPeriod::Total => self.total,
        }
    }

    /// Adds uses that were counted elsewhere. Those of an earlier day or month no longer matter.
    pub fn merge(&mut self, other: Self) {
        merge(&mut self.day_start, &mut self.day, other.day_start, other.day);
        merge(&mut self.month_start, &mut self.month, other.month_start, other.month);
        self.total = self.total.saturating_add(other.total);
    }
}

fn merge(start: &mut SystemTime, uses: &mut u64, other_start: SystemTime, other: u64) {
    match other_start.cmp(start) {
        std::cmp::Ordering::Less => {}
        std::cmp::Ordering::Equal => *uses = uses.saturating_add(other),
        std::cmp::Ordering::Greater => (*start, *uses) = (other_start, other),
    }
}

impl Default for QuotaUse {
    fn default() -> Self {
        let start = SystemTime::UNIX_EPOCH;
        Self { day_start: start, day: 0, month_start: start, month: 0, total: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    #[test]
    fn a_set_of_quotas_has_one_for_each_period() {
        let quotas = Quotas::new([
            (QuotaPeriod::Total, limit(9)),
            (QuotaPeriod::Day, limit(1)),
            (QuotaPeriod::Day, limit(2)),
        ]);
        let all: Vec<_> = quotas.iter().collect();
        assert_eq!(all, [(QuotaPeriod::Day, limit(2)), (QuotaPeriod::Total, limit(9))]);
        assert_eq!(quotas.limit(QuotaPeriod::Month), None);
        assert!(!quotas.is_empty() && Quotas::new([]).is_empty());
    }

    #[test]
    fn quotas_are_within_others_when_none_lets_more_through() {
        use QuotaPeriod::{Day, Month, Total};
        let set = |quotas: &[(QuotaPeriod, u32)]| {
            Quotas::new(quotas.iter().map(|(period, n)| (*period, limit(*n))))
        };
        let outer = set(&[(Day, 10), (Total, 100)]);
        for (own, within) in [
            (&[(Day, 10), (Total, 100)][..], true),
            (&[(Day, 1), (Month, 1_000), (Total, 99)], true),
            (&[(Day, 11), (Total, 100)], false),
            (&[(Day, 10), (Total, 101)], false),
            (&[(Day, 10)], false),
            (&[], false),
        ] {
            assert_eq!(set(own).is_within(&outer), within, "{own:?}");
        }
        assert!(outer.is_within(&Quotas::default()));
    }

    #[test]
    fn quotas_weigh_a_pointer_in_every_record() {
        assert_eq!(size_of::<Quotas>(), size_of::<usize>());
        let used = QuotaUse { total: 5, ..QuotaUse::default() };
        assert_eq!(Quotas::default().with_used(used), Quotas::default());
    }

    #[test]
    fn merging_adds_within_a_period_and_forgets_earlier_ones() {
        let day = |n: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(n * 86_400);
        let uses =
            |day_start, day, total| QuotaUse { day_start, day, total, ..QuotaUse::default() };
        for (a, b, both) in [
            (uses(day(1), 2, 2), uses(day(1), 3, 3), uses(day(1), 5, 5)),
            (uses(day(1), 2, 2), uses(day(2), 3, 3), uses(day(2), 3, 5)),
        ] {
            for (mut first, second) in [(a, b), (b, a)] {
                first.merge(second);
                assert_eq!(first, both);
            }
        }
        let used = uses(day(3), 7, 9);
        assert_eq!(used.in_period(QuotaPeriod::Day, day(4) - Duration::from_nanos(1)), 7);
        assert_eq!(used.in_period(QuotaPeriod::Day, day(4)), 0);
        assert_eq!(used.in_period(QuotaPeriod::Total, day(400)), 9);
        assert_eq!(QuotaPeriod::Month.end(day(3)), Some(day(31)));
        assert_eq!(QuotaPeriod::Total.end(day(3)), None);
    }
}
