//! Figures, remembered while nothing changes them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rr_domain::Timestamp;
use rr_sync::Figures;

use crate::sequence::Sequence;
use crate::{Store, StoreError};

/// How long facts that another process appends may stay unseen. Those of this process are seen at
/// once.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The figures computed last and the facts they were computed from.
pub(crate) struct Memo {
    version: i64,
    figures: Arc<Figures>,
    looked: Look,
}

/// When the newest fact was last looked for, and how much this process had written by then.
#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    writes: u64,
}

impl Look {
    /// Whether it need not be repeated yet.
    fn is_fresh(self, present: Look) -> bool {
        self.writes == present.writes && present.at.duration_since(self.at) < LOOK_AGAIN
    }
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
    /// The figures at `now`, computed anew only when something changed them. A fact that this
    /// process wrote is in the next answer, one of another process within 250 ms; between two looks
    /// at the database a read of an unchanged ledger touches memory only. Callers that meet a
    /// change wait for one computation together.
    pub async fn figures(&self, now: Timestamp) -> Result<Arc<Figures>, StoreError> {
        let mut memo = self.memo().lock().await;
        let looked = Look { at: Instant::now(), writes: self.fact_writes() };
        if let Some(memo) = &*memo
            && memo.looked.is_fresh(looked)
            && memo.holds(memo.version, now)
        {
            return Ok(Arc::clone(&memo.figures));
        }
        let version = self.facts_version().await?;
        if let Some(memo) = &mut *memo
            && memo.holds(version, now)
        {
            memo.looked = looked;
            return Ok(Arc::clone(&memo.figures));
        }
        let (version, figures) = self
            .read(move |conn| {
                let version = Sequence::Facts.last(conn)?;
                Ok((version, crate::facts::fold(conn, now, version)?))
            })
            .await?;
        let figures = Arc::new(figures);
        *memo = Some(Memo { version, figures: Arc::clone(&figures), looked });
        Ok(figures)
    }
}
