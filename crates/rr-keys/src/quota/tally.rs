//! What a key has used of its quotas in this process.

use std::time::{Duration, SystemTime};

use super::{QuotaPeriod, QuotaUse, Quotas, calendar};
use crate::limit::QuotaStatus;

/// A clock that goes back by more than this was set; by less, two threads read it at about the same time.
const CLOCK_SKEW_S: u64 = 1;

/// The counts of one key for each period: what its store knew when it was last asked, and all uses since.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tallies([Tally; 3]);

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    start_s: u64,
    used: u64,
    /// Those of the used that nobody has taken to write them down.
    fresh: u64,
}

/// What is left after a use, small enough to travel in every grant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct QuotaSpent {
    left: [u32; 3],
    /// Good until 2106, from where on every period seems to end at once.
    now_s: u32,
}

impl Tallies {
    /// Learns what the store knows. It never knows less than was written from here, and what is not written
    /// yet comes on top; the larger count is the one that has seen more.
    pub(crate) fn learn(&mut self, stored: &QuotaUse, now_s: u64) {
        for (period, tally) in QuotaPeriod::ALL.into_iter().zip(&mut self.0) {
            let (start, uses) = match period {
                QuotaPeriod::Day => (seconds(stored.day_start), stored.day),
                QuotaPeriod::Month => (seconds(stored.month_start), stored.month),
                QuotaPeriod::Total => (0, stored.total),
            };
            if start == tally.start_s {
                tally.used = tally.used.max(uses.saturating_add(tally.fresh));
            } else if start > tally.start_s
                && start <= calendar::start_s(period, now_s.saturating_add(CLOCK_SKEW_S))
            {
                // Not one that lies ahead: a clock that ran fast somewhere must not use up today.
                *tally = Tally { start_s: start, used: uses, fresh: 0 };
            }
        }
    }

    /// Brings every count to the period of `now_s`.
    pub(crate) fn roll(&mut self, now_s: u64) {
        for (period, tally) in QuotaPeriod::ALL.into_iter().zip(&mut self.0) {
            let start_s = calendar::start_s(period, now_s);
            if start_s > tally.start_s {
                *tally = Tally { start_s, used: 0, fresh: 0 };
            } else if calendar::start_s(period, now_s.saturating_add(CLOCK_SKEW_S)) < tally.start_s
            {
                // Somebody has set the clock back: that is no new period, and no refill.
                tally.start_s = start_s;
            }
        }
    }

    /// The quota that is used up; of several that which stays so for the longest time.
    pub(crate) fn exhausted(&self, quotas: &Quotas) -> Option<QuotaPeriod> {
        let used_up = |(period, limit): &(QuotaPeriod, std::num::NonZeroU32)| {
            self.0[period.index()].used >= u64::from(limit.get())
        };
        quotas.iter().filter(used_up).map(|(period, _)| period).last()
    }

    pub(crate) fn count(&mut self) {
        for tally in &mut self.0 {
            tally.used = tally.used.saturating_add(1);
            tally.fresh = tally.fresh.saturating_add(1);
        }
    }

    pub(crate) fn spent(&self, quotas: &Quotas, now_s: u64) -> QuotaSpent {
        let mut spent =
            QuotaSpent { now_s: u32::try_from(now_s).unwrap_or(u32::MAX), ..QuotaSpent::default() };
        for (period, limit) in quotas.iter() {
            let left = u64::from(limit.get()).saturating_sub(self.0[period.index()].used);
            spent.left[period.index()] = u32::try_from(left).unwrap_or(u32::MAX);
        }
        spent
    }

    /// The uses since the last taking, if there were any.
    pub(crate) fn take(&mut self) -> Option<QuotaUse> {
        let [day, month, total] = self.0;
        self.0.iter_mut().for_each(|tally| tally.fresh = 0);
        (total.fresh > 0).then(|| QuotaUse {
            day_start: instant(day.start_s),
            day: day.fresh,
            month_start: instant(month.start_s),
            month: month.fresh,
            total: total.fresh,
        })
    }

    /// Whether there are uses that nobody has taken.
    pub(crate) fn has_fresh(&self) -> bool {
        self.0.iter().any(|tally| tally.fresh > 0)
    }
}

impl QuotaSpent {
    /// The full story, for header fields.
    pub(crate) fn status(self, quotas: &Quotas) -> Vec<QuotaStatus> {
        let now_s = u64::from(self.now_s);
        let status = |(period, limit)| {
            let end_s = calendar::end_s(period, now_s);
            QuotaStatus {
                period,
                limit,
                remaining: self.left[QuotaPeriod::index(period)],
                length_s: end_s.map(|end| end - calendar::start_s(period, now_s)),
                reset_s: end_s.map(|end| end - now_s),
            }
        };
        quotas.iter().map(status).collect()
    }
}

/// How long the period of `now_ns` still lasts.
pub(crate) fn rest_of(period: QuotaPeriod, now_ns: u64) -> Option<Duration> {
    let now = Duration::from_nanos(now_ns);
    let end = calendar::end_s(period, now.as_secs())?;
    Some(Duration::from_secs(end).saturating_sub(now))
}

fn seconds(instant: SystemTime) -> u64 {
    instant.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn instant(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
