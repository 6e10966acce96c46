//! An invented history: users who sign up, buy, upgrade, fall behind, come back and leave.
//!
//! It is a simulation of events in the order of time. Two things wait in memory: subscribers whose
//! next step lies ahead, and facts that are decided and lie ahead (a refund next week, a payout
//! next month). So it needs memory for those who subscribe at one time and for nobody else, and
//! facts come out in the order in which a real server would have recorded them: most when they
//! happen, some late, some twice.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rr_domain::{Fact, FactKind, Label, LabelError, Timestamp, imported_id};
use rr_store::NewUser;

use super::arrival::arrivals;
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

/// The rows of a history, one at a time. Facts come in the order in which they were recorded, a
/// user when its standing at the end is settled; one who was deleted has no row.
pub(crate) struct History {
    pub(super) until: Timestamp,
    /// How far it has come. What is dated before is recorded now.
    now: Timestamp,
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
    Arrives(Box<Fact>),
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
            now: start,
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

    /// What happens at `at`, which is now or was a moment ago. Not all of it is recorded now, and some of it twice.
    pub(super) fn record(&mut self, at: Timestamp, kind: FactKind) {
        for (arrives, fact) in arrivals(at, kind, self.until, &mut self.dice) {
            if arrives > self.now {
                self.push(arrives, What::Arrives(Box::new(fact)));
            } else {
                self.ready.push(Item::Recorded(self.now, fact));
            }
        }
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
            self.settle(life.user);
        }
    }

    /// Nothing more will change about this user.
    pub(super) fn settle(&mut self, user: NewUser) {
        self.ready.push(Item::User(user));
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
            self.now = self.now.max(at);
            match what {
                What::Happens(kind) => self.record(at, kind),
                What::Arrives(fact) => self.ready.push(Item::Recorded(self.now, *fact)),
                What::Continues(step, life) => life.go_on(step, at, self),
            }
            return true;
        }
        let Some(at) = self.upcoming.take() else { return false };
        self.upcoming = self.signups.next(&mut self.dice);
        self.now = self.now.max(at);
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
mod tests;
