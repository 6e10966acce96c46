//! Figures, remembered while nothing changes them.

use std::sync::Arc;

use rr_domain::Timestamp;
use rr_sync::Figures;

use crate::{Store, StoreError};

impl Store {
    /// The figures at `now`.
    pub async fn figures(&self, now: Timestamp) -> Result<Arc<Figures>, StoreError> {
        let _ = now;
        todo!()
    }
}
