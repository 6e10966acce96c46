//! An open door.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use uuid::Uuid;

use super::entry::{Instant, Outdated};
use super::slot::Loan;
use crate::limit::Spent;
use crate::{KeyRecord, RateLimitStatus};

/// A key that was found good for a request.
pub struct Grant {
    entry: Loan,
    spent: Spent,
    at: Instant,
}

impl Grant {
    pub(super) fn new(entry: Loan, spent: Spent, at: Instant) -> Self {
        Self { entry, spent, at }
    }

    /// The key.
    pub fn record(&self) -> &KeyRecord {
        self.entry.record()
    }

    /// The identity of the key.
    pub fn key_id(&self) -> Uuid {
        self.entry.record().id
    }

    /// Whether the key has a permission beside the one that the request named, as where it opens only a part of
    /// the answer. One that it has counts as needed from now on; nothing is taken from limits, and it is no use.
    pub fn note(&self, permission: &str) -> bool {
        self.entry.note(permission, self.at.microseconds())
    }

    /// When the secret that was presented stops working because a newer one has replaced it: worth telling
    /// its holder. `None` for the newest secret.
    pub fn superseded_at(&self) -> Option<SystemTime> {
        self.record().secret_ends_at
    }

    /// How to move the key to the newest scheme, when it was found under another: replace the hash `from` by
    /// `to` in the store. It is told once each time the key is loaded, to the first who asks; nothing has to be
    /// forgotten, for the key is what it was. Once no key is left under an old scheme, its pepper can go.
    pub fn outdated(&self) -> Option<Outdated> {
        self.entry.outdated()
    }

    /// What is left of its limits and quotas after this use, to be sent as header fields; `None` without limits.
    pub fn rate_limits(&self) -> Option<RateLimitStatus> {
        self.spent.status(self.entry.record())
    }
}

impl Clone for Grant {
    fn clone(&self) -> Self {
        let entry = Loan::from_inner(Arc::clone(&self.entry));
        Self { entry, ..*self }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}
