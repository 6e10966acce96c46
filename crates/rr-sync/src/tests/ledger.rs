//! The entries of each subject, and what late facts change of them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::oracle::{crowded_history, history};
use super::*;
use crate::ledger::{Account, Entry, Subject, TooLarge, changes, customer_of, posting};

/// Entries as lines: when, what, how much.
fn lines(entries: &[Entry]) -> Vec<String> {
    let line = |entry: &Entry| {
        let moment = entry.at.to_string().replace("T00:00:00Z", "");
        let group = entry.group.replace('\t', "/");
        let since = entry.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let since = since.replace("T00:00:00Z", "");
        format!("{moment} {} {group} {:+} {:+}{since}", entry.account, entry.count, entry.amount)
    };
    entries.iter().map(line).collect()
}

/// The entries of a story on some accounts.
fn ledger<const N: usize>(accounts: &[Account], events: [(&str, FactKind); N]) -> Vec<String> {
    let mut entries = posting(&[], &story(events)).unwrap();
    entries.retain(|entry| accounts.contains(&entry.account));
    lines(&entries)
}

#[test]
fn a_user_who_changes_role_twice_in_one_second() {
    assert_eq!(
        ledger(
            &[Account::Users, Account::Signups],
            [
                ("2024-01-01", user(1, "member")),
                ("2024-01-02", becomes(1, "affiliate")),
                ("2024-01-02", becomes(1, "reseller")),
                ("2024-01-03", deleted(1)),
            ]
        ),
        [
            "2024-01-01 users member/active +1 +0",
            "2024-01-01 signups  +1 +0",
            "2024-01-02 users affiliate/active -1 +0",
            "2024-01-02 users affiliate/active +1 +0",
            "2024-01-02 users member/active -1 +0",
            "2024-01-02 users reseller/active +1 +0",
            "2024-01-03 users reseller/active -1 +0",
        ]
    );
}

#[test]
fn two_partial_refunds_a_dispute_and_a_dispute_won() {
    assert_eq!(
        ledger(
            &[Account::Revenue],
            [
                ("2024-01-01", captured(1, "tripwire", 700)),
                ("2024-01-02", captured(2, "tripwire", 500)),
                ("2024-02-01", refunded(1, 100)),
                ("2024-02-02", refunded(1, 600)),
                ("2024-03-01", disputed(1, 700)),
                ("2024-03-02", won(1, 700)),
                ("2024-03-03", refunded(3, 700)),
            ]
        ),
        [
            "2024-01-01 revenue tripwire/tripwire/captured +1 +700",
            "2024-01-02 revenue tripwire/tripwire/captured +1 +500",
            "2024-02-01 revenue tripwire/tripwire/refunded +1 -100",
            "2024-02-02 revenue tripwire/tripwire/refunded +1 -600",
            "2024-03-01 revenue tripwire/tripwire/disputed +1 -700",
            "2024-03-02 revenue tripwire/tripwire/won +1 +700",
        ],
        "money back of a payment that is not known waits"
    );
    let tripwire_tier = ledger(
        &[Account::Revenue],
        [("2024-01-01", {
            let product = Product::Subscription(Label::TRIPWIRE);
            FactKind::PaymentCaptured { payment: id(1), product, amount: 1 }
        })],
    );
    assert_eq!(tripwire_tier, ["2024-01-01 revenue subscription/tripwire/captured +1 +1"]);
}

#[test]
fn an_annual_plan_and_an_announced_end() {
    assert_eq!(
        ledger(
            &[Account::Subscriptions, Account::Movements],
            [
                ("2024-02-29", started(1, "gold", 40_000, Interval::YEARLY)),
                ("2024-03-01", ends(1, Some("2025-02-28"))),
            ]
        ),
        [
            "2024-02-29 subscriptions gold/active +1 +40000",
            "2024-02-29 movements new +1 +40000",
            "2025-02-28 subscriptions gold/active -1 -40000",
            "2025-02-28 movements churn +1 -40000 since 2024-02-29",
        ]
    );
}

#[test]
fn a_subscription_that_starts_and_ends_on_the_same_day() {
    assert_eq!(
        ledger(
            &[Account::Movements],
            [
                ("2024-01-01T08:00:00Z", started(1, "gold", 100, Interval::MONTHLY)),
                ("2024-01-01T09:00:00Z", ended(1)),
                ("2024-01-02", started(1, "gold", 100, Interval::MONTHLY)),
                ("2024-01-02", ended(1)),
            ]
        ),
        [
            "2024-01-01T08:00:00Z movements new +1 +1200",
            "2024-01-01T09:00:00Z movements churn +1 -1200 since 2024-01-01T08:00:00Z",
        ],
        "what starts and ends at one instant moved nothing"
    );
}

#[test]
fn trials_pauses_and_free_plans_are_no_movements() {
    use SubscriptionStatus::{Active, PastDue, Paused, Trialing};
    assert_eq!(
        ledger(
            &[Account::Subscriptions, Account::Movements],
            [
                ("2024-01-01", started(1, "gold", 0, Interval::MONTHLY)),
                ("2024-01-02", now_is(1, Trialing)),
                ("2024-01-03", started(2, "gold", 100, Interval::MONTHLY)),
                ("2024-01-04", now_is(2, PastDue)),
                ("2024-01-05", now_is(2, Paused)),
                ("2024-01-06", now_is(2, Active)),
            ]
        ),
        [
            "2024-01-03 subscriptions gold/active +1 +1200",
            "2024-01-03 movements new +1 +1200",
            "2024-01-04 subscriptions gold/active -1 -1200",
            "2024-01-04 subscriptions gold/past_due +1 +1200",
            "2024-01-05 subscriptions gold/past_due -1 -1200",
            "2024-01-05 subscriptions gold/paused +1 +1200",
            "2024-01-05 movements churn +1 -1200 since 2024-01-03",
            "2024-01-06 subscriptions gold/active +1 +1200",
            "2024-01-06 subscriptions gold/paused -1 -1200",
            "2024-01-06 movements reactivation +1 +1200",
        ]
    );
}

#[test]
fn a_refund_while_on_hold() {
    assert_eq!(
        ledger(
            &[Account::Commissions, Account::Accruals, Account::Affiliates],
            [
                ("2024-01-01", sold(1, "ann", "gold", 4_700)),
                ("2024-01-10", taken_back(1, 4_700, 0, 2_000)),
                ("2024-03-05", paid(1, 1_350)),
            ]
        ),
        [
            "2024-01-01 commissions gold/on_hold +1 +2350",
            "2024-01-01 accruals gold +1 +2350",
            "2024-01-01 affiliates ann +1 +2350",
            "2024-01-10 commissions gold/on_hold +0 -1000",
            "2024-01-10 affiliates ann +0 -1000",
            "2024-03-01 commissions gold/on_hold -1 -1350",
            "2024-03-01 commissions gold/payable +1 +1350",
            "2024-03-05 commissions gold/paid +1 +1350",
            "2024-03-05 commissions gold/payable -1 -1350",
        ]
    );
}

#[test]
fn a_refund_after_the_payout_is_owed_back() {
    assert_eq!(
        ledger(
            &[Account::Commissions],
            [
                ("2024-03-01", sold(1, "ann", "gold", 4_700)),
                ("2024-03-02", paid(1, 2_350)),
                ("2024-03-03", taken_back(1, 4_700, 0, 700)),
                ("2024-03-04", taken_back(1, 4_700, 700, 4_000)),
            ]
        ),
        [
            "2024-03-01 commissions gold/payable +1 +2350",
            "2024-03-02 commissions gold/paid +1 +2350",
            "2024-03-02 commissions gold/payable -1 -2350",
            "2024-03-03 commissions gold/payable +0 -350",
            "2024-03-04 commissions gold/paid -1 +0",
            "2024-03-04 commissions gold/payable +0 -2000",
            "2024-03-04 commissions gold/reversed +1 +0",
        ]
    );
}

#[test]
fn a_late_fact_moves_only_what_comes_after_it() {
    let mut book =
        Book::of(&story([("2024-01-01", user(1, "member")), ("2024-01-05", becomes(1, "admin"))]));
    let late = Fact { id: id(9), occurred_at: at("2024-01-03"), kind: status(1, "suspended") };
    assert_eq!(
        lines(&book.post(&late)),
        [
            "2024-01-03 users member/active -1 +0",
            "2024-01-03 users member/suspended +1 +0",
            "2024-01-05 users admin/active -1 +0",
            "2024-01-05 users admin/suspended +1 +0",
            "2024-01-05 users member/active +1 +0",
            "2024-01-05 users member/suspended -1 +0",
        ]
    );
    assert_eq!(lines(&book.post(&late)), [""; 0], "a second time it is the same fact");
}

#[test]
fn an_earlier_start_makes_a_new_customer_one_who_came_back() {
    let mut book = Book::of(&story([("2024-02-01", started(1, "gold", 100, Interval::MONTHLY))]));
    let mut earlier = story([
        ("2024-01-01", started(2, "gold", 50, Interval::MONTHLY)),
        ("2024-01-15", ended(2)),
    ]);
    for (number, fact) in (7..).zip(&mut earlier) {
        fact.id = id(number);
        if let FactKind::SubscriptionStarted { customer, .. } = &mut fact.kind {
            *customer = id(1);
        }
    }
    let movements = |entries: Vec<Entry>| {
        let mut entries = entries;
        entries.retain(|entry| entry.account == Account::Movements);
        lines(&entries)
    };
    assert_eq!(
        movements(book.post(&earlier[0])),
        [
            "2024-01-01 movements new +1 +600",
            "2024-02-01 movements expansion +1 +1200",
            "2024-02-01 movements new -1 -1200",
        ]
    );
    assert_eq!(
        movements(book.post(&earlier[1])),
        [
            "2024-01-15 movements churn +1 -600 since 2024-01-01",
            "2024-02-01 movements expansion -1 -1200",
            "2024-02-01 movements reactivation +1 +1200",
        ]
    );
}

#[test]
fn amounts_of_0_1_and_2_to_the_53_and_no_year_beyond_64_bits() {
    let prices = [(1, 0, 0), (2, 1, 12), (3, 1 << 53, 12 << 53)];
    for (number, price, basis) in prices {
        let start = story([("2024-01-01", started(number, "gold", price, Interval::MONTHLY))]);
        let entries = posting(&[], &start).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.amount).max().unwrap_or(0), basis);
    }
    let start = story([("2024-01-01", started(1, "gold", i64::MAX, Interval::MONTHLY))]);
    assert_eq!(posting(&[], &start), Err(TooLarge { fact: id(1) }));
    let refund = story([
        ("2024-01-01", captured(1, "gold", i64::MAX)),
        ("2024-01-02", refunded(1, i64::MIN + 1)),
    ]);
    assert_eq!(posting(&[], &refund).unwrap()[1].amount, i64::MAX);
    let refund =
        story([("2024-01-01", captured(1, "gold", 1)), ("2024-01-02", refunded(1, i64::MIN))]);
    assert_eq!(posting(&[], &refund), Err(TooLarge { fact: id(2) }));
}

#[test]
fn a_change_is_what_was_not_there_and_the_reverse_of_what_no_longer_is() {
    let entries = posting(&[], &story([("2024-01-01", user(1, "member"))])).unwrap();
    let [users, signup] = [entries[0].clone(), entries[1].clone()];
    let before = vec![users.clone(), users.clone()];
    let after = vec![signup.clone(), users.clone()];
    assert_eq!(changes(before.clone(), after), [users.reversed(), signup]);
    assert_eq!(changes(before.clone(), before), []);
}

#[test]
fn a_fact_is_about_one_subject() {
    let start = started(7, "gold", 1, Interval::MONTHLY);
    assert_eq!(
        (Subject::of(&start), customer_of(&start)),
        (Subject::Subscription(id(7)), Some(id(7)))
    );
    assert_eq!((Subject::of(&won(8, 1)), customer_of(&won(8, 1))), (Subject::Payment(id(8)), None));
    assert_eq!(Subject::of(&paid(9, 1)).id(), id(9));
    for account in Account::ALL {
        assert_eq!(Account::parse(account.as_str()), Some(account));
    }
    assert_eq!(Account::parse("revenues"), None);
}

/// What the entries come to when each is met by its reverse.
fn netted(entries: &[Entry]) -> BTreeMap<Entry, i64> {
    let mut net = BTreeMap::new();
    for entry in entries {
        // An entry and its reverse differ in their signs alone.
        let positive = (entry.count, entry.amount) >= (0, 0);
        let key = if positive { entry.clone() } else { entry.clone().reversed() };
        *net.entry(key).or_insert(0) += if positive { 1 } else { -1 };
    }
    net.retain(|_, count| *count != 0);
    net
}

proptest! {
    #[test]
    fn the_order_of_arrival_changes_nothing(
        (told, shuffled) in history().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
    ) {
        let at_once = posting(&[], &told).unwrap();
        prop_assert_eq!(netted(&Book::of(&shuffled).entries), netted(&at_once));
    }

    #[test]
    fn many_at_once_are_the_same_as_one_by_one(facts in crowded_history(), split in 0..40_usize) {
        let (first, second) = facts.split_at(split.min(facts.len()));
        let mut entries = posting(&[], first).unwrap();
        entries.extend(posting(first, second).unwrap());
        prop_assert_eq!(netted(&Book::of(&facts).entries), netted(&entries));
    }

    #[test]
    fn no_fact_moves_anything_before_its_own_date(
        facts in prop_oneof![history(), crowded_history()].prop_shuffle(),
    ) {
        let mut book = Book::default();
        for fact in facts {
            for entry in book.post(&fact) {
                prop_assert!(entry.at >= fact.occurred_at, "{:?} by {:?}", entry, fact);
            }
        }
    }
}
