//! Stories about subscriptions.

use std::num::NonZeroU32;

use rr_domain::IntervalUnit;

use super::*;

fn every(count: u32, unit: IntervalUnit) -> Interval {
    Interval { unit, count: NonZeroU32::new(count).unwrap() }
}

/// Active subscriptions and MRR.
fn recurring(facts: &[Fact], as_of: &str) -> (u64, i128) {
    let revenue = figures(facts, as_of).revenue;
    (revenue.active_subscriptions, revenue.monthly_recurring_revenue.minor())
}

#[test]
fn an_interval_is_brought_to_the_year_and_back_to_the_month() {
    for (price, interval, monthly) in [
        (4_700, Interval::MONTHLY, 4_700),
        (100_000, Interval::YEARLY, 8_333),
        (100_002, Interval::YEARLY, 8_334), // 8333.5
        (6, Interval::YEARLY, 1),           // half a cent
        (5, Interval::YEARLY, 0),
        (3_000, every(3, IntervalUnit::Month), 1_000),
        (6_000, every(6, IntervalUnit::Month), 1_000),
        (48_000, every(2, IntervalUnit::Year), 2_000),
        (1_200, every(1, IntervalUnit::Week), 5_200),
        (1_200, every(2, IntervalUnit::Week), 2_600),
        (1_200, every(1, IntervalUnit::Day), 36_500),
        (5_000, every(5, IntervalUnit::Month), 1_000),
        (i64::MAX / 12, Interval::MONTHLY, i128::from(i64::MAX / 12)),
        (i64::MAX, Interval::YEARLY, i128::from(i64::MAX) / 12 + 1), // two thirds of a cent
        (1 << 53, Interval::MONTHLY, 1 << 53),
    ] {
        let facts = story([("2024-01-01", started(1, "gold", price, interval))]);
        assert_eq!(recurring(&facts, "2024-01-01"), (1, monthly), "{price} {interval:?}");
    }
}

#[test]
fn annual_plans_are_rounded_once_after_summing() {
    // Three times 33.333… a month: rounding each would lose a cent.
    let facts = story([
        ("2024-02-29", started(1, "gold", 40_000, Interval::YEARLY)),
        ("2024-02-29", started(2, "gold", 40_000, Interval::YEARLY)),
        ("2024-02-29", started(3, "gold", 40_000, Interval::YEARLY)),
    ]);
    assert_eq!(recurring(&facts, "2024-02-29"), (3, 10_000));
    assert_eq!(recurring(&facts, "2025-02-28"), (3, 10_000), "a year has no leap in it");
}

#[test]
fn a_subscription_that_starts_and_ends_on_one_day_counts_in_between() {
    let facts = story([
        ("2024-01-01T08:00:00Z", started(1, "gold", 4_700, Interval::MONTHLY)),
        ("2024-01-01T09:00:00Z", ended(1)),
    ]);
    assert_eq!(recurring(&facts, "2024-01-01T07:59:59Z"), (0, 0));
    assert_eq!(recurring(&facts, "2024-01-01T08:59:59Z"), (1, 4_700));
    assert_eq!(recurring(&facts, "2024-01-01T09:00:00Z"), (0, 0));
}

#[test]
fn active_and_past_due_count_and_the_others_do_not() {
    use SubscriptionStatus::*;
    for (state, counts) in [
        (Active, true),
        (PastDue, true),
        (Trialing, false),
        (Paused, false),
        (Unpaid, false),
        (Incomplete, false),
    ] {
        let facts = story([
            ("2024-01-01", started(1, "gold", 4_700, Interval::MONTHLY)),
            ("2024-01-02", now_is(1, state)),
        ]);
        let expected = if counts { (1, 4_700) } else { (0, 0) };
        assert_eq!(recurring(&facts, "2024-01-02"), expected, "{state:?}");
    }
}

#[test]
fn what_costs_nothing_is_not_active() {
    let facts = story([
        ("2024-01-01", started(1, "free", 0, Interval::MONTHLY)),
        ("2024-01-01", started(2, "gold", 1, Interval::MONTHLY)),
        (
            "2024-01-02",
            FactKind::SubscriptionChanged {
                subscription: id(2),
                tier: None,
                price: None,
                quantity: Some(0),
                interval: None,
                status: None,
            },
        ),
    ]);
    assert_eq!(recurring(&facts, "2024-01-01"), (1, 1));
    assert_eq!(recurring(&facts, "2024-01-02"), (0, 0));
    assert!(figures(&facts, "2024-01-02").revenue.subscription_breakdown.is_empty());
}

#[test]
fn a_change_counts_in_the_new_tier_and_revenue_stays_in_the_old() {
    let facts = story([
        ("2024-01-01", started(1, "silver", 4_700, Interval::MONTHLY)),
        ("2024-01-01", captured(1, "silver", 4_700)),
        (
            "2024-01-15",
            FactKind::SubscriptionChanged {
                subscription: id(1),
                tier: Some(label("gold")),
                price: Some(9_700),
                quantity: Some(2),
                interval: Some(Interval::YEARLY),
                status: None,
            },
        ),
    ]);
    let revenue = figures(&facts, "2024-01-15").revenue;
    let tiers: Vec<_> = revenue
        .subscription_breakdown
        .iter()
        .map(|(tier, figures)| (tier.as_str(), figures.count, figures.revenue.minor()))
        .collect();
    assert_eq!(tiers, [("gold", 1, 0), ("silver", 0, 4_700)]);
    assert_eq!(revenue.monthly_recurring_revenue, cents(1_617)); // 2 × 97 / 12
}

#[test]
fn one_set_to_cancel_counts_until_its_end_unless_taken_back() {
    let start = ("2024-01-01", started(1, "gold", 4_700, Interval::MONTHLY));
    let cancel = ("2024-01-10", ends(1, Some("2024-02-01")));
    let facts = story([start.clone(), cancel.clone()]);
    assert_eq!(recurring(&facts, "2024-01-31T23:59:59.999999Z"), (1, 4_700));
    assert_eq!(recurring(&facts, "2024-02-01"), (0, 0));

    let back = story([start.clone(), cancel.clone(), ("2024-01-20", ends(1, None))]);
    assert_eq!(recurring(&back, "2024-02-01"), (1, 4_700));

    let too_late = story([start, cancel, ("2024-02-02", ends(1, None))]);
    assert_eq!(recurring(&too_late, "2024-02-02"), (0, 0), "what is over does not come back");
}

#[test]
fn a_subscription_starts_once_until_it_is_over() {
    let gold = started(1, "gold", 4_700, Interval::MONTHLY);
    let silver = started(1, "silver", 100, Interval::MONTHLY);
    let twice = story([("2024-01-01", gold.clone()), ("2024-01-02", silver.clone())]);
    assert_eq!(recurring(&twice, "2024-01-02"), (1, 4_700));
    let again = story([
        ("2024-01-01", gold),
        ("2024-01-01", ends(1, Some("2024-01-02"))),
        ("2024-01-02", silver),
    ]);
    assert_eq!(recurring(&again, "2024-01-02"), (1, 100));
}
