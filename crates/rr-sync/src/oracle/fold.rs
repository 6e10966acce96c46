//! Facts in, figures out: the slow and obvious computation.

use std::collections::{BTreeMap, HashSet};

use rr_domain::{Fact, Label, Timestamp, Total};

use super::commissions::Commissions;
use super::growth::headline;
use super::labels::Labels;
use super::payments::Payments;
use super::subscriptions::Subscriptions;
use super::users::Users;
use super::windows::NextChange;
use crate::figures::{CURRENCY, Dashboard, Figures, RevenueFigures, TierFigures};

/// The figures of these facts at `as_of`.
///
/// The facts may come in any order and more than once. Only facts of the very same instant are
/// taken in the order given, which should be the order in which they were recorded.
pub fn compute<'a>(facts: impl IntoIterator<Item = &'a Fact>, as_of: Timestamp) -> Figures {
    let mut seen = HashSet::new();
    let mut facts: Vec<&Fact> = facts.into_iter().filter(|fact| seen.insert(fact.id)).collect();
    facts.sort_by_key(|fact| fact.occurred_at);
    let mut fold = Fold::new(as_of);
    for fact in facts {
        fold.add(fact);
    }
    fold.finish()
}

/// Takes facts one by one, so that a store can stream them.
///
/// What it keeps grows with the subjects (users, subscriptions, payments, commissions), not with
/// the number of facts about them. The feeder guarantees two things: facts come in order of
/// `occurred_at`, those of the same instant in the order they were recorded; and no id comes twice
/// (in a database the id is unique). [`compute`] sees to both by itself.
///
/// A subject begins once: a second creation, start, capture or accrual of one that is there
/// changes nothing, and neither does a change of one that is not there. Money given back before
/// its payment or commission is known is kept until it is, and counts from then on.
#[derive(Debug)]
pub struct Fold {
    as_of: Timestamp,
    next: NextChange,
    last: Option<Timestamp>,
    users: Users,
    tiers: Labels,
    subscriptions: Subscriptions,
    payments: Payments,
    commissions: Commissions,
}

impl Fold {
    /// A fold that will give the figures at `as_of`.
    pub fn new(as_of: Timestamp) -> Fold {
        Fold {
            as_of,
            next: NextChange::after(as_of),
            last: None,
            users: Users::new(as_of),
            tiers: Labels::default(),
            subscriptions: Subscriptions::default(),
            payments: Payments::new(as_of),
            commissions: Commissions::new(),
        }
    }

    /// Takes the next fact. A fact later than `as_of` only tells when the figures change next; as
    /// facts come in order, the feeder may stop after the first such one.
    pub fn add(&mut self, fact: &Fact) {
        let at = fact.occurred_at;
        debug_assert!(self.last.is_none_or(|last| last <= at), "facts come in order of time");
        self.last = Some(at);
        if at > self.as_of {
            self.next.consider(at);
            return;
        }
        self.users.add(at, &fact.kind, &mut self.next);
        self.subscriptions.add(at, &fact.kind, &mut self.tiers);
        self.payments.add(fact, &mut self.tiers, &mut self.next);
        self.commissions.add(fact);
    }

    /// The figures of the facts taken.
    pub fn finish(mut self) -> Figures {
        let as_of = self.as_of;
        let (users, users_headline) = self.users.finish(as_of);
        let active = self.subscriptions.finish(as_of, &mut self.next);
        let (sums, recent_transactions) = self.payments.finish(&self.tiers);
        let subscription_revenue: i128 = sums.by_tier.values().sum();
        let total_revenue = subscription_revenue + sums.tripwire;

        let mut breakdown: BTreeMap<Label, TierFigures> = BTreeMap::new();
        for (tier, revenue) in sums.by_tier.into_iter().filter(|(_, revenue)| *revenue != 0) {
            let figures = breakdown.entry(self.tiers.name(tier).clone()).or_default();
            figures.revenue = Total::from_minor(revenue);
        }
        for (tier, active) in active.by_tier {
            let figures = breakdown.entry(self.tiers.name(tier).clone()).or_default();
            (figures.count, figures.mrr) = (active.count, active.monthly());
        }

        let total_revenue_shown = Total::from_minor(total_revenue);
        Figures {
            as_of,
            users,
            revenue: RevenueFigures {
                timestamp: as_of,
                currency: CURRENCY,
                total_revenue: total_revenue_shown,
                subscription_revenue: Total::from_minor(subscription_revenue),
                tripwire_revenue: Total::from_minor(sums.tripwire),
                monthly_recurring_revenue: active.all.monthly(),
                active_subscriptions: active.all.count,
                subscription_breakdown: breakdown,
                recent_transactions,
            },
            commissions: self.commissions.finish(as_of, &mut self.next),
            dashboard: Dashboard {
                users: users_headline,
                revenue: headline(total_revenue_shown, sums.window, sums.window_before),
            },
            next_change: self.next.earliest(),
        }
    }
}
