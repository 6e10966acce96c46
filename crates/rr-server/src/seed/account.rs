//! What happens to an invented user's account: roles and statuses, leaving, being forgotten.

use std::time::Duration;

use rr_domain::{FactKind, Label, Timestamp};
use rr_store::NewUser;

use super::calendar::days_after;
use super::history::History;
use super::life::{Life, Step};

impl Life {
    /// The role and plan of the tier are the user's from now on; a reseller refers others, and who
    /// was gone is back.
    pub(super) fn take_tier(&mut self, at: Timestamp, history: &mut History) {
        self.user.plan = Some(history.labels.tier(self.deal.tier));
        self.user.updated_at = at;
        self.tell_user(Label::ACTIVE, at, history);
        let role = history.labels.role(self.deal.tier);
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

    /// The user's own status, if it is another.
    pub(super) fn tell_user(&mut self, status: Label, at: Timestamp, history: &mut History) {
        if self.user.status != status {
            self.user.status = status.clone();
            self.user.updated_at = at;
            let user = self.user.id;
            history.record(at, FactKind::UserChanged { user, role: None, status: Some(status) });
        }
    }

    /// Half of those who leave are marked as gone; some come back, and some want to be forgotten.
    pub(super) fn leave(mut self: Box<Self>, at: Timestamp, history: &mut History) {
        self.user.plan = None;
        self.user.updated_at = at;
        if history.dice.chance(500) {
            self.tell_user(history.labels.inactive.clone(), at, history);
        }
        let back = days_after(at, 20, 120, &mut history.dice);
        match history.dice.weighted(&[60, 40, 40, 860]) {
            0 => history.resume(back, Step::Subscribe, self),
            1 => {
                // Somebody else may take it over.
                if history.dice.chance(200) {
                    self.customer = history.dice.id(back);
                }
                history.resume(back, Step::Resume, self);
            }
            2 => delete(self.user, back, history),
            _ => history.settle(self.user),
        }
    }
}

/// One who never subscribes. Some are taken for affiliates for a moment, some leave.
pub(super) fn look_around(user: NewUser, at: Timestamp, history: &mut History) {
    if user.role == Label::MEMBER && history.dice.chance(4) {
        let affiliate = history.labels.affiliate.clone();
        let mistaken = days_after(at, 0, 30, &mut history.dice);
        for (after, role) in [(0, affiliate), (300, user.role.clone())] {
            let changed = FactKind::UserChanged { user: user.id, role: Some(role), status: None };
            history.expect(mistaken.plus(Duration::from_millis(after)), changed);
        }
    }
    if user.role != Label::ADMIN && history.dice.chance(15) {
        let leaves = days_after(at, 31, 200, &mut history.dice);
        delete(user, leaves, history);
    } else {
        history.settle(user);
    }
}

/// The user is deleted at `at`, if the history lasts that long; a few ask to be restored.
pub(super) fn delete(user: NewUser, at: Timestamp, history: &mut History) {
    if at >= history.until {
        return history.settle(user);
    }
    history.expect(at, FactKind::UserDeleted { user: user.id });
    // Another system has not noticed; it speaks of somebody who is not there.
    if history.dice.chance(100) {
        let status = Some(history.labels.inactive.clone());
        let told = at.plus(Duration::from_secs(history.dice.between(60, 40_000)));
        history.expect(told, FactKind::UserChanged { user: user.id, role: None, status });
    }
    let back = days_after(at, 1, 14, &mut history.dice);
    if back < history.until && history.dice.chance(100) {
        let (role, status) = (user.role.clone(), user.status.clone());
        history.expect(back, FactKind::UserCreated { user: user.id, role, status });
        history.settle(user);
    }
}
