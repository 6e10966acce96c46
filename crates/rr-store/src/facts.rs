//! The log of facts.

use rr_domain::{Fact, Timestamp};
use rr_sync::Figures;

use crate::{Audit, Store, StoreError};

impl Store {
    /// Appends facts in this order; one whose id is known already is left out. Says how many are new.
    pub async fn append_facts(&self, facts: Vec<Fact>, audit: Audit) -> Result<usize, StoreError> {
        let _ = (facts, audit);
        todo!()
    }

    /// The number of the newest fact; it changes whenever a figure may.
    pub async fn facts_version(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// Computes every figure from all facts, in bounded memory.
    pub async fn fold_facts(&self, as_of: Timestamp) -> Result<Figures, StoreError> {
        let _ = as_of;
        todo!()
    }
}
