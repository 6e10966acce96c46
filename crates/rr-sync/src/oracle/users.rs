//! Users: who is here, by role and status, who came lately, and how many there were a month ago.

use std::collections::{BTreeMap, HashMap};

use rr_domain::{FactKind, Label, Timestamp};
use uuid::Uuid;

use super::growth::headline;
use super::labels::{LabelId, Labels};
use super::windows::{self, NextChange, days};
use crate::figures::{Headline, UserFigures};

const SIGNUPS: std::time::Duration = days(7);
const GROWTH: std::time::Duration = days(30);

/// The users of all facts so far.
#[derive(Debug)]
pub(super) struct Users {
    signups_start: Timestamp,
    growth_start: Timestamp,
    labels: Labels,
    present: HashMap<Uuid, User>,
    recent_signups: u64,
    /// How many there were before the growth window, once the facts have come to it.
    before: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct User {
    role: LabelId,
    status: LabelId,
}

impl Users {
    pub(super) fn new(as_of: Timestamp) -> Users {
        Users {
            signups_start: windows::start(as_of, SIGNUPS),
            growth_start: windows::start(as_of, GROWTH),
            labels: Labels::default(),
            present: HashMap::new(),
            recent_signups: 0,
            before: None,
        }
    }

    pub(super) fn add(&mut self, at: Timestamp, kind: &FactKind, next: &mut NextChange) {
        match kind {
            FactKind::UserCreated { user, role, status } => {
                self.pass(at);
                if self.present.contains_key(user) {
                    return;
                }
                let role = self.labels.id(role);
                let status = self.labels.id(status);
                self.present.insert(*user, User { role, status });
                if at >= self.signups_start {
                    self.recent_signups += 1;
                    next.consider(windows::leaves(at, SIGNUPS));
                }
                next.consider(windows::leaves(at, GROWTH));
            }
            FactKind::UserChanged { user, role, status } => {
                if let Some(user) = self.present.get_mut(user) {
                    if let Some(role) = role {
                        user.role = self.labels.id(role);
                    }
                    if let Some(status) = status {
                        user.status = self.labels.id(status);
                    }
                }
            }
            FactKind::UserDeleted { user } => {
                self.pass(at);
                if self.present.remove(user).is_some() {
                    next.consider(windows::leaves(at, GROWTH));
                }
            }
            _ => {}
        }
    }

    pub(super) fn finish(self, as_of: Timestamp) -> (UserFigures, Headline<u64>) {
        let total = count(self.present.len());
        let growth = headline(total, total.into(), self.before.unwrap_or(total).into());
        let figures = UserFigures {
            timestamp: as_of,
            total_users: total,
            users_by_role: self.by(|user| user.role),
            users_by_status: self.by(|user| user.status),
            recent_signups: self.recent_signups,
        };
        (figures, growth)
    }

    /// Notes how many users there were before the growth window, when the first fact within it
    /// arrives: the window holds its start.
    fn pass(&mut self, at: Timestamp) {
        if at >= self.growth_start && self.before.is_none() {
            self.before = Some(count(self.present.len()));
        }
    }

    /// How many users there are of each label; only labels that someone has.
    fn by(&self, label: impl Fn(&User) -> LabelId) -> BTreeMap<Label, u64> {
        let mut counts: BTreeMap<LabelId, u64> = BTreeMap::new();
        for user in self.present.values() {
            *counts.entry(label(user)).or_default() += 1;
        }
        counts.into_iter().map(|(id, count)| (self.labels.name(id).clone(), count)).collect()
    }
}

/// A length as a count; no collection holds more than 2^64 entries.
fn count(length: usize) -> u64 {
    length.try_into().unwrap_or(u64::MAX)
}
