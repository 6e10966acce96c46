//! One invented user, from signing up to leaving, a step at a time.

use std::time::Duration;

use rr_domain::{FactKind, Interval, Label, SubscriptionStatus, Timestamp};
use rr_store::NewUser;
use uuid::Uuid;

use super::account;
use super::calendar::{days_after, months_after};
use super::change::Change;
use super::deal::Deal;
use super::history::History;
use super::price::Tier;
use super::sale::{sell_period, sell_tripwire};
use super::signups::DAY;

/// A subscriber whose history is not over.
pub(super) struct Life {
    pub(super) number: u64,
    pub(super) user: NewUser,
    pub(super) customer: Uuid,
    /// Who brought the user: half of every sale is theirs.
    pub(super) referrer: Option<u64>,
    pub(super) subscription: Uuid,
    pub(super) deal: Deal,
    /// Since when periods are counted, and how many are paid or given away.
    pub(super) since: Timestamp,
    pub(super) periods: u32,
}

/// What comes next in a life.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The user subscribes, for the first time or anew.
    Subscribe,
    /// The user comes back, and the old subscription starts again.
    Resume,
    /// A trial is over.
    TrialOver,
    /// The first payment, which failed, was tried again.
    FirstRetry,
    /// A period is over and the next is due.
    Renew,
    /// The last payment failed and was tried again.
    Retry,
    /// All tries failed, and a last reminder was sent.
    Reminder,
    /// In the middle of a period something is changed.
    Change(Change),
    /// The subscription was set to cancel and its period is over.
    End,
    /// A pause is over.
    Unpause,
}

/// How a subscription begins.
enum Beginning {
    Paid,
    Trial(Timestamp),
    /// The first payment fails.
    Incomplete,
    /// Free for as long as the user likes.
    Gift,
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
        // The administrator runs the place; who comes on somebody's word buys more often.
        let share = if referrer.is_some() { 320 } else { 190 };
        if number == 0 || !history.dice.chance(share) {
            return account::look_around(user, at, history);
        }
        let life = Box::new(Life {
            number,
            user,
            customer,
            referrer,
            subscription: Uuid::nil(), // it has none before it subscribes
            deal: Deal::draw(&mut history.dice),
            since: at,
            periods: 0,
        });
        let wait = Duration::from_secs(history.dice.between(300, 10 * 86_400));
        history.resume(at.plus(wait), Step::Subscribe, life);
    }

    /// Takes the next step.
    pub(super) fn go_on(mut self: Box<Self>, step: Step, at: Timestamp, history: &mut History) {
        match step {
            Step::Subscribe => {
                self.subscription = history.dice.id(at);
                self.subscribe(at, history);
            }
            Step::Resume => self.subscribe(at, history),
            Step::TrialOver => self.end_trial(at, history),
            Step::FirstRetry if history.dice.chance(700) => self.recover(at, history),
            Step::Renew => self.renew(at, history),
            Step::Retry => self.retry(at, history),
            Step::Reminder if history.dice.chance(300) => {
                self.tell_user(Label::ACTIVE, at, history);
                self.recover(at, history);
            }
            Step::Change(change) => self.change(change, at, history),
            // What was announced happens, whether or not somebody tells of it.
            Step::End if history.dice.chance(400) => self.leave(at, history),
            Step::FirstRetry | Step::Reminder | Step::End => self.end(at, history),
            Step::Unpause => {
                self.set_status(SubscriptionStatus::Active, at, history);
                self.live_on(at, history);
            }
        }
    }

    fn subscribe(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        let beginning = self.beginning(at, history);
        self.deal.discount = if matches!(beginning, Beginning::Gift) { 100 } else { 0 };
        let status = match beginning {
            Beginning::Paid | Beginning::Gift => SubscriptionStatus::Active,
            Beginning::Trial(_) => SubscriptionStatus::Trialing,
            Beginning::Incomplete => SubscriptionStatus::Incomplete,
        };
        self.start(status, at, history);
        match beginning {
            Beginning::Paid => {
                self.pay_anew(at, history);
                if history.dice.chance(60) {
                    self.buy_pass(at, history);
                }
                self.live_on(at, history);
            }
            Beginning::Trial(ends) => {
                // Who hesitates cancels at once and uses what is free.
                if history.dice.chance(60) {
                    self.set_to_cancel(Some(ends), at, history);
                    history.resume(ends, Step::End, self);
                } else {
                    history.resume(ends, Step::TrialOver, self);
                }
            }
            Beginning::Incomplete => {
                let again = at.plus(Duration::from_secs(history.dice.between(600, 82_800)));
                history.resume(again, Step::FirstRetry, self);
            }
            Beginning::Gift => {
                let over = days_after(at, 60, 300, &mut history.dice);
                history.resume(over, Step::Change(Change::Reprice), self);
            }
        }
    }

    fn beginning(&self, at: Timestamp, history: &mut History) -> Beginning {
        // Pro resellers are sometimes given their first three months, others two weeks.
        let (trials, ends) = match self.deal.tier {
            Tier::ProReseller => (250, months_after(at, 3)),
            Tier::Membership | Tier::Reseller => (120, at.plus(DAY * 14)),
        };
        match history.dice.weighted(&[trials, 20, 8, 972 - trials]) {
            0 => Beginning::Trial(ends),
            1 => Beginning::Incomplete,
            2 => Beginning::Gift,
            _ => Beginning::Paid,
        }
    }

    /// The subscription starts as it was agreed.
    pub(super) fn start(
        &mut self,
        status: SubscriptionStatus,
        at: Timestamp,
        history: &mut History,
    ) {
        history.record(at, started(self.subscription, self.customer, self.deal, status, history));
        self.take_tier(at, history);
    }

    /// A pass for a colleague: a second subscription of the same customer, paid once, which ends by
    /// itself after its one period.
    fn buy_pass(&self, at: Timestamp, history: &mut History) {
        let deal = Deal { tier: Tier::Membership, discount: 0, ..Deal::draw(&mut history.dice) };
        let bought = days_after(at, 1, 40, &mut history.dice);
        let subscription = history.dice.id(bought);
        let status = SubscriptionStatus::Active;
        let start = started(subscription, self.customer, deal, status, history);
        history.expect(bought, start);
        sell_period(deal, self.referrer, bought, history);
        let ends_at = Some(deal.term.over(bought, 1));
        let announced = FactKind::SubscriptionSetToCancel { subscription, ends_at };
        history.expect(bought.plus(Duration::from_secs(1)), announced);
    }

    /// Decides what happens in the rest of this period.
    pub(super) fn live_on(self: Box<Self>, at: Timestamp, history: &mut History) {
        let ends = self.period_end();
        let Some(change) = Change::draw(&self.deal, &mut history.dice) else {
            return history.resume(ends, Step::Renew, self);
        };
        let rest = ends.since(at).as_secs();
        let wait = Duration::from_secs(history.dice.between(rest / 10, rest * 8 / 10));
        history.resume(at.plus(wait), Step::Change(change), self);
    }

    /// A fact ends the subscription.
    pub(super) fn end(self: Box<Self>, at: Timestamp, history: &mut History) {
        let subscription = self.subscription;
        history.record(at, FactKind::SubscriptionEnded { subscription });
        // A notice that was on its way says something about what is over.
        if history.dice.chance(60) {
            let told = at.plus(Duration::from_secs(history.dice.between(60, 7_200)));
            let ends_at = Some(at.plus(DAY * 30));
            let notice = if history.dice.chance(500) {
                status_of(subscription, SubscriptionStatus::PastDue)
            } else {
                FactKind::SubscriptionSetToCancel { subscription, ends_at }
            };
            history.expect(told, notice);
        }
        self.leave(at, history);
    }

    pub(super) fn set_status(
        &self,
        status: SubscriptionStatus,
        at: Timestamp,
        history: &mut History,
    ) {
        history.record(at, status_of(self.subscription, status));
    }

    pub(super) fn set_to_cancel(
        &self,
        ends_at: Option<Timestamp>,
        at: Timestamp,
        history: &mut History,
    ) {
        let subscription = self.subscription;
        history.record(at, FactKind::SubscriptionSetToCancel { subscription, ends_at });
    }
}

fn started(
    subscription: Uuid,
    customer: Uuid,
    deal: Deal,
    status: SubscriptionStatus,
    history: &History,
) -> FactKind {
    FactKind::SubscriptionStarted {
        subscription,
        customer,
        tier: history.labels.tier(deal.tier),
        status,
        price: deal.price(),
        quantity: deal.quantity,
        interval: deal.term.interval(),
    }
}

fn status_of(subscription: Uuid, status: SubscriptionStatus) -> FactKind {
    let (tier, price, quantity, interval): (_, _, _, Option<Interval>) = (None, None, None, None);
    let status = Some(status);
    FactKind::SubscriptionChanged { subscription, tier, price, quantity, interval, status }
}
