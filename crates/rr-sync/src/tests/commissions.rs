//! Stories about commissions.

use super::*;
use crate::CommissionFigures;

fn commissions(facts: &[Fact], as_of: &str) -> CommissionFigures {
    figures(facts, as_of).commissions
}

/// Total and transactions.
fn sums(facts: &[Fact], as_of: &str) -> (i128, u64) {
    let commissions = commissions(facts, as_of);
    (commissions.total_commissions.minor(), commissions.total_transactions)
}

#[test]
fn a_refund_takes_back_the_same_on_hold_and_after_the_payout() {
    let on_hold = story([
        ("2024-01-01", sold(1, "ann", "gold", 4_700)),
        ("2024-01-10", taken_back(1, 4_700, 0, 2_000)),
        ("2024-04-01", paid(1, 1_350)),
    ]);
    let paid_out = story([
        ("2024-01-01", sold(1, "ann", "gold", 4_700)),
        ("2024-04-01", paid(1, 2_350)),
        ("2024-04-02", taken_back(1, 4_700, 0, 2_000)),
    ]);
    assert_eq!(sums(&paid_out, "2024-04-01"), (2_350, 1), "a payout is no reversal");
    for facts in [&on_hold, &paid_out] {
        assert_eq!(sums(facts, "2024-05-01"), (1_350, 1));
    }
}

/// The end of a hold is a change that no fact brings, so it is announced.
#[test]
fn the_money_passes_from_hold_to_payable_to_paid_and_its_sum_stays() {
    let facts = story([
        ("2024-01-01", sold(1, "ann", "gold", 4_700)),
        ("2024-04-01", paid(1, 2_350)),
        ("2024-04-02", taken_back(1, 4_700, 0, 2_000)),
    ]);
    for (as_of, on_hold, payable, paid) in [
        ("2024-01-01", 2_350, 0, 0),
        ("2024-02-29T23:59:59.999999Z", 2_350, 0, 0),
        ("2024-03-01", 0, 2_350, 0),
        ("2024-04-01", 0, 0, 2_350),
        ("2024-04-02", 0, -1_000, 2_350),
    ] {
        let states = commissions(&facts, as_of).states;
        let shown = [states.on_hold, states.payable, states.paid];
        assert_eq!(shown, [on_hold, payable, paid].map(cents), "{as_of}");
    }
    let announced = figures(&facts[..1], "2024-01-01").next_change;
    assert_eq!(announced, Some(at("2024-03-01")));
}

#[test]
fn when_the_last_commission_of_a_tier_is_reversed_its_counter_is_zero() {
    let facts = story([
        ("2024-01-01", sold(1, "ann", "gold", 4_700)),
        ("2024-01-02", taken_back(1, 4_700, 0, 2_000)),
        ("2024-01-03", taken_back(1, 4_700, 2_000, 2_700)),
    ]);
    assert_eq!(sums(&facts, "2024-01-02"), (1_350, 1), "two partial refunds, the first");
    assert_eq!(sums(&facts, "2024-01-03"), (0, 0));
    let nothing = commissions(&facts, "2024-01-03");
    assert!(nothing.commission_by_tier.is_empty() && nothing.top_performers.is_empty());
    assert_eq!(nothing.recent_commissions.len(), 1, "it was earned all the same");
}

#[test]
fn an_adjustment_counts_but_is_no_transaction() {
    let facts = story([
        ("2024-01-01", sold(1, "ann", "gold", 4_700)),
        ("2024-01-02", adjusted(1, -350)),
        ("2024-01-03", taken_back(1, 4_700, 0, 4_700)),
    ]);
    assert_eq!(sums(&facts, "2024-01-02"), (2_000, 1));
    let left = commissions(&facts, "2024-01-03");
    let gold = left.commission_by_tier[&label("gold")];
    assert_eq!((gold.count, gold.total), (0, cents(-350)), "so that the tiers sum to the total");
    assert_eq!(left.total_commissions, cents(-350));
}

#[test]
fn the_tier_is_that_of_the_sale_also_after_the_referrer_changed_theirs() {
    let facts = story([
        ("2024-01-01", user(1, "affiliate")),
        ("2024-01-01", started(1, "silver", 4_700, Interval::MONTHLY)),
        ("2024-01-02", sold(1, "ann", "silver", 4_700)),
        ("2024-01-03", becomes(1, "reseller")),
        (
            "2024-01-03",
            FactKind::SubscriptionChanged {
                subscription: id(1),
                tier: Some(label("gold")),
                price: None,
                quantity: None,
                interval: None,
                status: None,
            },
        ),
        ("2024-01-04", sold(2, "ann", "gold", 9_700)),
    ]);
    let by_tier = commissions(&facts, "2024-01-04").commission_by_tier;
    let by_tier: Vec<_> =
        by_tier.iter().map(|(tier, sum)| (tier.as_str(), sum.count, sum.total.minor())).collect();
    assert_eq!(by_tier, [("gold", 1, 4_850), ("silver", 1, 2_350)]);
}

#[test]
fn a_commission_of_nothing_is_a_transaction_of_nothing() {
    let facts = story([
        ("2024-01-01", sold(1, "ann", "gold", 0)),
        ("2024-01-01", sold(2, "ann", "gold", 1)),
        ("2024-01-01", sold(3, "ann", "gold", 1 << 54)),
    ]);
    assert_eq!(sums(&facts, "2024-01-01"), ((1 << 53) + 1, 3));
}

#[test]
fn performers_are_ranked_by_total_then_count_then_name() {
    let facts = story([
        ("2024-01-01", earned(1, "two-sales", "gold", 100, 50)),
        ("2024-01-01", earned(2, "two-sales", "gold", 100, 50)),
        ("2024-01-01", earned(3, "bob", "gold", 200, 100)),
        ("2024-01-01", earned(4, "ann", "gold", 200, 100)),
        ("2024-01-01", earned(5, "best", "gold", 300, 150)),
        ("2024-01-01", earned(6, "refunded", "gold", 900, 450)),
        ("2024-01-02", reversed(6, 450)),
    ]);
    let performers = commissions(&facts, "2024-01-02").top_performers;
    let ranked: Vec<_> = performers
        .iter()
        .map(|one| (one.username.as_str(), one.total_commission.minor(), one.transaction_count))
        .collect();
    assert_eq!(ranked, [("best", 150, 1), ("two-sales", 100, 2), ("ann", 100, 1), ("bob", 100, 1)]);
}

#[test]
fn ten_performers_and_five_commissions_are_shown() {
    let facts: Vec<Fact> = (0..12)
        .map(|number: u8| {
            let affiliate = format!("affiliate{number:02}");
            let kind = earned(number.into(), &affiliate, "gold", 100, 50 + i64::from(number));
            Fact { id: id(number.into()), occurred_at: at("2024-01-01"), kind }
        })
        .collect();
    let commissions = commissions(&facts, "2024-01-01");
    assert_eq!(commissions.top_performers.len(), 10);
    assert_eq!(commissions.top_performers[9].username, "affiliate02");
    let recent: Vec<_> =
        commissions.recent_commissions.iter().map(|one| one.username.as_str()).collect();
    let newest = ["affiliate11", "affiliate10", "affiliate09", "affiliate08", "affiliate07"];
    assert_eq!(recent, newest, "of one instant, the one recorded last comes first");
}

#[test]
fn a_commission_is_earned_once_and_what_is_taken_back_before_waits_for_it() {
    let facts = story([
        ("2024-01-01", reversed(1, 50)),
        ("2024-01-02", earned(1, "ann", "gold", 200, 100)),
        ("2024-01-03", earned(1, "bob", "gold", 999, 999)),
    ]);
    assert_eq!(sums(&facts, "2024-01-01"), (0, 0));
    assert_eq!(sums(&facts, "2024-01-03"), (50, 1));
    assert_eq!(commissions(&facts, "2024-01-03").recent_commissions.len(), 1);
}
