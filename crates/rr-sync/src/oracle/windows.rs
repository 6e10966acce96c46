//! Windows of time, and the instants at which something passes their edges.
//!
//! A window of `d` days at `T` starts at `T` rounded down to the minute, less `d` × 24 hours, and
//! ends at `T`; both ends belong to it. The window before it ends where it starts and leaves that
//! instant to it, so that nothing counts in both. Days are 24 hours of UTC, so no daylight saving
//! moves them. Because a start only moves at whole minutes, figures hold still in between.

use std::time::Duration;

use rr_domain::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

/// A length of time in days of 24 hours.
pub(super) const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}

/// The start of the window of this length at `as_of`.
pub(super) fn start(as_of: Timestamp, length: Duration) -> Timestamp {
    as_of.floor_to_minute().minus(length)
}

/// The first instant at which a window of this length no longer holds `moment`.
pub(super) fn leaves(moment: Timestamp, length: Duration) -> Timestamp {
    moment.plus(length).floor_to_minute().plus(MINUTE)
}

/// Collects instants and keeps the earliest that is still to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextChange {
    as_of: Timestamp,
    earliest: Option<Timestamp>,
}

impl NextChange {
    pub(super) fn after(as_of: Timestamp) -> NextChange {
        NextChange { as_of, earliest: None }
    }

    pub(super) fn consider(&mut self, moment: Timestamp) {
        if moment > self.as_of && self.earliest.is_none_or(|earliest| moment < earliest) {
            self.earliest = Some(moment);
        }
    }

    pub(super) fn earliest(self) -> Option<Timestamp> {
        self.earliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn edges_agree_with_the_start_of_the_window() {
        let week = days(7);
        let tick = Duration::from_micros(1);
        for moment in
            ["2024-02-29T00:00:00Z", "2024-02-29T23:59:59.999999Z", "2024-03-31T01:30:30Z"]
        {
            let moment = at(moment);
            let last = leaves(moment, week).minus(tick);
            assert!(start(last, week) <= moment && start(leaves(moment, week), week) > moment);
        }
    }

    #[test]
    fn the_next_change_is_the_earliest_one_still_to_come() {
        let mut next = NextChange::after(at("2024-01-01T00:00:00Z"));
        assert_eq!(next.earliest(), None);
        for moment in ["2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z", "2024-01-02T00:00:00Z"] {
            next.consider(at(moment));
        }
        assert_eq!(next.earliest(), Some(at("2024-01-02T00:00:00Z")));
    }
}
