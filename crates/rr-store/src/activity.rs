//! The audit log, as people read it.

use rr_domain::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Page, PageRequest, Store, StoreError};

/// One thing that somebody did.
#[derive(Debug, Clone)]
pub struct ActivityRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who: `administrator:<id>`, `key:<id>`, `command-line`, `system`, or imported text.
    pub actor: String,
    /// What, such as `key.created`.
    pub action: String,
    /// To what, such as `key:<id>`.
    pub subject: Option<String>,
    /// More about it; a JSON object.
    pub detail: Box<RawValue>,
    /// In answer to which request.
    pub request_id: Option<String>,
    /// From where.
    pub address: Option<String>,
}

/// A row of an older audit log, to be imported.
#[derive(Debug, Clone)]
pub struct NewActivity {
    /// Its id there (or derived from it): a second import of the same row changes nothing.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: Option<String>,
    /// More about it; a JSON object.
    pub detail: Box<RawValue>,
}

impl Store {
    /// The audit log, newest first.
    pub async fn activity(&self, page: PageRequest) -> Result<Page<ActivityRow>, StoreError> {
        let _ = page;
        todo!()
    }
}
