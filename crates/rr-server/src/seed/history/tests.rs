//! What a history holds, looked at as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rr_domain::SubscriptionStatus;
use uuid::Uuid;

use super::*;

fn plan(users: u64, seed: u64) -> Plan {
    let until = Timestamp::parse("2025-07-01T00:00:00Z").unwrap();
    Plan { users, seed, days: 365, until }
}

fn rows(plan: Plan) -> Vec<Item> {
    History::new(plan).unwrap().collect()
}

/// Facts as they arrive, with the instants at which they are recorded.
fn arrivals(rows: &[Item]) -> impl Iterator<Item = (Timestamp, &Fact)> {
    rows.iter().filter_map(|row| match row {
        Item::Recorded(at, fact) => Some((*at, fact)),
        _ => None,
    })
}

/// Each fact once, in the order of time.
fn facts(rows: &[Item]) -> Vec<&Fact> {
    let mut seen = BTreeSet::new();
    let mut facts: Vec<&Fact> =
        arrivals(rows).map(|(_, fact)| fact).filter(|fact| seen.insert(fact.id)).collect();
    facts.sort_by_key(|fact| fact.occurred_at);
    facts
}

fn users(rows: &[Item]) -> Vec<&NewUser> {
    rows.iter()
        .filter_map(|row| match row {
            Item::User(user) => Some(user),
            _ => None,
        })
        .collect()
}

/// How often something is said, by its stored name and what is said: `subscription_changed quantity`.
fn said(rows: &[Item]) -> BTreeMap<String, usize> {
    let mut said = BTreeMap::new();
    let mut count = |name: String| *said.entry(name).or_default() += 1;
    for fact in facts(rows) {
        let json = serde_json::to_value(&fact.kind).unwrap();
        let kind = json["kind"].as_str().unwrap();
        count(kind.to_owned());
        for name in ["status", "tier", "price", "quantity", "ends_at"] {
            match &json[name] {
                serde_json::Value::String(text) => count(format!("{kind} {name} {text}")),
                serde_json::Value::Number(number) if number.as_i64() == Some(0) => {
                    count(format!("{kind} no {name}"));
                }
                serde_json::Value::Number(_) => count(format!("{kind} {name}")),
                _ => {}
            }
        }
        if let Some(unit) = json["interval"]["unit"].as_str() {
            count(format!("{kind} every {} {unit}", json["interval"]["count"]));
        }
    }
    said
}

#[test]
fn the_same_plan_gives_the_same_rows_and_another_seed_gives_others() {
    let show = |plan| format!("{:?}", rows(plan));
    assert_eq!(show(plan(500, 1)), show(plan(500, 1)));
    assert_ne!(show(plan(500, 1)), show(plan(500, 2)));
}

#[test]
fn every_user_is_there_once_and_facts_are_recorded_in_order_within_the_history() {
    let plan = plan(3_000, 5);
    let rows = rows(plan);
    let users = users(&rows);
    let distinct = |key: fn(&NewUser) -> String| {
        users.iter().map(|user| key(user)).collect::<BTreeSet<_>>().len()
    };
    let deleted = 3_000 - users.len();
    assert!((5..100).contains(&deleted), "{deleted}");
    assert_eq!(distinct(|user| user.email.clone()), users.len());
    assert_eq!(distinct(|user| user.id.to_string()), users.len());
    assert_eq!(users.iter().filter(|user| user.role == Label::ADMIN).count(), 1);
    assert!(arrivals(&rows).is_sorted_by_key(|(recorded_at, _)| recorded_at));
    let start = plan.until.minus(DAY * plan.days);
    for (recorded_at, fact) in arrivals(&rows) {
        assert!(start <= fact.occurred_at && recorded_at < plan.until, "{fact:?}");
        assert!(fact.occurred_at <= recorded_at, "{fact:?} at {recorded_at}");
    }
}

#[test]
fn everything_a_business_sees_happens_in_plausible_numbers() {
    let said = said(&rows(plan(20_000, 9)));
    let count = |what: &str| said.get(what).copied().unwrap_or(0);
    for (what, least, most) in [
        ("user_created", 20_000, 20_400),
        ("user_changed", 1_000, 10_000),
        ("user_changed status suspended", 5, 500),
        ("user_deleted", 100, 1_000),
        ("subscription_started", 3_000, 6_000),
        ("subscription_started status trialing", 200, 1_500),
        ("subscription_started status incomplete", 20, 300),
        ("subscription_started no price", 10, 150),
        ("subscription_started every 1 month", 2_000, 5_000),
        ("subscription_started every 1 year", 300, 1_500),
        ("subscription_started every 3 month", 50, 600),
        ("subscription_started every 6 month", 30, 400),
        ("subscription_started every 1 week", 10, 200),
        ("subscription_started every 4 week", 20, 300),
        ("subscription_started every 30 day", 10, 200),
        ("subscription_started every 2 year", 10, 200),
        ("subscription_started every 5 month", 10, 200),
        ("subscription_changed", 400, 8_000),
        ("subscription_changed status past_due", 200, 2_000),
        ("subscription_changed status unpaid", 10, 300),
        ("subscription_changed status paused", 20, 500),
        ("subscription_changed status active", 200, 3_000),
        ("subscription_changed quantity", 20, 500),
        ("subscription_changed price", 100, 1_500),
        ("subscription_changed every 1 year", 10, 300),
        ("subscription_set_to_cancel", 100, 3_000),
        ("subscription_ended", 200, 3_000),
        ("payment_captured", 8_000, 40_000),
        ("payment_refunded", 100, 2_000),
        ("payment_disputed", 10, 300),
        ("dispute_won", 2, 150),
        ("commission_accrued", 2_000, 20_000),
        ("commission_reversed", 20, 2_000),
        ("commission_adjusted", 20, 400),
        ("commission_paid", 1_000, 20_000),
    ] {
        assert!((least..=most).contains(&count(what)), "{what}: {}", count(what));
    }
}

#[test]
fn a_few_per_cent_arrive_late_and_some_twice() {
    let rows = rows(plan(20_000, 10));
    let all = arrivals(&rows).count();
    let late = |seconds| {
        let than = Duration::from_secs(seconds);
        arrivals(&rows).filter(|(at, fact)| at.since(fact.occurred_at) > than).count()
    };
    assert!((all / 100..all / 25).contains(&late(2 * 3_600)), "{} of {all}", late(2 * 3_600));
    assert!(late(30 * 86_400) > 20, "{}", late(30 * 86_400));
    let ids: BTreeSet<Uuid> = arrivals(&rows).map(|(_, fact)| fact.id).collect();
    assert!((all / 1_000..all / 100).contains(&(all - ids.len())), "{} of {all}", ids.len());
    // And some beginnings are told under another id.
    let created = facts(&rows)
        .iter()
        .filter(|fact| matches!(fact.kind, FactKind::UserCreated { .. }))
        .count();
    assert!(created > 20_050, "{created}");
}

/// Nothing is refunded, reversed or paid out beyond what there was.
#[test]
fn money_adds_up() {
    #[derive(Default)]
    struct Money {
        earned: Option<i64>,
        added: i64,
        taken: i64,
        paid: i64,
    }
    let rows = rows(plan(20_000, 11));
    let mut payments: BTreeMap<Uuid, Money> = BTreeMap::new();
    let mut commissions: BTreeMap<Uuid, Money> = BTreeMap::new();
    let (mut taken_before, mut taken_after_payout) = (0, 0);
    for fact in facts(&rows) {
        match &fact.kind {
            FactKind::PaymentCaptured { payment, amount, .. } => {
                let payment = payments.entry(*payment).or_default();
                assert_eq!(payment.earned.get_or_insert(*amount), amount);
            }
            FactKind::PaymentRefunded { payment, amount }
            | FactKind::PaymentDisputed { payment, amount } => {
                let payment = payments.entry(*payment).or_default();
                payment.taken += amount;
                taken_before += usize::from(payment.earned.is_none());
            }
            FactKind::DisputeWon { payment, amount } => {
                payments.get_mut(payment).unwrap().taken -= amount;
            }
            FactKind::CommissionAccrued { commission, amount, sale, .. } => {
                assert_eq!(*amount, (sale + 1) / 2);
                let commission = commissions.entry(*commission).or_default();
                commission.earned.get_or_insert(*amount);
            }
            FactKind::CommissionReversed { commission, amount } => {
                let commission = commissions.entry(*commission).or_default();
                commission.taken += amount;
                taken_after_payout += usize::from(commission.paid > 0);
            }
            FactKind::CommissionAdjusted { commission, amount, reason } => {
                assert!(!reason.is_empty());
                commissions.get_mut(commission).unwrap().added += (*amount).max(0);
            }
            FactKind::CommissionPaid { commission, amount } => {
                let commission = commissions.get_mut(commission).unwrap();
                commission.paid += amount;
                let most = commission.earned.unwrap() + commission.added - commission.taken;
                assert!(*amount > 0 && commission.paid <= most, "{fact:?}");
            }
            _ => {}
        }
    }
    for money in payments.values().chain(commissions.values()) {
        assert!(money.earned.is_none_or(|earned| money.taken <= earned));
    }
    assert!(payments.values().any(|payment| payment.earned == Some(payment.taken)));
    assert!(taken_before > 0, "before it was there");
    assert!(taken_after_payout > 5, "{taken_after_payout}");
}

#[test]
fn few_affiliates_bring_most_of_the_commissions() {
    let rows = rows(plan(20_000, 13));
    let mut earned: BTreeMap<String, i64> = BTreeMap::new();
    for fact in facts(&rows) {
        if let FactKind::CommissionAccrued { affiliate, amount, .. } = &fact.kind {
            *earned.entry(affiliate.clone()).or_default() += amount;
        }
    }
    let mut sums: Vec<i64> = earned.into_values().collect();
    sums.sort_unstable_by(|a, b| b.cmp(a));
    let (top, all): (i64, i64) = (sums.iter().take(10).sum(), sums.iter().sum());
    assert!(sums.len() > 50, "{}", sums.len());
    assert!(top * 2 > all, "{top} of {all}");
}

#[test]
fn a_users_row_agrees_with_its_facts() {
    let rows = rows(plan(5_000, 17));
    let mut standing = BTreeMap::new();
    for fact in facts(&rows) {
        match &fact.kind {
            FactKind::UserCreated { user, role, status } => {
                standing.entry(*user).or_insert((role.clone(), status.clone()));
            }
            FactKind::UserChanged { user, role, status } => {
                // Some notes are about users who are gone.
                let Some(entry) = standing.get_mut(user) else { continue };
                entry.0 = role.clone().unwrap_or(entry.0.clone());
                entry.1 = status.clone().unwrap_or(entry.1.clone());
            }
            FactKind::UserDeleted { user } => {
                standing.remove(user).unwrap();
            }
            _ => {}
        }
    }
    let users = users(&rows);
    assert_eq!(standing.len(), users.len());
    for user in users {
        assert_eq!(standing[&user.id], (user.role.clone(), user.status.clone()));
    }
}

/// A customer may have two subscriptions at a time, and a subscription may start again, also for
/// another customer.
#[test]
fn subscriptions_are_swapped_doubled_and_taken_over() {
    let rows = rows(plan(20_000, 19));
    let mut customers: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    let mut ended = BTreeMap::new();
    let (mut again, mut swapped, mut backdated) = (0, 0, 0);
    for fact in facts(&rows) {
        match &fact.kind {
            FactKind::SubscriptionStarted { subscription, customer, status, .. } => {
                let owners = customers.entry(*subscription).or_default();
                owners.insert(*customer);
                again += usize::from(ended.contains_key(subscription));
                let just_ended = ended.values().any(|at| *at == fact.occurred_at);
                swapped += usize::from(just_ended && *status == SubscriptionStatus::Active);
            }
            FactKind::SubscriptionEnded { subscription } => {
                ended.insert(*subscription, fact.occurred_at);
            }
            FactKind::SubscriptionSetToCancel { ends_at: Some(ends_at), .. } => {
                backdated += usize::from(*ends_at <= fact.occurred_at);
            }
            _ => {}
        }
    }
    let owned_twice = customers.values().filter(|owners| owners.len() > 1).count();
    for (what, count) in [
        ("start again", again),
        ("start when another ends", swapped),
        ("end in the past", backdated),
        ("change hands", owned_twice),
    ] {
        assert!(count > 2, "{what}: {count}");
    }
}
