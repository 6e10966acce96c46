//! Removing what is over, in small steps. Each kind, and each source of webhooks, goes by itself: one that
//! cannot go keeps no other from going.

use std::fmt;
use std::time::Duration;

use rr_domain::Timestamp;
use uuid::Uuid;

use crate::{Audit, Store, StoreError};

/// One part of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chore {
    /// Making room for bodies of the months to come, on PostgreSQL.
    MakeMonths,
    /// Bodies of whole months that nobody keeps, on PostgreSQL.
    Months,
    /// Sessions that are over.
    Sessions,
    /// Idempotency ids of long ago.
    IdempotencyIds,
    /// Finding out which sources there are.
    Sources,
    /// Events that the source of this name no longer keeps.
    EventsOf(String),
    /// Events past their time of the source that had this id until it was removed.
    EventsOfRemoved(Uuid),
}

impl fmt::Display for Chore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Chore::MakeMonths => f.write_str("room for months to come"),
            Chore::Months => f.write_str("months past their time"),
            Chore::Sessions => f.write_str("sessions that are over"),
            Chore::IdempotencyIds => f.write_str("idempotency ids of long ago"),
            Chore::Sources => f.write_str("the list of sources"),
            Chore::EventsOf(source) => write!(f, "events of {source} past their time"),
            Chore::EventsOfRemoved(id) => {
                write!(f, "events past their time of a source that was removed ({id})")
            }
        }
    }
}

/// How many went of what a chore is about, or why it was not done to its end.
pub type Swept = (Chore, Result<usize, StoreError>);

impl Store {
    /// Removes what is over as of the audit's instant, idempotency ids once they are older than
    /// `remember`. Failures are counted in [`StoreStats::failed_chores`](crate::StoreStats::failed_chores).
    pub async fn sweep(&self, remember: Duration, audit: Audit) -> Vec<Swept> {
        let before = audit.at.minus(remember);
        let mut swept = vec![
            (Chore::MakeMonths, self.prepare_months(audit.at).await.map(|()| 0)),
            (Chore::Sessions, self.end_expired(audit.clone()).await),
            (Chore::IdempotencyIds, self.forget_all(before, &audit).await),
            (Chore::Months, self.drop_months(audit.clone()).await),
        ];
        match self.with_events().await {
            Ok(sources) => {
                for (chore, source) in sources {
                    swept.push((chore, self.expire_events(source, audit.clone()).await));
                }
            }
            Err(error) => swept.push((Chore::Sources, Err(error))),
        }
        self.count_failed_chores(swept.iter().filter(|(_, outcome)| outcome.is_err()).count());
        swept
    }

    /// The sources whose events may go, each with its chore.
    async fn with_events(&self) -> Result<Vec<(Chore, Option<Uuid>)>, StoreError> {
        let (_, sources) = self.webhook_sources().await?;
        let present = sources.into_iter().map(|source| (Chore::EventsOf(source.name), source.id));
        let removed = self.removed_sources().await?;
        let removed = removed.into_iter().map(|id| (Chore::EventsOfRemoved(id), Some(id)));
        Ok(present.chain(removed).collect())
    }

    async fn forget_all(&self, before: Timestamp, audit: &Audit) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        loop {
            match self.forget_idempotency(before, audit.clone()).await? {
                0 => return Ok(forgotten),
                count => forgotten += count,
            }
        }
    }
}
