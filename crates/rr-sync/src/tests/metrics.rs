//! The named figures against a second opinion.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::oracle::{
    Running, before, commissions, crowded_history, customers_at, history, moment, movements,
    revenue, subscription_history, subscriptions_at, users_at,
};
use super::*;
use crate::Balances;
use crate::ledger::Account;
use crate::metrics::{self, Kind, METRICS, Span};

/// A history told in any order, with repetitions.
fn told() -> impl Strategy<Value = Vec<Fact>> {
    prop_oneof![history(), subscription_history()].prop_flat_map(|facts| {
        let mut repeated = facts.clone();
        repeated.extend(facts.iter().step_by(5).cloned());
        Just(repeated).prop_shuffle()
    })
}

/// A period, perhaps an empty one.
fn period() -> impl Strategy<Value = (Timestamp, Timestamp)> {
    (moment(), moment()).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

/// Money as shown; the sum of a year goes in.
fn monthly(yearly: i128) -> String {
    Total::from_minor(divided(yearly, 12)).to_string()
}

/// To the nearest, by adding half and cutting off.
fn divided(number: i128, by: i128) -> i128 {
    let size = (2 * number.abs() + by) / (2 * by);
    if number < 0 { -size } else { size }
}

fn percent(part: i128, whole: i128) -> String {
    if whole == 0 {
        return "null".to_owned();
    }
    shown(divided(part * 10_000, whole))
}

fn shown(hundredths: i128) -> String {
    let text = format!("{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if hundredths < 0 { format!("-{text}") } else { text.to_owned() }
}

proptest! {
    #[test]
    fn stocks_agree_with_a_second_opinion(facts in told(), period in period()) {
        let book = Book::of(&facts);
        let facts = &book.facts;
        let end = before(period.1);
        let yearly = |status: &dyn Fn(&Running) -> bool| -> i128 {
            subscriptions_at(facts, end).iter().filter(|one| status(one)).map(|one| one.yearly).sum()
        };
        let with = |status| yearly(&|one| one.status == status);
        let recurring = yearly(&Running::recurs);
        let active = subscriptions_at(facts, end).iter().filter(|one| one.recurs()).count();
        let earned = commissions(facts, end);
        let open = |on_hold| -> i128 {
            earned.iter().filter(|one| one.on_hold == on_hold).map(|one| one.net - one.paid).sum()
        };
        let paid: i128 = earned.iter().map(|one| one.paid).sum();
        let money = |minor: i128| Total::from_minor(minor).to_string();
        for (name, expected) in [
            ("total_users", users_at(facts, end).len().to_string()),
            ("active_subscriptions", active.to_string()),
            ("mrr", monthly(recurring)),
            ("arr", money(recurring)),
            ("trial_mrr", monthly(with(SubscriptionStatus::Trialing))),
            ("paused_mrr", monthly(with(SubscriptionStatus::Paused))),
            ("past_due_mrr", monthly(with(SubscriptionStatus::PastDue))),
            ("customers", customers_at(facts, end).len().to_string()),
            ("commissions_on_hold", money(open(true))),
            ("commissions_payable", money(open(false))),
            ("commissions_paid", money(paid)),
        ] {
            prop_assert_eq!(book.metric(name, period), expected, "{}", name);
        }
    }

    #[test]
    fn flows_agree_with_a_second_opinion(facts in told(), period in period()) {
        let book = Book::of(&facts);
        let facts = &book.facts;
        let flow = |counts: &dyn Fn(&Product) -> bool| {
            let known = at("2026-01-01");
            Total::from_minor(revenue(facts, known, period, counts)).to_string()
        };
        let net = |moment| -> i128 { commissions(facts, before(moment)).iter().map(|one| one.net).sum() };
        let signups = facts
            .iter()
            .filter(|fact| match fact.kind {
                FactKind::UserCreated { user, .. } => {
                    let moment = fact.occurred_at;
                    let first = super::oracle::user_at(facts, user, before(moment)).is_none();
                    first && period.0 <= moment && moment < period.1
                }
                _ => false,
            })
            .count();
        let moved = movements(facts, period);
        for (name, expected) in [
            ("signups", signups.to_string()),
            ("revenue", flow(&|_| true)),
            ("subscription_revenue", flow(&|product| *product != Product::Tripwire)),
            ("tripwire_revenue", flow(&|product| *product == Product::Tripwire)),
            ("commissions", Total::from_minor(net(period.1) - net(period.0)).to_string()),
            ("mrr_new", monthly(moved.new)),
            ("mrr_reactivation", monthly(moved.reactivation)),
            ("mrr_expansion", monthly(moved.expansion)),
            ("mrr_contraction", monthly(moved.contraction)),
            ("mrr_churn", monthly(moved.churn)),
        ] {
            prop_assert_eq!(book.metric(name, period), expected, "{}", name);
        }
    }

    #[test]
    fn rates_agree_with_a_second_opinion(facts in told(), period in period()) {
        let book = Book::of(&facts);
        let facts = &book.facts;
        let (old, new) = (customers_at(facts, before(period.0)), customers_at(facts, before(period.1)));
        let sum = |customers: &BTreeMap<Uuid, i128>| -> i128 { customers.values().sum() };
        let count = |customers: &BTreeMap<Uuid, i128>| i128::try_from(customers.len()).unwrap();
        let (start, end) = (sum(&old), sum(&new));
        let moved = movements(facts, period);
        let lost = moved.churn + moved.contraction;
        let churned = i128::try_from(moved.churned.len()).unwrap();
        prop_assert_eq!(i128::from(book.churned(period)), churned);
        let arpu = |times: i128, by: i128| match by * count(&new) {
            0 => "null".to_owned(),
            by => Total::from_minor(divided(end * times, 12 * by)).to_string(),
        };
        for (name, expected) in [
            ("gross_mrr_churn", percent(lost, start)),
            ("net_mrr_churn", percent(lost - moved.expansion - moved.reactivation, start)),
            ("nrr", percent(start + moved.expansion - lost, start)),
            ("grr", if start == 0 { "null".to_owned() } else { shown(10_000 - divided(lost * 10_000, start)) }),
            ("customer_churn", percent(churned, count(&old))),
            ("arpu", arpu(1, 1)),
            ("ltv", arpu(count(&old), churned)),
        ] {
            prop_assert_eq!(book.metric(name, period), expected, "{}", name);
        }
    }

    #[test]
    fn the_parts_sum_to_the_totals_after_every_fact(
        facts in prop_oneof![told(), crowded_history()],
        period in period(),
    ) {
        let mut book = Book::default();
        for fact in facts {
            book.post(&fact);
            let (start, end) = (book.balances_before(period.0), book.balances_before(period.1));
            let exact = |name, balances| metrics::find(name).unwrap().exact(balances);
            let flow = |name| exact(name, &end) - exact(name, &start);
            prop_assert_eq!(
                exact("arr", &start) + flow("mrr_new") + flow("mrr_reactivation")
                    + flow("mrr_expansion") - flow("mrr_contraction") - flow("mrr_churn"),
                exact("arr", &end)
            );
            prop_assert_eq!(
                flow("subscription_revenue") + flow("tripwire_revenue"),
                flow("revenue")
            );
            prop_assert_eq!(
                exact("commissions_on_hold", &end) + exact("commissions_payable", &end)
                    + exact("commissions_paid", &end),
                exact("commissions", &end)
            );
            prop_assert_eq!(
                end.total(Account::Affiliates).amount,
                end.total(Account::Commissions).amount
            );
            for (account, group, sum) in end.iter() {
                prop_assert!(sum.count >= 0, "{} {}: {:?}", account, group, sum);
            }
            for metric in METRICS {
                let added = book.entries.iter().filter(|entry| entry.at < period.1);
                let explained: i128 = added.map(|entry| metric.adds(entry)).sum();
                prop_assert_eq!(explained, metric.exact(&end), "{}", metric.name);
                for by in metric.dimensions() {
                    let all: i128 = metric.exact_groups(by, &end).into_values().sum();
                    prop_assert_eq!(all, metric.exact(&end), "{} by {}", metric.name, by);
                }
            }
        }
    }
}

#[test]
fn every_figure_is_named_once_and_explained() {
    let names: std::collections::BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len());
    for metric in METRICS {
        assert!(metric.definition.ends_with('.') && !metric.source.is_empty(), "{}", metric.name);
        assert_eq!(metric.accounts().len(), 1, "{}", metric.name);
        assert_eq!(metric.made_of.is_empty(), metric.kind != Kind::Rate, "{}", metric.name);
        for part in metric.made_of {
            assert_ne!(metrics::find(part).unwrap().kind, Kind::Rate, "{part} explains nothing");
        }
    }
    assert!(metrics::find("mrr").is_some() && metrics::find("MRR").is_none());
    assert_eq!(metrics::find("ltv").unwrap().kind, Kind::Rate);
}

#[test]
fn nothing_has_no_rates() {
    let period = (at("2024-01-01"), at("2024-02-01"));
    let book = Book::default();
    for (name, shown) in [("mrr", "0"), ("revenue", "0"), ("nrr", "null"), ("arpu", "null")] {
        assert_eq!(book.metric(name, period), shown, "{name}");
    }
}

#[test]
fn a_month_of_movements() {
    let owned = |number: u128, customer: u128, price| FactKind::SubscriptionStarted {
        subscription: id(number),
        customer: id(customer),
        tier: label("gold"),
        status: SubscriptionStatus::Active,
        price,
        quantity: 1,
        interval: Interval::MONTHLY,
    };
    let book = Book::of(&story([
        ("2024-01-01", owned(1, 1, 100_000)),
        ("2024-01-01", owned(2, 2, 50_000)),
        ("2024-01-01", owned(3, 2, 50_000)),
        ("2024-01-01", owned(4, 3, 100_000)),
        // In February one leaves, one ends one of two, one comes and one returns.
        ("2024-02-10", ended(1)),
        ("2024-02-11", ended(3)),
        ("2024-02-12", owned(5, 5, 30_000)),
        ("2024-02-20", owned(6, 1, 20_000)),
        // At one instant from one subscription to a dearer one: an expansion.
        ("2024-02-21", ended(4)),
        ("2024-02-21", owned(7, 3, 110_000)),
    ]));
    let february = (at("2024-02-01"), at("2024-03-01"));
    for (name, shown) in [
        ("mrr", "2100"),
        ("arr", "25200"),
        ("customers", "4"),
        ("mrr_new", "300"),
        ("mrr_reactivation", "200"),
        ("mrr_expansion", "100"),
        ("mrr_contraction", "500"),
        ("mrr_churn", "1000"),
        ("gross_mrr_churn", "50"),
        ("net_mrr_churn", "40"),
        ("nrr", "53.33"),
        ("grr", "50"),
        ("customer_churn", "33.33"),
        ("arpu", "525"),
        ("ltv", "1575"),
    ] {
        assert_eq!(book.metric(name, february), shown, "{name}");
    }
}

/// A reader counts it for those alone that say so.
#[test]
fn who_churned_moves_the_figures_that_ask_for_it_and_no_other() {
    let gold = |number| started(number, "gold", 100, Interval::MONTHLY);
    let book = Book::of(&story([
        ("2024-01-10", gold(1)),
        ("2024-01-10", gold(2)),
        ("2024-02-05", ended(1)),
    ]));
    let balances =
        |until| -> Balances { book.entries.iter().filter(|entry| entry.at < at(until)).collect() };
    let (start, end) = (balances("2024-02-01"), balances("2024-03-01"));
    for metric in METRICS {
        let [none, one] =
            [0, 1].map(|churned| metric.value(&Span { start: &start, end: &end, churned }));
        assert_eq!(none != one, metric.asks_who_churned(), "{}", metric.name);
    }
}

#[test]
fn who_leaves_twice_in_a_month_churned_once_and_who_came_within_it_not_at_all() {
    let gold = |number| started(number, "gold", 100, Interval::MONTHLY);
    let book = Book::of(&story([
        ("2024-01-10", gold(1)),
        ("2024-01-10", gold(2)),
        ("2024-01-20", ended(2)),
        ("2024-02-05", ended(1)),
        ("2024-02-06", gold(1)),
        ("2024-02-07", ended(1)),
        ("2024-02-08", gold(2)),
        ("2024-02-09", ended(2)),
        ("2024-02-09", gold(3)),
    ]));
    let february = (at("2024-02-01"), at("2024-03-01"));
    assert_eq!(book.metric("mrr_churn", february), "3", "each of three times");
    assert_eq!(book.metric("customer_churn", february), "100", "one of the one there was");
    assert_eq!(book.metric("customers", february), "1");
}
