//! An open door, and no more.

use std::fmt;
use std::time::SystemTime;

use uuid::Uuid;

use super::grant::Grant;
use crate::RateLimitStatus;

/// A key that was found good for a request, and counted, without keeping hold of its record: what
/// [`Verifier::check`](crate::Verifier::check) gives.
pub struct Pass(Kind);

enum Kind {
    /// Of a key about which nothing else has to be said.
    Plain(Uuid),
    Held(Grant),
}

impl Pass {
    pub(super) fn plain(key_id: Uuid) -> Self {
        Self(Kind::Plain(key_id))
    }

    /// The identity of the key.
    pub fn key_id(&self) -> Uuid {
        match &self.0 {
            Kind::Plain(id) => *id,
            Kind::Held(grant) => grant.key_id(),
        }
    }

    /// As [`Grant::superseded_at`].
    pub fn superseded_at(&self) -> Option<SystemTime> {
        self.grant()?.superseded_at()
    }

    /// As [`Grant::rate_limits`].
    pub fn rate_limits(&self) -> Option<RateLimitStatus> {
        self.grant()?.rate_limits()
    }

    fn grant(&self) -> Option<&Grant> {
        match &self.0 {
            Kind::Plain(_) => None,
            Kind::Held(grant) => Some(grant),
        }
    }
}

impl From<Grant> for Pass {
    fn from(grant: Grant) -> Self {
        Self(Kind::Held(grant))
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}
