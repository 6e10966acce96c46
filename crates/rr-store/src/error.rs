//! What can go wrong, as few kinds as a caller can tell apart.

use std::error::Error;

/// A cause, kept for the log and never shown to a client.
pub type Cause = Box<dyn Error + Send + Sync + 'static>;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting already; nothing was done. Try again in a moment.
    #[error("the database queue is full")]
    Busy,
    /// The database is down, locked, full, read-only or damaged. Nothing is reported as stored; a
    /// write that failed while it was being committed may or may not have happened.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// Migrations are pending: run `revenue-ripple migrate up`.
    #[error("the database has pending migrations")]
    Outdated,
    /// A defect of ours: the database refused what we thought it must accept.
    #[error("unexpected database error")]
    Internal(#[source] Cause),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing anything here.
    pub fn is_temporary(&self) -> bool {
        matches!(self, StoreError::Busy | StoreError::Unavailable(_) | StoreError::Outdated)
    }
}

/// Why a store could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file cannot be used.
    #[error("cannot use the database file {path}: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the operating system or SQLite said.
        reason: String,
    },
    /// The file is not a SQLite database, or is damaged.
    #[error(
        "{path} is not a usable SQLite database ({reason}); restore it from a backup or move it away"
    )]
    Corrupt {
        /// Which file.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// SQLite older than the release that fixed the WAL-reset corruption.
    #[error("SQLite {found} is too old: {needed} or newer is required")]
    SqliteTooOld {
        /// The linked version.
        found: String,
        /// The oldest allowed.
        needed: &'static str,
    },
    /// A setting that promises durability did not take effect.
    #[error("{setting} is {found}, but {needed} is required for durable answers")]
    Weak {
        /// Which setting.
        setting: &'static str,
        /// What the database reports.
        found: String,
        /// What it must report.
        needed: &'static str,
    },
    /// The certificates named by the URL cannot be read.
    #[error("cannot set up TLS to PostgreSQL: {0}")]
    Tls(String),
    /// The operating system refused a thread.
    #[error("cannot start a database thread")]
    Thread(#[source] std::io::Error),
}
