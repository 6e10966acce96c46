//! An invented history: users who sign up, buy, upgrade, fall behind, come back and leave.
//!
//! It is a simulation of events in the order of time. Two things wait in memory: subscribers whose
//! next step lies ahead, and facts that are decided and lie ahead (a refund next week, a payout
//! next month). So it needs memory for those who subscribe at one time and for nobody else, and
//! facts come out in the order in which a real server would have recorded them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rr_domain::{Fact, FactKind, Label, LabelError, Timestamp, imported_id};
use rr_store::NewUser;

use super::dice::Dice;
use super::life::{Life, Step};
use super::people;
use super::price::Labels;
use super::signups::{DAY, Signups};
use crate::bulk::Item;

/// Which history: the same four values give the same rows, to the byte.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How many users sign up, the administrator included.
    pub(crate) users: u64,
    /// What the dice are seeded with.
    pub(crate) seed: u64,
    /// How many days it spans.
    pub(crate) days: u32,
    /// The instant at which it ends.
    pub(crate) until: Timestamp,
}

impl Plan {
    fn tag(&self) -> String {
        let Plan { users, seed, days, until } = self;
        let id = imported_id("histories", &format!("{users}/{seed}/{days}/{until}"));
        id.simple().to_string().chars().take(8).collect()
    }
}

/// The rows of a history, one at a time. Facts come in the order of time, a user when its
/// standing at the end is settled.
pub(crate) struct History {
    pub(super) until: Timestamp,
    pub(super) dice: Dice,
    pub(super) labels: Labels,
    /// Numbers of the users who refer others, in the order in which they began.
    affiliates: Vec<u64>,
    /// Sets the addresses of this history apart from those of any other.
    tag: String,
    signups: Signups,
    upcoming: Option<Timestamp>,
    signed_up: u64,
    ahead: BinaryHeap<Ahead>,
    scheduled: u64,
    ready: Vec<Item>,
}

/// Something that lies ahead. The order in which it was decided breaks ties of time.
struct Ahead {
    at: Timestamp,
    order: u64,
    what: What,
}

enum What {
    Happens(FactKind),
    Continues(Step, Box<Life>),
}

impl History {
    pub(crate) fn new(plan: Plan) -> Result<History, LabelError> {
        let mut dice = Dice::new(plan.seed);
        let start = plan.until.minus(DAY * plan.days);
        let mut signups = Signups::new(plan.users, start, plan.days, &mut dice);
        let upcoming = signups.next(&mut dice);
        Ok(History {
            until: plan.until,
            dice,
            labels: Labels::new()?,
            affiliates: Vec::new(),
            tag: plan.tag(),
            signups,
            upcoming,
            signed_up: 0,
            ahead: BinaryHeap::new(),
            scheduled: 0,
            ready: Vec::new(),
        })
    }

    /// Records what happens at `at`, which is now.
    pub(super) fn record(&mut self, at: Timestamp, kind: FactKind) {
        let id = self.dice.id(at);
        self.ready.push(Item::Fact(Fact { id, occurred_at: at, kind }));
    }

    /// What will happen at `at`, unless the history ends before.
    pub(super) fn expect(&mut self, at: Timestamp, kind: FactKind) {
        if at < self.until {
            self.push(at, What::Happens(kind));
        }
    }

    /// The life goes on with `step` at `at`; if the history ends before, the user stands as it is.
    pub(super) fn resume(&mut self, at: Timestamp, step: Step, life: Box<Life>) {
        if at < self.until {
            self.push(at, What::Continues(step, life));
        } else {
            self.settle(*life);
        }
    }

    /// Nothing more will change about this user.
    pub(super) fn settle(&mut self, life: Life) {
        self.ready.push(Item::User(life.user));
    }

    /// From now on this user refers others.
    pub(super) fn begin_referring(&mut self, number: u64) {
        self.affiliates.push(number);
    }

    fn push(&mut self, at: Timestamp, what: What) {
        self.scheduled += 1;
        self.ahead.push(Ahead { at, order: self.scheduled, what });
    }

    fn sign_up(&mut self, at: Timestamp) {
        let number = self.signed_up;
        self.signed_up += 1;
        let role = match number {
            0 => Label::ADMIN,
            _ if self.dice.chance(15) => self.labels.affiliate.clone(),
            _ => Label::MEMBER,
        };
        let referrer = self.draw_referrer();
        let email = people::email(number, &self.tag);
        let customer = imported_id("customers", &email);
        let user = NewUser {
            id: self.dice.id(at),
            email,
            role,
            plan: None,
            status: Label::ACTIVE,
            password_hash: None,
            created_at: at,
            updated_at: at,
        };
        let (role, status) = (user.role.clone(), user.status.clone());
        self.record(at, FactKind::UserCreated { user: user.id, role, status });
        if user.role == self.labels.affiliate {
            self.begin_referring(number);
        }
        Life::begin(number, user, customer, referrer, at, self);
    }

    /// A third come on somebody's word, and some affiliates' words carry far more than others'.
    fn draw_referrer(&mut self) -> Option<u64> {
        if self.affiliates.is_empty() || !self.dice.chance(330) {
            return None;
        }
        let count = u64::try_from(self.affiliates.len()).unwrap_or(0);
        let rank = usize::try_from(self.dice.rank(count)).unwrap_or(0);
        self.affiliates.get(rank).copied()
    }

    /// Lets the next thing happen; false when the history is over.
    fn advance(&mut self) -> bool {
        let next_signup = self.upcoming.unwrap_or(self.until);
        let is_due = self.ahead.peek().is_some_and(|ahead| ahead.at <= next_signup);
        if is_due && let Some(Ahead { at, what, .. }) = self.ahead.pop() {
            match what {
                What::Happens(kind) => self.record(at, kind),
                What::Continues(step, life) => life.go_on(step, at, self),
            }
            return true;
        }
        let Some(at) = self.upcoming.take() else { return false };
        self.upcoming = self.signups.next(&mut self.dice);
        self.sign_up(at);
        true
    }
}

impl Iterator for History {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        while self.ready.is_empty() {
            if !self.advance() {
                return None;
            }
            self.ready.reverse(); // taken from the end, so the first made comes first
        }
        self.ready.pop()
    }
}

impl Ord for Ahead {
    /// The earliest is the greatest, because the heap gives the greatest first.
    fn cmp(&self, other: &Ahead) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Ahead {
    fn partial_cmp(&self, other: &Ahead) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ahead {
    fn eq(&self, other: &Ahead) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ahead {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn plan(users: u64, seed: u64) -> Plan {
        let until = Timestamp::parse("2025-07-01T00:00:00Z").unwrap();
        Plan { users, seed, days: 365, until }
    }

    fn rows(plan: Plan) -> Vec<Item> {
        History::new(plan).unwrap().collect()
    }

    fn facts(rows: &[Item]) -> impl Iterator<Item = &Fact> {
        rows.iter().filter_map(|row| match row {
            Item::Fact(fact) => Some(fact),
            _ => None,
        })
    }

    /// How often each kind of fact occurs, by its stored name.
    fn kinds(rows: &[Item]) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for fact in facts(rows) {
            let json = serde_json::to_value(&fact.kind).unwrap();
            *kinds.entry(json["kind"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        kinds
    }

    #[test]
    fn the_same_plan_gives_the_same_rows_and_another_seed_gives_others() {
        let show = |plan| format!("{:?}", rows(plan));
        assert_eq!(show(plan(500, 1)), show(plan(500, 1)));
        assert_ne!(show(plan(500, 1)), show(plan(500, 2)));
    }

    #[test]
    fn every_user_is_there_once_and_facts_come_in_order_within_the_history() {
        let plan = plan(3_000, 5);
        let rows = rows(plan);
        let users: Vec<&NewUser> = rows
            .iter()
            .filter_map(|row| match row {
                Item::User(user) => Some(user),
                _ => None,
            })
            .collect();
        let distinct = |key: fn(&NewUser) -> String| {
            users.iter().map(|user| key(user)).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!(users.len(), 3_000);
        assert_eq!(distinct(|user| user.email.clone()), 3_000);
        assert_eq!(distinct(|user| user.id.to_string()), 3_000);
        assert_eq!(users.iter().filter(|user| user.role == Label::ADMIN).count(), 1);
        let times: Vec<_> = facts(&rows).map(|fact| fact.occurred_at).collect();
        assert!(times.is_sorted());
        let start = plan.until.minus(DAY * plan.days);
        assert!(times.iter().all(|at| *at >= start && *at < plan.until));
    }

    #[test]
    fn everything_a_business_sees_happens_in_plausible_numbers() {
        let kinds = kinds(&rows(plan(20_000, 9)));
        let count = |kind: &str| kinds.get(kind).copied().unwrap_or(0);
        assert_eq!(count("user_created"), 20_000);
        for (kind, least, most) in [
            ("user_changed", 500, 10_000),
            ("subscription_started", 3_000, 6_000),
            ("payment_captured", 8_000, 40_000),
            ("subscription_changed", 400, 8_000),
            ("subscription_set_to_cancel", 100, 3_000),
            ("subscription_ended", 200, 3_000),
            ("payment_refunded", 100, 2_000),
            ("payment_disputed", 10, 300),
            ("dispute_won", 2, 150),
            ("commission_accrued", 2_000, 20_000),
            ("commission_reversed", 20, 2_000),
            ("commission_paid", 1_000, 20_000),
        ] {
            assert!((least..=most).contains(&count(kind)), "{kind}: {}", count(kind));
        }
    }

    /// Nothing is refunded, reversed or paid out beyond what there was.
    #[test]
    fn money_adds_up() {
        let rows = rows(plan(20_000, 11));
        let mut payments = BTreeMap::new();
        let mut commissions = BTreeMap::new();
        for fact in facts(&rows) {
            match &fact.kind {
                FactKind::PaymentCaptured { payment, amount, .. } => {
                    assert!(payments.insert(*payment, *amount).is_none());
                }
                FactKind::PaymentRefunded { payment, amount }
                | FactKind::PaymentDisputed { payment, amount } => {
                    *payments.get_mut(payment).unwrap() -= amount;
                }
                FactKind::DisputeWon { payment, amount } => {
                    *payments.get_mut(payment).unwrap() += amount;
                }
                FactKind::CommissionAccrued { commission, amount, sale, .. } => {
                    assert_eq!(*amount, (sale + 1) / 2);
                    assert!(commissions.insert(*commission, *amount).is_none());
                }
                FactKind::CommissionReversed { commission, amount }
                | FactKind::CommissionPaid { commission, amount } => {
                    *commissions.get_mut(commission).unwrap() -= amount;
                }
                _ => {}
            }
        }
        assert!(payments.values().all(|left| *left >= 0));
        assert!(commissions.values().all(|left| *left >= 0));
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
                    standing.insert(*user, (role.clone(), status.clone()));
                }
                FactKind::UserChanged { user, role, status } => {
                    let entry = standing.get_mut(user).unwrap();
                    entry.0 = role.clone().unwrap_or(entry.0.clone());
                    entry.1 = status.clone().unwrap_or(entry.1.clone());
                }
                _ => {}
            }
        }
        for row in &rows {
            if let Item::User(user) = row {
                assert_eq!(standing[&user.id], (user.role.clone(), user.status.clone()));
            }
        }
    }
}
