//! The store.

use crate::{OpenError, StoreError, StoreOptions, StoreStats};

/// The store: cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens the database.
    pub fn open(options: StoreOptions) -> Result<Store, OpenError> {
        let _ = options;
        todo!()
    }
    /// Whether the database answers, keeps its promises and is up to date.
    pub async fn ready(&self) -> Result<(), StoreError> {
        todo!()
    }
    /// Numbers about the store itself.
    pub fn stats(&self) -> StoreStats {
        todo!()
    }
    /// Finishes what was accepted, then closes every connection.
    pub async fn close(&self) {
        todo!()
    }
}
