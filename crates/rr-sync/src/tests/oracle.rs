//! Arbitrary histories, and a second opinion about them.
//!
//! The second opinion asks each question from scratch: it looks at all facts again for every
//! subject, knows no windows, labels or running sums, and shares no code with the fold.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use proptest::prelude::*;
use rr_domain::IntervalUnit;

use super::*;

/// The histories lie within this many days.
const DAYS: i64 = 100;

/// Any history of a few subjects: their facts come in any order, also senseless ones. No two facts
/// share an instant, so that the order of recording says nothing.
pub(super) fn history() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((moment(), kind()), 0..60).prop_map(distinct)
}

fn distinct(events: Vec<(Timestamp, FactKind)>) -> Vec<Fact> {
    let mut taken = BTreeSet::new();
    (1..)
        .zip(events)
        .filter(|(_, (moment, _))| taken.insert(*moment))
        .map(|(number, (occurred_at, kind))| Fact { id: id(number), occurred_at, kind })
        .collect()
}

/// A history of nothing but subscriptions, so that customers come, go and return within it.
pub(super) fn subscription_history() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((moment(), subscription_kind()), 0..60).prop_map(distinct)
}

/// The same with many facts of the same instant, where the order of recording decides.
pub(super) fn crowded_history() -> impl Strategy<Value = Vec<Fact>> {
    let days = (0..6_i64).prop_map(|day| {
        Timestamp::from_micros(at("2024-01-01").micros() + day * 86_400_000_000).unwrap()
    });
    prop::collection::vec((days, kind()), 0..40).prop_map(|events| {
        (1..)
            .zip(events)
            .map(|(number, (occurred_at, kind))| Fact { id: id(number), occurred_at, kind })
            .collect()
    })
}

/// Any instant of the history, often on a whole minute, where windows turn.
pub(super) fn moment() -> impl Strategy<Value = Timestamp> {
    let minutes = 0..DAYS * 24 * 60;
    let micros = prop_oneof![Just(0_i64), Just(1), Just(59_999_999), 0..60_000_000_i64];
    (minutes, micros).prop_map(|(minutes, micros)| {
        let start = at("2024-01-01").micros();
        Timestamp::from_micros(start + minutes * 60_000_000 + micros).unwrap()
    })
}

fn kind() -> impl Strategy<Value = FactKind> {
    let name = || prop::sample::select(vec!["a", "b", "c"]);
    let which = || 1..5_u128;
    let amount = || prop_oneof![Just(0_i64), Just(1), Just(1 << 53), 1..100_000_i64];
    prop_oneof![
        3 => (which(), name()).prop_map(|(who, role)| user(who, role)),
        1 => (which(), name()).prop_map(|(who, role)| becomes(who, role)),
        1 => (which(), name()).prop_map(|(who, to)| status(who, to)),
        1 => which().prop_map(deleted),
        7 => subscription_kind(),
        3 => (which(), prop::sample::select(vec!["a", "b", "tripwire"]), amount())
            .prop_map(|(which, tier, amount)| captured(which, tier, amount)),
        1 => (which(), amount()).prop_map(|(which, amount)| refunded(which, amount)),
        1 => (which(), amount()).prop_map(|(which, amount)| disputed(which, amount)),
        1 => (which(), amount()).prop_map(|(which, amount)| won(which, amount)),
        3 => (which(), name(), name(), amount(), moment())
            .prop_map(|(which, who, tier, amount, payable_at)| FactKind::CommissionAccrued {
                commission: id(which),
                affiliate: who.to_owned(),
                tier: label(tier),
                sale: amount,
                amount: amount / 2,
                payable_at,
            }),
        1 => (which(), amount()).prop_map(|(which, amount)| reversed(which, amount)),
        2 => (which(), amount()).prop_map(|(which, amount)| paid(which, amount)),
        1 => (which(), -500..500_i64).prop_map(|(which, amount)| adjusted(which, amount)),
    ]
}

fn subscription_kind() -> impl Strategy<Value = FactKind> {
    let name = || prop::sample::select(vec!["a", "b", "c"]);
    let which = || 1..5_u128;
    // A year of a few such at once still fits 64 bits.
    let price = || prop_oneof![Just(0_i64), Just(1), Just(1 << 50), 1..100_000_i64];
    prop_oneof![
        3 => (which(), which(), name(), price(), interval(), state()).prop_map(
            |(which, customer, tier, price, interval, status)| FactKind::SubscriptionStarted {
                subscription: id(which),
                customer: id(customer),
                tier: label(tier),
                status: status.unwrap_or(SubscriptionStatus::Active),
                price,
                quantity: 1,
                interval,
            },
        ),
        2 => (which(), prop::option::of(name()), prop::option::of(price()), 0..3_u32, state())
            .prop_map(|(which, tier, price, quantity, status)| FactKind::SubscriptionChanged {
                subscription: id(which),
                tier: tier.map(label),
                price,
                quantity: Some(quantity),
                interval: None,
                status,
            }),
        1 => (which(), prop::option::of(moment())).prop_map(|(which, ends_at)| {
            FactKind::SubscriptionSetToCancel { subscription: id(which), ends_at }
        }),
        1 => which().prop_map(ended),
    ]
}

fn interval() -> impl Strategy<Value = Interval> {
    let unit = prop::sample::select(vec![
        IntervalUnit::Day,
        IntervalUnit::Week,
        IntervalUnit::Month,
        IntervalUnit::Year,
    ]);
    (unit, 1..8_u32)
        .prop_map(|(unit, count)| Interval { unit, count: NonZeroU32::new(count).unwrap() })
}

fn state() -> impl Strategy<Value = Option<SubscriptionStatus>> {
    prop::option::of(prop::sample::select(vec![
        SubscriptionStatus::Active,
        SubscriptionStatus::PastDue,
        SubscriptionStatus::Paused,
        SubscriptionStatus::Trialing,
    ]))
}

/// The facts up to an instant, in order of time.
fn until(facts: &[Fact], as_of: Timestamp) -> Vec<&Fact> {
    let mut past: Vec<&Fact> = facts.iter().filter(|fact| fact.occurred_at <= as_of).collect();
    past.sort_by_key(|fact| fact.occurred_at);
    past
}

/// Role and status of one user at an instant, if they are there.
pub(super) fn user_at(facts: &[Fact], who: Uuid, as_of: Timestamp) -> Option<(Label, Label)> {
    let mut state = None;
    for fact in until(facts, as_of) {
        match (&fact.kind, &mut state) {
            (FactKind::UserCreated { user, role, status }, None) if *user == who => {
                state = Some((role.clone(), status.clone()));
            }
            (FactKind::UserChanged { user, role, status }, Some(now)) if *user == who => {
                now.0 = role.clone().unwrap_or_else(|| now.0.clone());
                now.1 = status.clone().unwrap_or_else(|| now.1.clone());
            }
            (FactKind::UserDeleted { user }, _) if *user == who => state = None,
            _ => {}
        }
    }
    state
}

/// The users who are there.
pub(super) fn users_at(facts: &[Fact], as_of: Timestamp) -> Vec<(Label, Label)> {
    (1..5).filter_map(|who| user_at(facts, id(who), as_of)).collect()
}

/// How often a user came to be within the last `days`.
pub(super) fn signups(facts: &[Fact], as_of: Timestamp, days: u64) -> usize {
    let tick = Duration::from_micros(1);
    let from = back(as_of, days);
    until(facts, as_of)
        .into_iter()
        .filter(|fact| match fact.kind {
            FactKind::UserCreated { user, .. } => {
                let before = fact.occurred_at.minus(tick);
                fact.occurred_at >= from && user_at(facts, user, before).is_none()
            }
            _ => false,
        })
        .count()
}

/// `as_of` without its seconds, this many days earlier.
pub(super) fn back(as_of: Timestamp, days: u64) -> Timestamp {
    let minute = as_of.micros() - as_of.micros().rem_euclid(60_000_000);
    Timestamp::from_micros(minute).unwrap().minus(Duration::from_secs(days * 86_400))
}

/// What a payment was for and when it was captured, by its first capture, if that has happened.
fn capture(facts: &[Fact], which: Uuid, as_of: Timestamp) -> Option<(&Product, Timestamp)> {
    until(facts, as_of).into_iter().find_map(|fact| match &fact.kind {
        FactKind::PaymentCaptured { payment, product, .. } if *payment == which => {
            Some((product, fact.occurred_at))
        }
        _ => None,
    })
}

/// Net revenue from `from` (included) to `to` (not included), of the products that `counts` names,
/// as known at `as_of`.
pub(super) fn revenue(
    facts: &[Fact],
    as_of: Timestamp,
    (from, to): (Timestamp, Timestamp),
    counts: impl Fn(&Product) -> bool,
) -> i128 {
    let mut captured = BTreeSet::new();
    let mut sum = 0;
    for fact in until(facts, as_of) {
        let (payment, amount) = match fact.kind {
            FactKind::PaymentCaptured { payment, amount, .. } if captured.insert(payment) => {
                (payment, i128::from(amount))
            }
            FactKind::PaymentRefunded { payment, amount }
            | FactKind::PaymentDisputed { payment, amount } => (payment, -i128::from(amount)),
            FactKind::DisputeWon { payment, amount } => (payment, i128::from(amount)),
            _ => continue,
        };
        if let Some((product, captured_at)) = capture(facts, payment, as_of)
            && counts(product)
        {
            // What moved before the capture counts from the capture on.
            let counts_from = fact.occurred_at.max(captured_at);
            if from <= counts_from && counts_from < to {
                sum += amount;
            }
        }
    }
    sum
}

/// A subscription that runs and costs something.
pub(super) struct Running {
    pub(super) customer: Uuid,
    pub(super) tier: Label,
    pub(super) status: SubscriptionStatus,
    pub(super) yearly: i128,
}

impl Running {
    /// Whether it makes recurring revenue.
    pub(super) fn recurs(&self) -> bool {
        matches!(self.status, SubscriptionStatus::Active | SubscriptionStatus::PastDue)
    }
}

/// One subscription at an instant.
pub(super) fn subscription_at(facts: &[Fact], which: Uuid, as_of: Timestamp) -> Option<Running> {
    struct State {
        customer: Uuid,
        tier: Label,
        status: SubscriptionStatus,
        price: i64,
        quantity: u32,
        interval: Interval,
        end: Option<Timestamp>,
    }
    let mut state: Option<State> = None;
    for fact in until(facts, as_of) {
        if state.as_ref().is_some_and(|now| now.end.is_some_and(|end| end <= fact.occurred_at)) {
            state = None;
        }
        match (fact.kind.clone(), &mut state) {
            (
                FactKind::SubscriptionStarted {
                    subscription,
                    customer,
                    tier,
                    status,
                    price,
                    quantity,
                    interval,
                },
                None,
            ) if subscription == which => {
                state =
                    Some(State { customer, tier, status, price, quantity, interval, end: None });
            }
            (
                FactKind::SubscriptionChanged {
                    subscription, tier, price, quantity, status, ..
                },
                Some(now),
            ) if subscription == which => {
                now.tier = tier.unwrap_or_else(|| now.tier.clone());
                now.status = status.unwrap_or(now.status);
                now.price = price.unwrap_or(now.price);
                now.quantity = quantity.unwrap_or(now.quantity);
            }
            (FactKind::SubscriptionSetToCancel { subscription, ends_at }, Some(now))
                if subscription == which =>
            {
                now.end = ends_at;
            }
            (FactKind::SubscriptionEnded { subscription }, _) if subscription == which => {
                state = None;
            }
            _ => {}
        }
    }
    let State { customer, tier, status, price, quantity, interval, end } = state?;
    let due = i128::from(price) * i128::from(quantity);
    if due == 0 || end.is_some_and(|end| end <= as_of) {
        return None;
    }
    let per_year = match interval.unit {
        IntervalUnit::Day => 365,
        IntervalUnit::Week => 52,
        IntervalUnit::Month => 12,
        IntervalUnit::Year => 1,
    };
    let count = i128::from(interval.count.get());
    // All amounts here are positive, so half away from zero is half up.
    let yearly = (2 * due * per_year + count) / (2 * count);
    Some(Running { customer, tier, status, yearly })
}

/// All subscriptions that run at an instant and cost something.
pub(super) fn subscriptions_at(facts: &[Fact], as_of: Timestamp) -> Vec<Running> {
    (1..5).filter_map(|which| subscription_at(facts, id(which), as_of)).collect()
}

/// The annual basis of every customer above zero at an instant.
pub(super) fn customers_at(facts: &[Fact], as_of: Timestamp) -> BTreeMap<Uuid, i128> {
    let mut customers = BTreeMap::new();
    for one in subscriptions_at(facts, as_of).into_iter().filter(Running::recurs) {
        *customers.entry(one.customer).or_insert(0) += one.yearly;
    }
    customers.retain(|_, yearly| *yearly > 0);
    customers
}

/// What a period did to the customers' annual bases, every size above zero.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Moved {
    pub(super) new: i128,
    pub(super) reactivation: i128,
    pub(super) expansion: i128,
    pub(super) contraction: i128,
    pub(super) churn: i128,
    /// Customers there were at the start and who fell to zero.
    pub(super) churned: BTreeSet<Uuid>,
}

/// Looks at every customer just before and at every instant that a fact names.
pub(super) fn movements(facts: &[Fact], (from, to): (Timestamp, Timestamp)) -> Moved {
    let mut instants: BTreeSet<Timestamp> = facts.iter().map(|fact| fact.occurred_at).collect();
    instants.extend(facts.iter().filter_map(|fact| match fact.kind {
        FactKind::SubscriptionSetToCancel { ends_at, .. } => ends_at,
        _ => None,
    }));
    let at_start = customers_at(facts, before(from));
    let mut ever = BTreeSet::new();
    let mut moved = Moved::default();
    for instant in instants.into_iter().filter(|instant| *instant < to) {
        let (old, new) = (customers_at(facts, before(instant)), customers_at(facts, instant));
        for customer in (1..5).map(id) {
            let sum = |sums: &BTreeMap<Uuid, i128>| sums.get(&customer).copied().unwrap_or(0);
            let (old, new) = (sum(&old), sum(&new));
            let first = new > 0 && ever.insert(customer);
            if instant < from {
                continue;
            }
            match (old, new) {
                (0, _) if first => moved.new += new,
                (0, _) => moved.reactivation += new,
                (_, 0) => {
                    moved.churn += old;
                    if at_start.contains_key(&customer) {
                        moved.churned.insert(customer);
                    }
                }
                _ if new > old => moved.expansion += new - old,
                _ => moved.contraction += old - new,
            }
        }
    }
    moved
}

/// The instant before.
pub(super) fn before(moment: Timestamp) -> Timestamp {
    moment.minus(Duration::from_micros(1))
}

/// A commission, what is left of it, and whether it counts as a transaction.
pub(super) struct Earned {
    pub(super) affiliate: String,
    pub(super) tier: Label,
    pub(super) net: i128,
    pub(super) counts: bool,
    pub(super) paid: i128,
    pub(super) on_hold: bool,
}

/// Every commission that was earned.
pub(super) fn commissions(facts: &[Fact], as_of: Timestamp) -> Vec<Earned> {
    let past = until(facts, as_of);
    let mut earned: BTreeMap<Uuid, (String, Label, i128, bool)> = BTreeMap::new();
    for fact in &past {
        if let FactKind::CommissionAccrued {
            commission, affiliate, tier, amount, payable_at, ..
        } = &fact.kind
        {
            let first = (affiliate.clone(), tier.clone(), i128::from(*amount), *payable_at > as_of);
            earned.entry(*commission).or_insert(first);
        }
    }
    earned
        .into_iter()
        .map(|(which, (affiliate, tier, amount, on_hold))| {
            let (mut back, mut adjusted, mut paid) = (0, 0, 0);
            for fact in &past {
                match fact.kind {
                    FactKind::CommissionReversed { commission, amount } if commission == which => {
                        back += i128::from(amount);
                    }
                    FactKind::CommissionAdjusted { commission, amount, .. }
                        if commission == which =>
                    {
                        adjusted += i128::from(amount);
                    }
                    FactKind::CommissionPaid { commission, amount } if commission == which => {
                        paid += i128::from(amount);
                    }
                    _ => {}
                }
            }
            let counts = back == 0 || back < amount;
            Earned { affiliate, tier, net: amount - back + adjusted, counts, paid, on_hold }
        })
        .collect()
}
