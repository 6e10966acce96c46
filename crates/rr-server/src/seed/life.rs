//! One invented user, from signing up to leaving, a step at a time.

use std::time::Duration;

use rr_domain::{FactKind, Interval, Label, SubscriptionStatus, Timestamp};
use rr_store::NewUser;
use uuid::Uuid;

use super::calendar::months_after;
use super::history::History;
use super::price::Tier;
use super::sale::sell_tripwire;
use super::signups::DAY;

/// A user whose history is not over.
pub(super) struct Life {
    number: u64,
    pub(super) user: NewUser,
    customer: Uuid,
    /// Who brought the user: half of every sale is theirs.
    pub(super) referrer: Option<u64>,
    subscription: Uuid,
    pub(super) tier: Tier,
    started: Timestamp,
    /// Months since the start that are paid or given away.
    months: u32,
    is_trial: bool,
}

/// What comes next in a life.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The user subscribes.
    Subscribe,
    /// A period is over and the next is due.
    Renew,
    /// The last payment failed and was tried again.
    Retry,
    /// In the middle of a period something is changed.
    Change(Change),
    /// The subscription was set to cancel and its period is over.
    End,
    /// A pause is over.
    Unpause,
}

/// What a subscriber changes in the middle of a period.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Upgrade,
    Downgrade,
    Pause,
    SetToCancel,
    CancelNow,
    TakeBack,
}

impl Life {
    /// Decides what a new user will buy. Most buy nothing.
    pub(super) fn begin(
        number: u64,
        user: NewUser,
        customer: Uuid,
        referrer: Option<u64>,
        at: Timestamp,
        history: &mut History,
    ) {
        if history.dice.chance(80) {
            let bought = at.plus(DAY * 2).minus(Duration::from_secs(history.dice.below(170_000)));
            sell_tripwire(referrer, bought, history);
        }
        let tier = match history.dice.weighted(&[68, 20, 12]) {
            0 => Tier::Membership,
            1 => Tier::Reseller,
            _ => Tier::ProReseller,
        };
        let subscription = history.dice.id(at);
        let life = Box::new(Life {
            number,
            user,
            customer,
            referrer,
            subscription,
            tier,
            started: at,
            months: 0,
            is_trial: false,
        });
        // The administrator runs the place; who comes on somebody's word buys more often.
        let share = if referrer.is_some() { 320 } else { 190 };
        if number > 0 && history.dice.chance(share) {
            let wait = Duration::from_secs(history.dice.between(300, 10 * 86_400));
            history.resume(at.plus(wait), Step::Subscribe, life);
        } else {
            history.settle(*life);
        }
    }

    /// Takes the next step.
    pub(super) fn go_on(self: Box<Self>, step: Step, at: Timestamp, history: &mut History) {
        match step {
            Step::Subscribe => self.subscribe(at, history),
            Step::Renew => self.renew(at, history),
            Step::Retry => self.retry(at, history),
            Step::Change(change) => self.change(change, at, history),
            Step::End => self.end(at, history),
            Step::Unpause => {
                self.set_status(SubscriptionStatus::Active, at, history);
                self.live_on(at, history);
            }
        }
    }

    fn subscribe(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        self.started = at;
        self.subscription = history.dice.id(at);
        // Pro resellers are sometimes given their first three months.
        self.is_trial = self.tier == Tier::ProReseller && history.dice.chance(250);
        let status =
            if self.is_trial { SubscriptionStatus::Trialing } else { SubscriptionStatus::Active };
        history.record(
            at,
            FactKind::SubscriptionStarted {
                subscription: self.subscription,
                customer: self.customer,
                tier: history.labels.tier(self.tier),
                status,
                price: self.tier.price(),
                quantity: 1,
                interval: Interval::MONTHLY,
            },
        );
        self.take_tier(self.tier, at, history);
        if self.is_trial {
            self.months = 3;
            let ends = months_after(at, 3);
            history.resume(ends, Step::Renew, self);
        } else {
            self.months = 1;
            self.pay(at, history);
            self.live_on(at, history);
        }
    }

    /// Another period begins: it is paid, or the payment fails.
    fn renew(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        let was_trial = std::mem::take(&mut self.is_trial);
        self.months += 1;
        if history.dice.chance(45) {
            self.set_status(SubscriptionStatus::PastDue, at, history);
            let wait = Duration::from_secs(history.dice.between(86_400, 9 * 86_400));
            history.resume(at.plus(wait), Step::Retry, self);
            return;
        }
        if was_trial {
            self.set_status(SubscriptionStatus::Active, at, history);
        }
        self.pay(at, history);
        self.live_on(at, history);
    }

    fn retry(self: Box<Self>, at: Timestamp, history: &mut History) {
        if history.dice.chance(680) {
            self.set_status(SubscriptionStatus::Active, at, history);
            self.pay(at, history);
            self.live_on(at, history);
        } else {
            self.end(at, history);
        }
    }

    /// Decides what happens in the rest of this period.
    fn live_on(self: Box<Self>, at: Timestamp, history: &mut History) {
        let ends = self.period_end();
        let rest = ends.since(at).as_secs();
        let change = match history.dice.weighted(&[30, 7, 5, 34, 9, 915]) {
            0 if self.tier != Tier::ProReseller => Change::Upgrade,
            1 if self.tier == Tier::ProReseller => Change::Downgrade,
            2 => Change::Pause,
            3 => Change::SetToCancel,
            4 => Change::CancelNow,
            _ => return history.resume(ends, Step::Renew, self),
        };
        let wait = Duration::from_secs(history.dice.between(rest / 10, rest * 8 / 10));
        history.resume(at.plus(wait), Step::Change(change), self);
    }

    fn change(mut self: Box<Self>, change: Change, at: Timestamp, history: &mut History) {
        let ends = self.period_end();
        match change {
            Change::Upgrade | Change::Downgrade => {
                let tier = match change {
                    Change::Upgrade => Tier::ProReseller,
                    _ => Tier::Reseller,
                };
                self.tier = tier;
                history.record(
                    at,
                    FactKind::SubscriptionChanged {
                        subscription: self.subscription,
                        tier: Some(history.labels.tier(tier)),
                        price: Some(tier.price()),
                        quantity: None,
                        interval: None,
                        status: None,
                    },
                );
                self.take_tier(tier, at, history);
                history.resume(ends, Step::Renew, self);
            }
            Change::Pause => {
                self.set_status(SubscriptionStatus::Paused, at, history);
                // The time of the pause is not paid for: the next period starts a month later.
                self.months += 1;
                let wait = DAY * u32::try_from(history.dice.between(20, 30)).unwrap_or(20);
                history.resume(at.plus(wait), Step::Unpause, self);
            }
            Change::SetToCancel => {
                self.set_to_cancel(Some(ends), at, history);
                let changes_mind = history.dice.chance(120);
                let back = at.plus(Duration::from_secs(ends.since(at).as_secs() / 2));
                if changes_mind {
                    history.resume(back, Step::Change(Change::TakeBack), self);
                } else {
                    history.resume(ends, Step::End, self);
                }
            }
            Change::TakeBack => {
                self.set_to_cancel(None, at, history);
                history.resume(ends, Step::Renew, self);
            }
            Change::CancelNow => self.end(at, history),
        }
    }

    /// The subscription ends; half of those who leave are marked as gone.
    fn end(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        history.record(at, FactKind::SubscriptionEnded { subscription: self.subscription });
        self.user.plan = None;
        self.user.updated_at = at;
        if history.dice.chance(500) {
            let status = history.labels.inactive.clone();
            self.user.status = status.clone();
            let kind =
                FactKind::UserChanged { user: self.user.id, role: None, status: Some(status) };
            history.record(at, kind);
        } else if history.dice.chance(150) {
            // Some come back after a while.
            self.months = 0;
            let wait = DAY * u32::try_from(history.dice.between(20, 120)).unwrap_or(20);
            return history.resume(at.plus(wait), Step::Subscribe, self);
        }
        history.settle(*self);
    }

    fn pay(&self, at: Timestamp, history: &mut History) {
        super::sale::sell_month(self, at, history);
    }

    /// The role and plan of the tier are the user's from now on; a reseller refers others.
    fn take_tier(&mut self, tier: Tier, at: Timestamp, history: &mut History) {
        self.user.plan = Some(history.labels.tier(tier));
        self.user.updated_at = at;
        let role = history.labels.role(tier);
        let is_new = self.user.role != role;
        // Who refers others stays an affiliate while the subscription is a plain membership.
        if is_new && (role != Label::MEMBER || self.user.role != history.labels.affiliate) {
            if role != Label::MEMBER && self.user.role == Label::MEMBER {
                history.begin_referring(self.number);
            }
            self.user.role = role.clone();
            let kind = FactKind::UserChanged { user: self.user.id, role: Some(role), status: None };
            history.record(at, kind);
        }
    }

    fn set_status(&self, status: SubscriptionStatus, at: Timestamp, history: &mut History) {
        history.record(
            at,
            FactKind::SubscriptionChanged {
                subscription: self.subscription,
                tier: None,
                price: None,
                quantity: None,
                interval: None,
                status: Some(status),
            },
        );
    }

    fn set_to_cancel(&self, ends_at: Option<Timestamp>, at: Timestamp, history: &mut History) {
        let subscription = self.subscription;
        history.record(at, FactKind::SubscriptionSetToCancel { subscription, ends_at });
    }

    fn period_end(&self) -> Timestamp {
        months_after(self.started, self.months)
    }
}
