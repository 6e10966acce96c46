//! The figures, from memory.

use std::sync::Arc;
use std::time::Instant;

use rr_domain::Timestamp;
use rr_sync::Figures;

use crate::ledger::{Present, Seen};
use crate::{Store, StoreError};

impl Store {
    /// The figures at `now`; see [`Store::present`].
    pub async fn figures(&self, now: Timestamp) -> Result<Arc<Figures>, StoreError> {
        Ok(Arc::clone(&self.present(now).await?.figures))
    }

    /// Everything that holds at `now`, and the version of the ledger it comes from.
    ///
    /// It comes from memory: a fact that this process wrote is in it as soon as its writer was told,
    /// one of another process after the next look at the database. [`Store::follow_ledger`] looks;
    /// who reads half a second after the last look does it first, and then learns that the database
    /// is away. The same value is handed out until something changes it.
    pub async fn present(&self, now: Timestamp) -> Result<Arc<Present>, StoreError> {
        if let Some(present) = self.memory().present(now) {
            return Ok(present);
        }
        let _turn = self.looking().await;
        if let Some(present) = self.memory().present(now) {
            return Ok(present);
        }
        self.look(now).await
    }

    /// Whether [`Store::present`] would hand out this very value at `now`, without a look at the database.
    /// `at` is the same instant by the clock that is never set.
    pub fn is_present(&self, present: &Arc<Present>, now: Timestamp, at: Instant) -> bool {
        self.memory().is_present(present, now, at)
    }

    /// Looks for what other processes posted. Called every 250 ms, it keeps reads away from the
    /// database and their figures no older than that.
    pub async fn follow_ledger(&self, now: Timestamp) -> Result<(), StoreError> {
        let _turn = self.looking().await;
        self.look(now).await.map(drop)
    }

    async fn look(&self, now: Timestamp) -> Result<Arc<Present>, StoreError> {
        let memory = Arc::clone(self.memory());
        match self.read(move |conn| crate::ledger::look(conn, &memory, now)).await? {
            Seen::Present(present) => Ok(present),
            Seen::Behind => Err(behind()),
        }
    }

    /// Whether the ledger holds every fact. It does unless the facts are older than it; then
    /// [`Store::catch_up`] helps.
    pub(crate) async fn ledger_is_current(&self) -> Result<(), StoreError> {
        let (last, held) = self.read(crate::ledger::positions).await?;
        if held < last { Err(behind()) } else { Ok(()) }
    }
}

fn behind() -> StoreError {
    StoreError::Unavailable("the ledger is behind the facts".into())
}
