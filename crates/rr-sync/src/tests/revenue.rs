//! Stories about payments.

use super::*;
use crate::{TransactionKind, Trend};

/// Subscription, tripwire and total revenue.
fn revenue(facts: &[Fact], as_of: &str) -> (i128, i128, i128) {
    let revenue = figures(facts, as_of).revenue;
    (
        revenue.subscription_revenue.minor(),
        revenue.tripwire_revenue.minor(),
        revenue.total_revenue.minor(),
    )
}

#[test]
fn two_partial_refunds_each_count_on_their_own_date() {
    let facts = story([
        ("2024-01-01", captured(1, "membership", 4_700)),
        ("2024-01-05", captured(2, "tripwire", 700)),
        ("2024-02-01", refunded(1, 1_000)),
        ("2024-03-01", refunded(1, 3_700)),
    ]);
    assert_eq!(revenue(&facts, "2024-01-31"), (4_700, 700, 5_400), "January stays as it was");
    assert_eq!(revenue(&facts, "2024-02-01"), (3_700, 700, 4_400));
    assert_eq!(revenue(&facts, "2024-03-01"), (0, 700, 700));
}

#[test]
fn when_the_last_payment_of_a_tier_is_refunded_the_tier_is_gone() {
    let facts = story([
        ("2024-01-01", started(1, "gold", 4_700, Interval::MONTHLY)),
        ("2024-01-01", captured(1, "gold", 4_700)),
        ("2024-01-02", ended(1)),
        ("2024-01-03", refunded(1, 4_700)),
    ]);
    let breakdown = |as_of| {
        let breakdown = figures(&facts, as_of).revenue.subscription_breakdown;
        breakdown.get(&label("gold")).map(|tier| (tier.count, tier.revenue.minor()))
    };
    assert_eq!(breakdown("2024-01-01"), Some((1, 4_700)));
    assert_eq!(breakdown("2024-01-02"), Some((0, 4_700)), "a tier with revenue stays");
    assert_eq!(breakdown("2024-01-03"), None);
}

#[test]
fn a_dispute_won_after_a_refund_comes_back() {
    let facts = story([
        ("2024-01-01", captured(1, "membership", 10_000)),
        ("2024-01-02", refunded(1, 4_000)),
        ("2024-01-03", disputed(1, 6_000)),
        ("2024-01-04", won(1, 6_000)),
    ]);
    for (as_of, total) in [("2024-01-02", 6_000), ("2024-01-03", 0), ("2024-01-04", 6_000)] {
        assert_eq!(revenue(&facts, as_of), (total, 0, total), "{as_of}");
    }
}

#[test]
fn amounts_from_zero_to_past_64_bits_add_up_exactly() {
    let large = 1_i64 << 53;
    let facts = story([
        ("2024-01-01", captured(1, "gold", 0)),
        ("2024-01-01", captured(2, "gold", 1)),
        ("2024-01-01", captured(3, "gold", large)),
        ("2024-01-01", captured(4, "tripwire", large)),
        ("2024-01-02", captured(5, "gold", i64::MAX)),
    ]);
    let (gold, tripwire, total) = revenue(&facts, "2024-01-01");
    assert_eq!(gold, 9_007_199_254_740_993);
    assert_eq!(total, gold + tripwire);
    let figures = figures(&facts, "2024-01-02");
    let body = serde_json::to_string(&figures.revenue).unwrap();
    // 2^53 + 1 + 2^53 + 2^63 - 1 cents.
    assert!(body.contains(r#""total_revenue":92413864353642577.92,"#), "{body}");
}

#[test]
fn money_given_back_before_its_payment_is_known_waits_for_it() {
    let facts = story([
        ("2024-01-01T00:00:01Z", refunded(1, 1_000)),
        ("2024-01-01T00:00:02Z", captured(1, "membership", 4_700)),
        ("2024-01-01T00:00:03Z", refunded(2, 500)),
    ]);
    assert_eq!(revenue(&facts, "2024-01-01T00:00:01Z"), (0, 0, 0));
    let figures = figures(&facts, "2024-01-02");
    assert_eq!(figures.revenue.total_revenue, cents(3_700));
    let kinds: Vec<_> =
        figures.revenue.recent_transactions.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [TransactionKind::Subscription, TransactionKind::Refund], "newest first");
}

#[test]
fn a_payment_is_captured_once() {
    let facts = story([
        ("2024-01-01", captured(1, "membership", 4_700)),
        ("2024-01-02", captured(1, "tripwire", 700)),
    ]);
    assert_eq!(revenue(&facts, "2024-01-02"), (4_700, 0, 4_700));
}

#[test]
fn recent_transactions_are_the_ten_newest_with_their_sign() {
    let mut facts: Vec<Fact> = (0..11)
        .flat_map(|day| {
            let moment = format!("2024-01-{:02}", day + 1);
            story([(moment.as_str(), captured(day, "gold", 100))])
        })
        .collect();
    facts.extend(story([
        ("2024-02-01", refunded(3, 40)),
        ("2024-02-01", captured(20, "tripwire", 700)),
    ]));
    for (number, fact) in (100..).zip(&mut facts) {
        fact.id = id(number);
    }
    let entries = figures(&facts, "2024-03-01").revenue.recent_transactions;
    assert_eq!(entries.len(), 10);
    let shown = |index: usize| {
        let entry = &entries[index];
        (entry.id.as_u128(), entry.kind, entry.tier.as_str(), entry.amount.minor())
    };
    assert_eq!(shown(0), (112, TransactionKind::Tripwire, "tripwire", 700));
    assert_eq!(shown(1), (111, TransactionKind::Refund, "gold", -40));
    assert_eq!(shown(2), (110, TransactionKind::Subscription, "gold", 100));
    assert_eq!(shown(9).0, 103);
    let names: Vec<_> =
        [TransactionKind::Dispute, TransactionKind::DisputeWon, TransactionKind::Subscription]
            .map(|kind| serde_json::to_string(&kind).unwrap())
            .into();
    assert_eq!(names, ["\"dispute\"", "\"dispute_won\"", "\"subscription\""]);
}

#[test]
fn revenue_grows_against_the_thirty_days_before() {
    let facts = story([
        ("2024-01-10", captured(1, "gold", 1_000)),
        ("2024-02-10", captured(2, "gold", 1_125)),
        ("2024-02-11", captured(3, "gold", 200)),
        ("2024-02-12", refunded(3, 200)),
    ]);
    for (as_of, rate, trend) in [
        ("2024-01-01", Some(0), Trend::Stable),
        ("2024-01-10", None, Trend::New),
        ("2024-02-09T00:00:59Z", None, Trend::New), // the window still holds its first instant
        ("2024-02-09T00:01:00Z", Some(-1_000), Trend::Down), // nothing against 1000
        ("2024-02-12", Some(125), Trend::Up),
    ] {
        let revenue = figures(&facts, as_of).dashboard.revenue;
        let growth = revenue.growth_rate.map(crate::Percent::tenths);
        assert_eq!((growth, revenue.trend), (rate, trend), "{as_of}");
    }
}
