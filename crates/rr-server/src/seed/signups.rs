//! When invented users sign up: more every day, fewer at the weekend, awake by day.

use std::time::Duration;

use rr_domain::Timestamp;

use super::dice::Dice;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// Monday to Sunday, in percent of a usual day.
const WEEK: [u64; 7] = [112, 118, 115, 108, 94, 74, 79];
/// Midnight to eleven at night, UTC.
const HOURS: [u64; 24] =
    [3, 2, 2, 1, 1, 2, 3, 5, 8, 11, 12, 12, 11, 12, 13, 14, 14, 13, 12, 12, 11, 9, 7, 5];

/// The instants at which `users` users sign up, in order, one day in memory at a time.
pub(crate) struct Signups {
    start: Timestamp,
    weights: Vec<u64>,
    total: u128,
    users: u64,
    day: usize,
    /// Sum of the weights of the days before `day`.
    before: u128,
    /// The rest of the present day, last instant first.
    today: Vec<Timestamp>,
}

impl Signups {
    /// Spreads `users` over `days` days from `start`.
    pub(crate) fn new(users: u64, start: Timestamp, days: u32, dice: &mut Dice) -> Signups {
        let weights: Vec<u64> = (0..u64::from(days))
            .map(|day| {
                let growth = u64::from(days) + 3 * day; // four times as many at the end
                growth
                    * WEEK[weekday(start.plus(DAY * u32::try_from(day).unwrap_or(0)))]
                    * dice.between(85, 115)
            })
            .collect();
        let total = weights.iter().map(|weight| u128::from(*weight)).sum();
        Signups { start, weights, total, users, day: 0, before: 0, today: Vec::new() }
    }

    /// The next signup.
    pub(crate) fn next(&mut self, dice: &mut Dice) -> Option<Timestamp> {
        while self.today.is_empty() {
            let weight = u128::from(*self.weights.get(self.day)?);
            // Rounding the running sum, not each day, makes the days add up to `users` exactly.
            let upto = |sum: u128| u128::from(self.users) * sum / self.total;
            let count = upto(self.before + weight) - upto(self.before);
            let midnight = self.start.plus(DAY * u32::try_from(self.day).unwrap_or(0));
            self.today = (0..count).map(|_| moment(midnight, dice)).collect();
            self.today.sort_unstable_by(|a, b| b.cmp(a));
            self.before += weight;
            self.day += 1;
        }
        self.today.pop()
    }
}

fn moment(midnight: Timestamp, dice: &mut Dice) -> Timestamp {
    let hour = u32::try_from(dice.weighted(&HOURS)).unwrap_or(0);
    midnight.plus(HOUR * hour + Duration::from_millis(dice.below(3_600_000)))
}

/// 0 is Monday. The epoch was a Thursday.
pub(crate) fn weekday(at: Timestamp) -> usize {
    usize::try_from((at.seconds().div_euclid(86_400) + 3).rem_euclid(7)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_users_arrive_in_order_within_the_days() {
        let start = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
        for (users, days) in [(0, 10), (1, 10), (1_000, 1), (5_000, 365)] {
            let mut dice = Dice::new(1);
            let mut signups = Signups::new(users, start, days, &mut dice);
            let all: Vec<_> = std::iter::from_fn(|| signups.next(&mut dice)).collect();
            assert_eq!(all.len(), usize::try_from(users).unwrap());
            assert!(all.is_sorted());
            assert!(all.iter().all(|at| *at >= start && *at < start.plus(DAY * days)));
        }
    }

    #[test]
    fn signups_grow_and_rest_at_the_weekend() {
        let start = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
        let mut dice = Dice::new(1);
        let mut signups = Signups::new(50_000, start, 364, &mut dice);
        let all: Vec<_> = std::iter::from_fn(|| signups.next(&mut dice)).collect();
        let middle = start.plus(DAY * 182);
        let first = all.iter().filter(|at| **at < middle).count();
        assert!(first * 10 < all.len() * 4, "{first}");
        let on = |day: usize| all.iter().filter(|at| weekday(**at) == day).count();
        assert!(on(1) * 100 > on(5) * 130, "{} {}", on(1), on(5));
    }

    #[test]
    fn knows_the_day_of_the_week() {
        for (text, day) in [("2024-01-01T00:00:00Z", 0), ("2024-01-07T23:59:59Z", 6)] {
            assert_eq!(weekday(Timestamp::parse(text).unwrap()), day);
        }
    }
}
