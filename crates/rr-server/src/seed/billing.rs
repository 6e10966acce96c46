//! Periods and their payments, also those that fail.

use rr_domain::{SubscriptionStatus, Timestamp};

use super::calendar::{days_after, months_after};
use super::history::History;
use super::life::{Life, Step};
use super::sale::sell_period;

impl Life {
    pub(super) fn end_trial(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        match history.dice.weighted(&[620, 310, 70]) {
            0 => self.recover(at, history),
            1 => self.end(at, history),
            _ => {
                (self.since, self.periods) = (at, 1);
                self.fail(at, history);
            }
        }
    }

    /// Another period begins: it is paid, or the payment fails.
    pub(super) fn renew(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        self.periods += 1;
        if history.dice.chance(45) {
            return self.fail(at, history);
        }
        self.pay(at, history);
        self.live_on(at, history);
    }

    fn fail(self: Box<Self>, at: Timestamp, history: &mut History) {
        self.set_status(SubscriptionStatus::PastDue, at, history);
        let again = days_after(at, 1, 9, &mut history.dice);
        history.resume(again, Step::Retry, self);
    }

    pub(super) fn retry(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        match history.dice.weighted(&[680, 200, 120]) {
            0 => {
                self.set_status(SubscriptionStatus::Active, at, history);
                self.pay(at, history);
                self.live_on(at, history);
            }
            1 => self.end(at, history),
            _ => {
                self.set_status(SubscriptionStatus::Unpaid, at, history);
                self.tell_user(history.labels.suspended.clone(), at, history);
                let last = days_after(at, 5, 20, &mut history.dice);
                history.resume(last, Step::Reminder, self);
            }
        }
    }

    /// From now on it is paid for, by periods that begin now.
    pub(super) fn recover(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        self.set_status(SubscriptionStatus::Active, at, history);
        self.pay_anew(at, history);
        self.live_on(at, history);
    }

    /// A period is paid, the first of those that begin now.
    pub(super) fn pay_anew(&mut self, at: Timestamp, history: &mut History) {
        (self.since, self.periods) = (at, 1);
        self.pay(at, history);
    }

    fn pay(&self, at: Timestamp, history: &mut History) {
        if self.deal.discount < 100 {
            sell_period(self.deal, self.referrer, at, history);
        }
    }

    /// The time of a pause is not paid for: the next period starts a month later.
    pub(super) fn put_off(&mut self) {
        (self.since, self.periods) = (months_after(self.period_end(), 1), 0);
    }

    pub(super) fn period_end(&self) -> Timestamp {
        self.deal.term.over(self.since, self.periods)
    }
}
