//! The life of one subscription, turn by turn.
//!
//! A subscription starts once until it is over; then it may start again, also for someone else. It
//! is over when a fact ends it, or at its announced end; what is said about it afterwards changes
//! nothing. An announcement can be taken back until then. One that names an instant already past
//! ends the subscription at once.

use rr_domain::{Fact, FactKind, Interval, IntervalUnit, Label, SubscriptionStatus, Timestamp};
use uuid::Uuid;

use crate::ratio::rounded;

/// From `at` on, the subscription is as `state` says; `None` is over.
#[derive(Debug, Clone)]
pub(super) struct Turn<'a> {
    pub(super) at: Timestamp,
    pub(super) fact: Uuid,
    pub(super) state: Option<State<'a>>,
}

/// A subscription that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct State<'a> {
    pub(super) customer: Uuid,
    pub(super) tier: &'a Label,
    pub(super) status: SubscriptionStatus,
    price: i64,
    quantity: u32,
    interval: Interval,
    /// When it will end, and the fact that said so.
    ends: Option<(Timestamp, Uuid)>,
}

impl State<'_> {
    /// The annual basis: price × quantity × how often it is due in a year, an integer by itself so
    /// that sums do not depend on their order. Only an interval that does not divide the year
    /// (every 5 months) needs rounding for it, half away from zero. `None` for what is free.
    pub(super) fn basis(&self) -> Option<i128> {
        if self.price <= 0 || self.quantity == 0 {
            return None;
        }
        let per_year = match self.interval.unit {
            IntervalUnit::Day => 365,
            IntervalUnit::Week => 52,
            IntervalUnit::Month => 12,
            IntervalUnit::Year => 1,
        };
        let due = i128::from(self.price) * i128::from(self.quantity) * per_year;
        Some(rounded(due, self.interval.count.get().into()))
    }

    /// The annual basis while it makes recurring revenue: active or past due.
    pub(super) fn recurring(&self) -> i128 {
        match self.status {
            SubscriptionStatus::Active | SubscriptionStatus::PastDue => self.basis().unwrap_or(0),
            SubscriptionStatus::Trialing
            | SubscriptionStatus::Paused
            | SubscriptionStatus::Unpaid
            | SubscriptionStatus::Incomplete => 0,
        }
    }
}

/// The turns of one subscription, in order of time.
pub(super) fn turns<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = Vec::new();
    let mut running: Option<State<'a>> = None;
    for fact in facts {
        let at = fact.occurred_at;
        end_by(at, &mut running, &mut turns);
        running = after(running, &fact.kind, fact.id);
        turns.push(Turn { at, fact: fact.id, state: running });
        // An announced end that is past already.
        if let Some((_, by)) = running.and_then(|state| state.ends).filter(|(end, _)| *end <= at) {
            running = None;
            turns.push(Turn { at, fact: by, state: None });
        }
    }
    if let Some((end, _)) = running.and_then(|state| state.ends) {
        end_by(end, &mut running, &mut turns);
    }
    turns
}

/// Lets a subscription end whose announced end has come.
fn end_by<'a>(at: Timestamp, running: &mut Option<State<'a>>, turns: &mut Vec<Turn<'a>>) {
    if let Some((end, fact)) = running.and_then(|state| state.ends).filter(|(end, _)| *end <= at) {
        *running = None;
        turns.push(Turn { at: end, fact, state: None });
    }
}

/// The state after a fact.
fn after<'a>(running: Option<State<'a>>, kind: &'a FactKind, fact: Uuid) -> Option<State<'a>> {
    match (kind, running) {
        (
            FactKind::SubscriptionStarted {
                subscription: _,
                customer,
                tier,
                status,
                price,
                quantity,
                interval,
            },
            None,
        ) => Some(State {
            customer: *customer,
            tier,
            status: *status,
            price: *price,
            quantity: *quantity,
            interval: *interval,
            ends: None,
        }),
        (
            FactKind::SubscriptionChanged {
                subscription: _,
                tier,
                price,
                quantity,
                interval,
                status,
            },
            Some(state),
        ) => Some(State {
            tier: tier.as_ref().unwrap_or(state.tier),
            status: status.unwrap_or(state.status),
            price: price.unwrap_or(state.price),
            quantity: quantity.unwrap_or(state.quantity),
            interval: interval.unwrap_or(state.interval),
            ..state
        }),
        (FactKind::SubscriptionSetToCancel { ends_at, .. }, Some(state)) => {
            Some(State { ends: ends_at.map(|end| (end, fact)), ..state })
        }
        (FactKind::SubscriptionEnded { .. }, _) => None,
        (_, unchanged) => unchanged,
    }
}
