//! What an invented subscriber has agreed to: of which tier, how many, how often it is due.

use std::num::NonZeroU32;

use rr_domain::{Interval, IntervalUnit, Timestamp};

use super::calendar::months_after;
use super::dice::Dice;
use super::price::Tier;
use super::signups::DAY;

/// The terms of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deal {
    pub(super) tier: Tier,
    pub(super) term: Term,
    pub(super) quantity: u32,
    /// What is off the price for ever, in percent.
    pub(super) discount: i64,
}

impl Deal {
    /// What a new subscriber takes: mostly one membership by the month.
    pub(super) fn draw(dice: &mut Dice) -> Deal {
        let tier = match dice.weighted(&[68, 20, 12]) {
            0 => Tier::Membership,
            1 => Tier::Reseller,
            _ => Tier::ProReseller,
        };
        Deal { tier, term: Term::draw(dice), quantity: quantity(dice), discount: 0 }
    }

    /// The price of one, each time it is due, in cents.
    pub(super) fn price(self) -> i64 {
        self.tier.price() * self.term.percent() * (100 - self.discount) / 10_000
    }

    /// What is due for all of them.
    pub(super) fn due(self) -> i64 {
        self.price() * i64::from(self.quantity)
    }
}

/// Most buy for themselves, some for a team.
pub(super) fn quantity(dice: &mut Dice) -> u32 {
    match dice.weighted(&[860, 100, 35, 5]) {
        0 => 1,
        1 => 2,
        2 => u32::try_from(dice.between(3, 10)).unwrap_or(3),
        _ => 25,
    }
}

/// How often a price is due: a place in the list of [`TERMS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term(usize);

/// How often, for how many percent of the monthly price, and how many in a thousand choose it.
const TERMS: [(Interval, i64, u64); 9] = [
    (every(1, IntervalUnit::Month), 100, 720),
    (every(1, IntervalUnit::Year), 1_000, 150),
    (every(3, IntervalUnit::Month), 285, 50),
    (every(6, IntervalUnit::Month), 550, 25),
    (every(4, IntervalUnit::Week), 94, 15),
    (every(1, IntervalUnit::Week), 25, 10),
    (every(30, IntervalUnit::Day), 98, 10),
    (every(2, IntervalUnit::Year), 1_800, 10),
    // Does not divide the year, so that its annual basis is rounded.
    (every(5, IntervalUnit::Month), 463, 10),
];

const fn every(count: u32, unit: IntervalUnit) -> Interval {
    match NonZeroU32::new(count) {
        Some(count) => Interval { unit, count },
        None => Interval { unit, count: NonZeroU32::MIN },
    }
}

impl Term {
    pub(super) const MONTHLY: Term = Term(0);
    pub(super) const YEARLY: Term = Term(1);

    fn draw(dice: &mut Dice) -> Term {
        Term(dice.weighted(&TERMS.map(|(_, _, weight)| weight)))
    }

    pub(super) fn interval(self) -> Interval {
        TERMS[self.0].0
    }

    fn percent(self) -> i64 {
        TERMS[self.0].1
    }

    /// How many months it lasts, at least one.
    pub(super) fn months(self) -> u32 {
        let Interval { unit, count } = self.interval();
        match unit {
            IntervalUnit::Day | IntervalUnit::Week => 1,
            IntervalUnit::Month => count.get(),
            IntervalUnit::Year => 12 * count.get(),
        }
    }

    /// When so many periods from `start` on are over.
    pub(super) fn over(self, start: Timestamp, periods: u32) -> Timestamp {
        let Interval { unit, count } = self.interval();
        let units = periods * count.get();
        match unit {
            IntervalUnit::Day => start.plus(DAY * units),
            IntervalUnit::Week => start.plus(DAY * 7 * units),
            IntervalUnit::Month => months_after(start, units),
            IntervalUnit::Year => months_after(start, 12 * units),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deal_is_priced_by_its_term_its_discount_and_its_quantity() {
        let deal = Deal { tier: Tier::Membership, term: Term::MONTHLY, quantity: 1, discount: 0 };
        for (deal, price, due) in [
            (deal, 4_700, 4_700),
            (Deal { quantity: 3, ..deal }, 4_700, 14_100),
            (Deal { term: Term::YEARLY, discount: 10, ..deal }, 42_300, 42_300),
            (Deal { discount: 100, quantity: 2, ..deal }, 0, 0),
        ] {
            assert_eq!((deal.price(), deal.due()), (price, due), "{deal:?}");
        }
    }

    #[test]
    fn a_term_is_over_when_the_calendar_says_so() {
        let start = Timestamp::parse("2024-01-31T12:00:00Z").unwrap();
        let over: Vec<String> =
            (0..TERMS.len()).map(|place| Term(place).over(start, 1).to_string()).collect();
        assert_eq!(
            over,
            [
                "2024-02-29T12:00:00Z",
                "2025-01-31T12:00:00Z",
                "2024-04-30T12:00:00Z",
                "2024-07-31T12:00:00Z",
                "2024-02-28T12:00:00Z",
                "2024-02-07T12:00:00Z",
                "2024-03-01T12:00:00Z",
                "2026-01-31T12:00:00Z",
                "2024-06-30T12:00:00Z",
            ]
        );
        assert_eq!(Term::MONTHLY.over(start, 0), start);
    }
}
