//! What can go wrong, as few kinds as a caller can tell apart.

use std::error::Error;

use rr_sync::ledger::TooLarge;

/// A cause, kept for the log and never shown to a client.
pub(crate) type Cause = Box<dyn Error + Send + Sync + 'static>;

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
    /// Amounts that no sum could hold: what was asked was not done, and never will be.
    #[error("{0}")]
    TooLarge(String),
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

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    File(#[from] OpenError),
    #[error("cannot connect to PostgreSQL")]
    Driver(#[from] tokio_postgres::Error),
    #[error("cannot set up the connection to PostgreSQL")]
    Setup(#[source] diesel::ConnectionError),
    #[error("PostgreSQL's {setting} is {found}, but must be {needed}")]
    Unfit { setting: &'static str, found: String, needed: &'static str },
    #[error("PostgreSQL did not answer in time")]
    TimedOut,
    #[error("cannot start a runtime for the connection")]
    Runtime(#[source] std::io::Error),
}

/// What an error of the database means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection is of no more use.
    Lost,
    /// It would pass: locked, full, out of time.
    Temporary,
    /// Another transaction was in the way; the same work may succeed at once.
    Collision,
    /// A table or column is missing.
    Outdated,
    /// Amounts that no sum could hold.
    TooLarge,
    /// Ours.
    Defect,
}

/// An error of the database, judged; many callers may have to hear of the same one.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) trouble: Trouble,
    text: String,
}

impl Verdict {
    pub(crate) fn of(error: &diesel::result::Error) -> Verdict {
        Verdict { trouble: judge(error), text: error.to_string() }
    }

    /// For a write that found no connection.
    pub(crate) fn unavailable(error: &StoreError) -> Verdict {
        let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Verdict { trouble: Trouble::Temporary, text }
    }

    /// For a panic in a job, or a caller that went away.
    pub(crate) fn defect(text: &str) -> Verdict {
        Verdict { trouble: Trouble::Defect, text: text.to_owned() }
    }
}

impl From<Verdict> for StoreError {
    fn from(verdict: Verdict) -> StoreError {
        match verdict.trouble {
            Trouble::Lost | Trouble::Temporary | Trouble::Collision => {
                StoreError::Unavailable(verdict.text.into())
            }
            Trouble::Outdated => StoreError::Outdated,
            Trouble::TooLarge => StoreError::TooLarge(verdict.text),
            Trouble::Defect => StoreError::Internal(verdict.text.into()),
        }
    }
}

fn judge(error: &diesel::result::Error) -> Trouble {
    use diesel::result::DatabaseErrorKind as Kind;
    if let diesel::result::Error::SerializationError(cause) = error
        && cause.is::<TooLarge>()
    {
        return Trouble::TooLarge;
    }
    let diesel::result::Error::DatabaseError(kind, info) = error else { return Trouble::Defect };
    match kind {
        Kind::UnableToSendCommand | Kind::ClosedConnection => Trouble::Lost,
        // The primary became a standby: its successor must be found.
        Kind::ReadOnlyTransaction => Trouble::Lost,
        Kind::SerializationFailure => Trouble::Collision,
        Kind::Unknown => judge_text(info.message()),
        _ => Trouble::Defect,
    }
}

/// Neither driver hands the error code through diesel, so the words decide. SQLite's are fixed;
/// PostgreSQL is asked for its own when a connection is made, and where it may not be asked, what
/// has no name counts as passing (see `conn::pg`).
fn judge_text(message: &str) -> Trouble {
    const LOST: &[&str] = &[
        "disk I/O error",
        "file is not a database",
        "malformed",
        "unable to open database file",
        "readonly database",
        "locking protocol",
        "terminating connection",
        "the database system is",
        "connection closed",
    ];
    const TEMPORARY: &[&str] = &[
        "is locked",
        "disk is full",
        "out of memory",
        "interrupted",
        "canceling statement",
        "could not extend",
        "could not write",
        "could not read",
        "could not fsync",
        "could not open file",
        "No space left",
        "out of shared memory",
        "too many",
        "remaining connection slots",
    ];
    const COLLISION: &[&str] = &["deadlock detected", "could not serialize"];
    const OUTDATED: &[&str] = &["no such table", "no such column", "has no column named"];
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(LOST) {
        Trouble::Lost
    } else if has(TEMPORARY) {
        Trouble::Temporary
    } else if has(COLLISION) {
        Trouble::Collision
    } else if has(OUTDATED) || is_missing_in_postgres(message) {
        Trouble::Outdated
    } else {
        Trouble::Defect
    }
}

fn is_missing_in_postgres(message: &str) -> bool {
    message.ends_with("does not exist")
        && ["relation ", "column ", "schema "].iter().any(|what| message.starts_with(what))
}
