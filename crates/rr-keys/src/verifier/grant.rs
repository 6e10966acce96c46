//! An open door.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::slots::Loan;
use crate::limit::Spent;
use crate::{KeyRecord, RateLimitStatus};

/// A key that was found good for a request.
pub struct Grant {
    entry: Loan,
    spent: Spent,
}

impl Grant {
    pub(super) fn new(entry: Loan, spent: Spent) -> Self {
        Self { entry, spent }
    }

    /// The key.
    pub fn record(&self) -> &KeyRecord {
        self.entry.record()
    }

    /// The identity of the key.
    pub fn key_id(&self) -> Uuid {
        self.entry.record().id
    }

    /// What is left of its limits after this use, to be sent as header fields; `None` without limits.
    pub fn rate_limits(&self) -> Option<RateLimitStatus> {
        self.spent.status(self.entry.record())
    }
}

impl Clone for Grant {
    fn clone(&self) -> Self {
        Self { entry: Loan::from_inner(Arc::clone(&self.entry)), spent: self.spent }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}
