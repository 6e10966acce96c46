//! Subscriptions: which are active, in which tier, and what they bring every month.

use std::collections::{BTreeMap, HashMap};

use rr_domain::{FactKind, Interval, IntervalUnit, SubscriptionStatus, Timestamp, Total};
use uuid::Uuid;

use super::labels::{LabelId, Labels};
use super::rounding::divide_rounded;
use super::windows::NextChange;

/// The subscriptions that have started and not ended.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    running: HashMap<Uuid, Subscription>,
}

/// The active subscriptions at the end of all facts.
#[derive(Debug, Default)]
pub(super) struct ActiveSubscriptions {
    pub(super) all: Active,
    pub(super) by_tier: BTreeMap<LabelId, Active>,
}

/// Some of them together.
#[derive(Debug, Default)]
pub(super) struct Active {
    pub(super) count: u64,
    yearly: i128,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Subscription {
    customer: Uuid,
    tier: LabelId,
    status: SubscriptionStatus,
    price: i64,
    quantity: u32,
    interval: Interval,
    ends_at: Option<Timestamp>,
}

impl Subscriptions {
    pub(super) fn add(&mut self, at: Timestamp, kind: &FactKind, tiers: &mut Labels) {
        match kind {
            FactKind::SubscriptionStarted {
                subscription,
                customer,
                tier,
                status,
                price,
                quantity,
                interval,
            } => {
                if self.running(*subscription, at).is_some() {
                    return;
                }
                let started = Subscription {
                    customer: *customer,
                    tier: tiers.id(tier),
                    status: *status,
                    price: *price,
                    quantity: *quantity,
                    interval: *interval,
                    ends_at: None,
                };
                self.running.insert(*subscription, started);
            }
            FactKind::SubscriptionChanged {
                subscription,
                tier,
                price,
                quantity,
                interval,
                status,
            } => {
                if let Some(running) = self.running(*subscription, at) {
                    if let Some(tier) = tier {
                        running.tier = tiers.id(tier);
                    }
                    running.price = price.unwrap_or(running.price);
                    running.quantity = quantity.unwrap_or(running.quantity);
                    running.interval = interval.unwrap_or(running.interval);
                    running.status = status.unwrap_or(running.status);
                }
            }
            FactKind::SubscriptionSetToCancel { subscription, ends_at } => {
                if let Some(running) = self.running(*subscription, at) {
                    running.ends_at = *ends_at;
                }
            }
            FactKind::SubscriptionEnded { subscription } => {
                self.running.remove(subscription);
            }
            _ => {}
        }
    }

    pub(super) fn finish(self, as_of: Timestamp, next: &mut NextChange) -> ActiveSubscriptions {
        let mut active = ActiveSubscriptions::default();
        for subscription in self.running.into_values() {
            if !subscription.is_over(as_of) && subscription.is_active() {
                active.all.add(&subscription);
                active.by_tier.entry(subscription.tier).or_default().add(&subscription);
                if let Some(end) = subscription.ends_at {
                    next.consider(end);
                }
            }
        }
        active
    }

    /// The subscription as it is at an instant, the last one that facts have come to.
    pub(super) fn standing(&self, subscription: Uuid, at: Timestamp) -> Option<Subscription> {
        self.running.get(&subscription).copied().filter(|one| !one.is_over(at))
    }

    /// Lets a subscription end if this instant is its announced end: what it was until then.
    pub(super) fn end_at(&mut self, subscription: Uuid, at: Timestamp) -> Option<Subscription> {
        let ends = self.running.get(&subscription)?.ends_at == Some(at);
        if ends { self.running.remove(&subscription) } else { None }
    }

    /// The subscription if it is running at `at`. One whose announced end has come is over, and
    /// what is said about it afterwards changes nothing.
    fn running(&mut self, subscription: Uuid, at: Timestamp) -> Option<&mut Subscription> {
        if self.running.get(&subscription)?.is_over(at) {
            self.running.remove(&subscription);
        }
        self.running.get_mut(&subscription)
    }
}

impl Active {
    fn add(&mut self, subscription: &Subscription) {
        self.count += 1;
        self.yearly += subscription.yearly();
    }

    /// What they bring every month, rounded here and nowhere before.
    pub(super) fn monthly(&self) -> Total {
        Total::from_minor(divide_rounded(self.yearly, 12))
    }
}

impl Subscription {
    pub(super) fn customer(&self) -> Uuid {
        self.customer
    }

    pub(super) fn tier(&self) -> LabelId {
        self.tier
    }

    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }

    /// Its status by name.
    pub(super) fn state(&self) -> &'static str {
        match self.status {
            SubscriptionStatus::Active => "active",
            SubscriptionStatus::PastDue => "past_due",
            SubscriptionStatus::Trialing => "trialing",
            SubscriptionStatus::Paused => "paused",
            SubscriptionStatus::Unpaid => "unpaid",
            SubscriptionStatus::Incomplete => "incomplete",
        }
    }

    fn is_over(&self, at: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= at)
    }

    /// Active or past due, and not for free.
    pub(super) fn is_active(&self) -> bool {
        let counts = match self.status {
            SubscriptionStatus::Active | SubscriptionStatus::PastDue => true,
            SubscriptionStatus::Trialing
            | SubscriptionStatus::Paused
            | SubscriptionStatus::Unpaid
            | SubscriptionStatus::Incomplete => false,
        };
        counts && self.costs()
    }

    /// Whether it is not for free.
    pub(super) fn costs(&self) -> bool {
        self.price > 0 && self.quantity > 0
    }

    /// The annualised basis: price × quantity × how often it is due in a year. It is an integer
    /// by itself, so that sums do not depend on their order; only an interval that does not divide
    /// the year (every 5 months) needs rounding for it, half away from zero.
    pub(super) fn yearly(&self) -> i128 {
        let units = match self.interval.unit {
            IntervalUnit::Day => 365,
            IntervalUnit::Week => 52,
            IntervalUnit::Month => 12,
            IntervalUnit::Year => 1,
        };
        let due = i128::from(self.price) * i128::from(self.quantity) * units;
        divide_rounded(due, i128::from(self.interval.count.get()))
    }
}
