//! The course of all sums: what every instant changes.
//!
//! The fold tells the figures that are shown at one instant. All others, and those of every other instant, are
//! made of what had happened until then. This tells it, one instant after the other, by the groups that
//! [`Account`](crate::ledger::Account) describes, so that the ledger's entries can be held against it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use rr_domain::{Fact, FactKind, Product, Timestamp};
use uuid::Uuid;

use super::commissions::Affiliates;
use super::labels::{LabelId, Labels};
use super::subscriptions::{Subscription, Subscriptions};

const TICK: Duration = Duration::from_micros(1);

/// What changes: at an instant, a group of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The instant.
    pub at: Timestamp,
    /// The name of the account.
    pub account: &'static str,
    /// The group, its parts joined by tabs.
    pub group: String,
    /// Of churn: since when the customer had been above zero.
    pub since: Option<Timestamp>,
}

/// By how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// What comes to its count.
    pub count: i64,
    /// What comes to its amount.
    pub amount: i128,
}

/// Takes facts one by one, in the order that [`Fold`](super::Fold) asks for, and tells what each instant
/// changes. It keeps what it has to know of every subject, and what was not told yet.
#[derive(Debug)]
pub struct Course {
    now: Timestamp,
    labels: Labels,
    users: HashMap<Uuid, [LabelId; 2]>,
    subscriptions: Subscriptions,
    customers: HashMap<Uuid, Customer>,
    /// The customers whose annual basis changes at this instant, and what it was before.
    moving: BTreeMap<Uuid, i128>,
    payments: HashMap<Uuid, Payment>,
    affiliates: Affiliates,
    commissions: HashMap<Uuid, Commission>,
    /// What time alone will bring.
    due: BTreeMap<Timestamp, BTreeSet<Due>>,
    changes: BTreeMap<Place, Change>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The announced end of a subscription.
    End(Uuid),
    /// The end of a commission's hold.
    Release(Uuid),
}

#[derive(Debug, Default)]
struct Customer {
    /// The annual basis of all their subscriptions that recur.
    yearly: i128,
    /// When it last rose from nothing.
    since: Option<Timestamp>,
}

/// What a payment was for once that is known; until then, what moved.
#[derive(Debug)]
enum Payment {
    Captured(Option<LabelId>),
    Waiting(Vec<(&'static str, i128)>),
}

#[derive(Debug, Clone, Copy, Default)]
struct Commission {
    earned: Option<Earned>,
    reversed: i128,
    adjusted: i128,
    paid: i128,
}

#[derive(Debug, Clone, Copy)]
struct Earned {
    affiliate: usize,
    tier: LabelId,
    amount: i128,
    on_hold: bool,
}

impl Course {
    /// Before all facts.
    #[expect(clippy::new_without_default, reason = "an instant has no default")]
    pub fn new() -> Course {
        Course {
            now: Timestamp::EPOCH.minus(Duration::MAX),
            labels: Labels::default(),
            users: HashMap::new(),
            subscriptions: Subscriptions::default(),
            customers: HashMap::new(),
            moving: BTreeMap::new(),
            payments: HashMap::new(),
            affiliates: Affiliates::default(),
            commissions: HashMap::new(),
            due: BTreeMap::new(),
            changes: BTreeMap::new(),
        }
    }

    /// Takes the next fact.
    pub fn add(&mut self, fact: &Fact) {
        self.come_to(fact.occurred_at);
        match &fact.kind {
            FactKind::UserCreated { user, .. }
            | FactKind::UserChanged { user, .. }
            | FactKind::UserDeleted { user } => self.user(*user, &fact.kind),
            FactKind::SubscriptionStarted { subscription, .. }
            | FactKind::SubscriptionChanged { subscription, .. }
            | FactKind::SubscriptionSetToCancel { subscription, .. }
            | FactKind::SubscriptionEnded { subscription } => {
                let before = self.subscriptions.standing(*subscription, self.now);
                self.subscriptions.add(self.now, &fact.kind, &mut self.labels);
                let after = self.subscriptions.standing(*subscription, self.now);
                if let Some(end) = after.and_then(|after| after.ends_at()) {
                    self.due.entry(end).or_default().insert(Due::End(*subscription));
                }
                self.turn(before, after);
            }
            FactKind::PaymentCaptured { payment, product, amount } => {
                self.captured(*payment, product, (*amount).into());
            }
            FactKind::PaymentRefunded { payment, amount } => {
                self.moved(*payment, "refunded", -i128::from(*amount));
            }
            FactKind::PaymentDisputed { payment, amount } => {
                self.moved(*payment, "disputed", -i128::from(*amount));
            }
            FactKind::DisputeWon { payment, amount } => {
                self.moved(*payment, "won", (*amount).into());
            }
            FactKind::CommissionAccrued { commission, .. }
            | FactKind::CommissionReversed { commission, .. }
            | FactKind::CommissionPaid { commission, .. }
            | FactKind::CommissionAdjusted { commission, .. } => {
                let before = self.commissions.get(commission).copied().unwrap_or_default();
                let after = self.said(before, &fact.kind);
                self.replace(*commission, after);
            }
        }
    }

    /// What all instants before this one change, as far as it was not told yet. No fact that is still to come
    /// is dated earlier.
    pub fn until(&mut self, before: Timestamp) -> BTreeMap<Place, Change> {
        self.come_to(before.minus(TICK));
        if self.now < before {
            self.close_instant();
        }
        let first = Place { at: before, account: "", group: String::new(), since: None };
        let later = self.changes.split_off(&first);
        let mut changes = std::mem::replace(&mut self.changes, later);
        changes.retain(|_, change| *change != Change::default());
        changes
    }

    /// When time alone will next change something that was not told yet.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.keys().next().copied()
    }

    /// Goes on to an instant, and lets happen what falls due until then.
    fn come_to(&mut self, at: Timestamp) {
        while let Some(first) = self.due.first_entry()
            && *first.key() <= at
        {
            let (instant, all) = first.remove_entry();
            self.turn_to(instant);
            for due in all {
                self.fall_due(due);
            }
        }
        self.turn_to(at);
    }

    fn turn_to(&mut self, at: Timestamp) {
        if at > self.now {
            self.close_instant();
            self.now = at;
        }
    }

    fn fall_due(&mut self, due: Due) {
        match due {
            Due::End(subscription) => {
                // It may have been taken back.
                if let Some(ended) = self.subscriptions.end_at(subscription, self.now) {
                    self.turn(Some(ended), None);
                }
            }
            Due::Release(commission) => {
                let mut after = self.commissions.get(&commission).copied().unwrap_or_default();
                if let Some(earned) = &mut after.earned {
                    earned.on_hold = false;
                }
                self.replace(commission, after);
            }
        }
    }

    fn book(&mut self, account: &'static str, group: String, count: i64, amount: i128) {
        let place = Place { at: self.now, account, group, since: None };
        let change = self.changes.entry(place).or_default();
        change.count += count;
        change.amount += amount;
    }

    fn name(&self, label: LabelId) -> &str {
        self.labels.name(label).as_str()
    }

    fn user(&mut self, user: Uuid, kind: &FactKind) {
        let before = self.users.get(&user).copied();
        let after = match (kind, before) {
            (FactKind::UserCreated { role, status, .. }, None) => {
                self.book("signups", String::new(), 1, 0);
                Some([self.labels.id(role), self.labels.id(status)])
            }
            (FactKind::UserChanged { role, status, .. }, Some([old_role, old_status])) => {
                let role = role.as_ref().map_or(old_role, |role| self.labels.id(role));
                let status = status.as_ref().map_or(old_status, |status| self.labels.id(status));
                Some([role, status])
            }
            (FactKind::UserDeleted { .. }, _) => None,
            (_, unchanged) => unchanged,
        };
        for (labels, count) in [(before, -1), (after, 1)] {
            if let Some([role, status]) = labels {
                let group = format!("{}\t{}", self.name(role), self.name(status));
                self.book("users", group, count, 0);
            }
        }
        match after {
            Some(labels) => self.users.insert(user, labels),
            None => self.users.remove(&user),
        };
    }

    /// A subscription was one thing and is another.
    fn turn(&mut self, before: Option<Subscription>, after: Option<Subscription>) {
        for (subscription, sign) in [(before, -1), (after, 1)] {
            let Some(one) = subscription.filter(|one| one.costs()) else { continue };
            let yearly = i128::from(sign) * one.yearly();
            let group = format!("{}\t{}", self.name(one.tier()), one.state());
            self.book("subscriptions", group, sign, yearly);
            if one.is_active() {
                let customer = self.customers.entry(one.customer()).or_default();
                self.moving.entry(one.customer()).or_insert(customer.yearly);
                customer.yearly += yearly;
            }
        }
    }

    /// Everything that happened to a customer at one instant is one movement.
    fn close_instant(&mut self) {
        for (who, before) in std::mem::take(&mut self.moving) {
            let customer = self.customers.entry(who).or_default();
            let (mut since, after) = (None, customer.yearly);
            let kind = if before == after {
                continue;
            } else if before == 0 {
                let is_first = customer.since.replace(self.now).is_none();
                if is_first { "new" } else { "reactivation" }
            } else if after == 0 {
                since = customer.since;
                "churn"
            } else if after > before {
                "expansion"
            } else {
                "contraction"
            };
            let place = Place { at: self.now, account: "movements", group: kind.to_owned(), since };
            let change = self.changes.entry(place).or_default();
            change.count += 1;
            change.amount += after - before;
        }
    }

    fn captured(&mut self, payment: Uuid, product: &Product, amount: i128) {
        let tier = match product {
            Product::Subscription(tier) => Some(self.labels.id(tier)),
            Product::Tripwire => None,
        };
        if matches!(self.payments.get(&payment), Some(Payment::Captured(_))) {
            return;
        }
        let earlier = self.payments.insert(payment, Payment::Captured(tier));
        self.moved(payment, "captured", amount);
        if let Some(Payment::Waiting(moves)) = earlier {
            for (way, amount) in moves {
                self.moved(payment, way, amount);
            }
        }
    }

    /// Money moved one way or the other; it counts from the capture on, which tells what it was for.
    fn moved(&mut self, payment: Uuid, way: &'static str, amount: i128) {
        match self.payments.entry(payment).or_insert(Payment::Waiting(Vec::new())) {
            Payment::Waiting(moves) => moves.push((way, amount)),
            Payment::Captured(tier) => {
                let tier = *tier;
                let group = match tier {
                    Some(tier) => format!("subscription\t{}\t{way}", self.name(tier)),
                    None => format!("tripwire\ttripwire\t{way}"),
                };
                self.book("revenue", group, 1, amount);
            }
        }
    }

    /// A commission after a fact about it.
    fn said(&mut self, mut commission: Commission, kind: &FactKind) -> Commission {
        match kind {
            FactKind::CommissionAccrued {
                commission: which,
                affiliate,
                tier,
                amount,
                payable_at,
                ..
            } if commission.earned.is_none() => {
                let (affiliate, on_hold) =
                    (self.affiliates.index(affiliate), *payable_at > self.now);
                let (tier, amount) = (self.labels.id(tier), i128::from(*amount));
                commission.earned = Some(Earned { affiliate, tier, amount, on_hold });
                self.book("accruals", self.name(tier).to_owned(), 1, amount);
                if on_hold {
                    self.due.entry(*payable_at).or_default().insert(Due::Release(*which));
                }
            }
            FactKind::CommissionReversed { amount, .. } => {
                commission.reversed += i128::from(*amount);
            }
            FactKind::CommissionAdjusted { amount, .. } => {
                commission.adjusted += i128::from(*amount);
            }
            FactKind::CommissionPaid { amount, .. } => commission.paid += i128::from(*amount),
            _ => {}
        }
        commission
    }

    fn replace(&mut self, which: Uuid, after: Commission) {
        let before = self.commissions.insert(which, after).unwrap_or_default();
        for (commission, sign) in [(before, -1), (after, 1)] {
            let Some(earned) = commission.earned else { continue };
            let net = earned.amount - commission.reversed + commission.adjusted;
            let is_reversed = commission.reversed > 0 && commission.reversed >= earned.amount;
            let is_paid = commission.paid > 0 && commission.paid >= net;
            let open = if earned.on_hold { "on_hold" } else { "payable" };
            let state = if is_reversed {
                "reversed"
            } else if is_paid {
                "paid"
            } else {
                open
            };
            let (paid, wide) = (commission.paid, i128::from(sign));
            for (state, count, amount) in
                [(state, sign, 0), ("paid", 0, wide * paid), (open, 0, wide * (net - paid))]
            {
                let group = format!("{}\t{state}", self.name(earned.tier));
                self.book("commissions", group, count, amount);
            }
            let affiliate = self.affiliates.name(earned.affiliate).to_owned();
            let count = if is_reversed { 0 } else { sign };
            self.book("affiliates", affiliate, count, wide * net);
        }
    }
}
