//! Bulk import.

use rr_domain::Fact;
use uuid::Uuid;

use crate::{Audit, NewActivity, NewEvent, NewKey, NewUser, Store, StoreError};

/// Rows to bring in together, all or none.
#[derive(Debug, Clone, Default)]
pub struct ImportBatch {
    /// Users, without their facts.
    pub users: Vec<NewUser>,
    /// Facts.
    pub facts: Vec<Fact>,
    /// Keys by hash.
    pub keys: Vec<NewKey>,
    /// Events.
    pub events: Vec<NewEvent>,
    /// Rows of an older audit log.
    pub activity: Vec<NewActivity>,
}

/// How many rows of a batch were new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Users.
    pub users: usize,
    /// Facts.
    pub facts: usize,
    /// Keys.
    pub keys: usize,
    /// Events.
    pub events: usize,
    /// Audit rows.
    pub activity: usize,
    /// Users left out because another user has their e-mail; their creation facts are left out too.
    pub emails_taken: Vec<Uuid>,
}

impl Store {
    /// Brings rows in; what is there already stays as it is.
    pub async fn import_batch(
        &self,
        batch: ImportBatch,
        audit: Audit,
    ) -> Result<ImportCounts, StoreError> {
        let _ = (batch, audit);
        todo!()
    }

    /// Whether there are no users and no facts.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        todo!()
    }
}
