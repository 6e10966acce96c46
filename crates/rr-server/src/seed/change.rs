//! What a subscriber changes in the middle of a period.

use std::time::Duration;

use rr_domain::{FactKind, SubscriptionStatus, Timestamp};

use super::calendar::days_after;
use super::deal::{Deal, Term, quantity};
use super::dice::Dice;
use super::history::History;
use super::life::{Life, Step};
use super::price::Tier;
use super::signups::DAY;

/// What is changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Upgrade,
    Downgrade,
    Pause,
    SetToCancel,
    TakeBack,
    CancelNow,
    /// More or fewer places.
    Quantity,
    /// By the year instead of the month, or the other way round.
    Term,
    /// Another price for ever: a discount that is granted, or a gift that is over.
    Reprice,
    /// The subscription ends, and at the same moment another one starts.
    Swap,
}

impl Change {
    /// What this period brings, mostly nothing; a longer period brings more.
    pub(super) fn draw(deal: &Deal, dice: &mut Dice) -> Option<Change> {
        let nothing = 880 / u64::from(deal.term.months().min(6));
        Some(match dice.weighted(&[30, 7, 7, 34, 9, 12, 8, 5, 3, nothing]) {
            0 if deal.tier != Tier::ProReseller => Change::Upgrade,
            1 if deal.tier == Tier::ProReseller => Change::Downgrade,
            2 => Change::Pause,
            3 => Change::SetToCancel,
            4 => Change::CancelNow,
            5 => Change::Quantity,
            6 => Change::Term,
            7 => Change::Reprice,
            8 => Change::Swap,
            _ => return None,
        })
    }
}

impl Life {
    pub(super) fn change(
        mut self: Box<Self>,
        change: Change,
        at: Timestamp,
        history: &mut History,
    ) {
        match change {
            Change::Upgrade => self.change_tier(Tier::ProReseller, at, history),
            Change::Downgrade => self.change_tier(Tier::Reseller, at, history),
            Change::Pause => self.pause(at, history),
            Change::SetToCancel => self.announce_end(at, history),
            Change::TakeBack => {
                self.set_to_cancel(None, at, history);
                self.renew_later(history);
            }
            Change::CancelNow if history.dice.chance(150) => {
                // Entered a day late, with the date on which it was agreed.
                self.set_to_cancel(Some(at.minus(DAY)), at, history);
                self.leave(at, history);
            }
            Change::CancelNow => self.end(at, history),
            Change::Quantity => {
                let other = quantity(&mut history.dice);
                self.deal.quantity = if other == self.deal.quantity { other + 1 } else { other };
                self.tell(Told { quantity: true, ..Told::default() }, at, history);
                self.renew_later(history);
            }
            Change::Term => {
                let is_monthly = self.deal.term == Term::MONTHLY;
                self.deal.term = if is_monthly { Term::YEARLY } else { Term::MONTHLY };
                self.tell(Told { term: true, price: true, ..Told::default() }, at, history);
                self.pay_anew(at, history);
                self.live_on(at, history);
            }
            Change::Reprice => {
                let was_free = self.deal.discount == 100;
                let percent = i64::try_from(history.dice.between(1, 3)).unwrap_or(1) * 10;
                self.deal.discount = if was_free { 0 } else { percent };
                self.tell(Told { price: true, ..Told::default() }, at, history);
                if was_free {
                    self.pay_anew(at, history);
                }
                self.renew_later(history);
            }
            Change::Swap => {
                let subscription = self.subscription;
                history.record(at, FactKind::SubscriptionEnded { subscription });
                self.subscription = history.dice.id(at);
                self.deal = Deal::draw(&mut history.dice);
                self.start(SubscriptionStatus::Active, at, history);
                self.pay_anew(at, history);
                self.live_on(at, history);
            }
        }
    }

    fn change_tier(mut self: Box<Self>, tier: Tier, at: Timestamp, history: &mut History) {
        self.deal.tier = tier;
        self.tell(Told { tier: true, price: true, ..Told::default() }, at, history);
        self.take_tier(at, history);
        self.renew_later(history);
    }

    /// Most come back from a pause, some leave in it.
    fn pause(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        self.set_status(SubscriptionStatus::Paused, at, history);
        self.put_off();
        let over = days_after(at, 20, 27, &mut history.dice);
        let comes_back = history.dice.chance(850);
        let next = if comes_back { Step::Unpause } else { Step::Change(Change::CancelNow) };
        history.resume(over, next, self);
    }

    /// The subscription will end with its period, unless the user thinks better of it.
    fn announce_end(self: Box<Self>, at: Timestamp, history: &mut History) {
        let ends = self.period_end();
        self.set_to_cancel(Some(ends), at, history);
        if history.dice.chance(120) {
            let back = at.plus(Duration::from_secs(ends.since(at).as_secs() / 2));
            history.resume(back, Step::Change(Change::TakeBack), self);
        } else {
            history.resume(ends, Step::End, self);
        }
    }

    fn renew_later(self: Box<Self>, history: &mut History) {
        history.resume(self.period_end(), Step::Renew, self);
    }

    /// Tells what has changed in the deal.
    fn tell(&self, told: Told, at: Timestamp, history: &mut History) {
        let deal = self.deal;
        let changed = FactKind::SubscriptionChanged {
            subscription: self.subscription,
            tier: told.tier.then(|| history.labels.tier(deal.tier)),
            price: told.price.then(|| deal.price()),
            quantity: told.quantity.then_some(deal.quantity),
            interval: told.term.then(|| deal.term.interval()),
            status: None,
        };
        history.record(at, changed);
    }
}

/// What of a deal is told; the rest is as it was.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    tier: bool,
    price: bool,
    quantity: bool,
    term: bool,
}
