//! Figures, remembered while nothing changes them.

use std::sync::Arc;

use rr_domain::Timestamp;
use rr_sync::Figures;

use crate::sequence::Sequence;
use crate::{Store, StoreError};

/// The figures computed last and the facts they were computed from.
pub(crate) struct Memo {
    version: i64,
    figures: Arc<Figures>,
}

impl Memo {
    /// Whether the figures are still right at `now`: no new fact, and no instant passed at which
    /// time alone changes one.
    fn holds(&self, version: i64, now: Timestamp) -> bool {
        let unchanged_by_time = self.figures.next_change.is_none_or(|change| now < change);
        self.version == version && now >= self.figures.as_of && unchanged_by_time
    }
}

impl Store {
    /// The figures at `now`, computed anew only when something changed them: a read of an unchanged
    /// ledger costs one tiny query. Callers that meet a change wait for one computation together.
    pub async fn figures(&self, now: Timestamp) -> Result<Arc<Figures>, StoreError> {
        let version = self.facts_version().await?;
        let mut memo = self.memo().lock().await;
        // Another caller may have seen, and computed, more facts than this one asked about.
        if let Some(memo) = &*memo
            && memo.holds(version.max(memo.version), now)
        {
            return Ok(Arc::clone(&memo.figures));
        }
        let (version, figures) = self
            .read(move |conn| {
                let version = Sequence::Facts.last(conn)?;
                Ok((version, crate::facts::fold(conn, now, version)?))
            })
            .await?;
        let figures = Arc::new(figures);
        *memo = Some(Memo { version, figures: Arc::clone(&figures) });
        Ok(figures)
    }
}
