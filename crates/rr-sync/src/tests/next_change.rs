//! When figures change although nothing happens.

use std::time::Duration;

use proptest::prelude::*;

use super::oracle::{history, moment};
use super::*;

/// Figures without the instant they speak of.
pub(super) fn timeless(mut figures: Figures) -> Figures {
    figures.as_of = Timestamp::EPOCH;
    figures.users.timestamp = Timestamp::EPOCH;
    figures.revenue.timestamp = Timestamp::EPOCH;
    figures.commissions.timestamp = Timestamp::EPOCH;
    figures
}

fn next(facts: &[Fact], as_of: &str) -> Option<String> {
    figures(facts, as_of).next_change.map(|moment| moment.to_string())
}

#[test]
fn a_signup_leaves_the_week_and_then_turns_the_growth_of_users() {
    let facts = story([("2024-01-01T10:00:30Z", user(1, "member"))]);
    for (as_of, next_change) in [
        ("2023-12-31", Some("2024-01-01T10:00:30Z")),
        ("2024-01-01T10:00:30Z", Some("2024-01-08T10:01:00Z")),
        ("2024-01-08T10:01:00Z", Some("2024-01-31T10:01:00Z")),
        ("2024-01-31T10:01:00Z", None),
    ] {
        assert_eq!(next(&facts, as_of).as_deref(), next_change, "{as_of}");
    }
}

#[test]
fn a_payment_leaves_one_window_of_growth_and_then_the_other() {
    let facts = story([("2024-01-01", captured(1, "gold", 100))]);
    for (as_of, next_change) in [
        ("2024-01-01", Some("2024-01-31T00:01:00Z")),
        ("2024-01-31T00:01:00Z", Some("2024-03-01T00:01:00Z")),
        ("2024-03-01T00:01:00Z", None),
    ] {
        assert_eq!(next(&facts, as_of).as_deref(), next_change, "{as_of}");
    }
}

#[test]
fn an_announced_end_is_a_change_to_come() {
    let facts = story([
        ("2024-01-01", started(1, "gold", 100, Interval::MONTHLY)),
        ("2024-01-02", ends(1, Some("2024-02-01"))),
    ]);
    assert_eq!(next(&facts, "2024-01-01").as_deref(), Some("2024-01-02T00:00:00Z"));
    assert_eq!(next(&facts, "2024-01-02").as_deref(), Some("2024-02-01T00:00:00Z"));
    assert_eq!(next(&facts, "2024-02-01"), None);
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let first = Timestamp::parse("0000-01-01T00:00:00Z").unwrap();
    let last = Timestamp::parse("9999-12-31T23:59:59.999999Z").unwrap();
    for moment in [first, last] {
        let kinds = [user(1, "member"), captured(1, "gold", 100)];
        let facts: Vec<Fact> = (1..)
            .zip(kinds)
            .map(|(number, kind)| Fact { id: id(number), occurred_at: moment, kind })
            .collect();
        for as_of in [first, last] {
            let counted = u64::from(moment <= as_of);
            assert_eq!(compute(&facts, as_of).users.total_users, counted);
        }
    }
}

proptest! {
    #[test]
    fn figures_hold_until_the_next_change(
        facts in history(),
        as_of in moment(),
        fraction in 0.0..1.0_f64,
    ) {
        let now = compute(&facts, as_of);
        let tick = Duration::from_micros(1);
        // Beyond a year after the last fact nothing is left that could change.
        let end = now.next_change.unwrap_or_else(|| at("2026-01-01"));
        prop_assert!(end > as_of);
        let last = end.minus(tick);
        let between = as_of.plus(last.since(as_of).mul_f64(fraction)).min(last);
        for moment in [between, last] {
            prop_assert_eq!(timeless(compute(&facts, moment)), timeless(now.clone()), "{}", moment);
        }
    }
}
