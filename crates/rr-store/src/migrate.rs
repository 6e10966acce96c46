//! Migrations.

use rr_domain::Timestamp;

use crate::{Store, StoreError};

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its name, the same on both databases.
    pub name: String,
    /// Whether it is in the database.
    pub applied: bool,
}

impl Store {
    /// Applies what is missing, all or nothing, and names it.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        todo!()
    }
    /// Every migration this program knows and whether it is applied.
    pub async fn migration_status(&self) -> Result<Vec<Migration>, StoreError> {
        todo!()
    }
    /// Takes the newest applied migration back and names it.
    pub async fn migrate_down(&self) -> Result<Option<String>, StoreError> {
        todo!()
    }
}
