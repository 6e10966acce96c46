//! What can be wrong with a file or a row.

use std::fmt;
use std::io;

/// What is wrong with one field (or, with no column, with the row).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) column: &'static str,
    pub(super) reason: String,
}

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadRow {
    pub(super) file: &'static str,
    pub(super) line: u64,
    pub(super) fault: Fault,
}

/// A file that cannot be read at all; `--skip-bad` does not help.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("{name} cannot be read")]
    Unreadable { name: &'static str, source: io::Error },
    #[error("{name} is empty: not even a header line is there")]
    Empty { name: &'static str },
    #[error("{name} has no column {column}")]
    Missing { name: &'static str, column: &'static str },
    #[error("{name} has the column {column} twice")]
    Twice { name: &'static str, column: &'static str },
}

impl Fault {
    pub(super) fn new(column: &'static str, reason: &str) -> Fault {
        Fault { column, reason: reason.to_owned() }
    }
}

impl fmt::Display for BadRow {
    /// `users.csv, line 17, email: is not an e-mail address`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadRow { file, line, fault } = self;
        if fault.column.is_empty() {
            write!(f, "{file}, line {line}: {}", fault.reason)
        } else {
            write!(f, "{file}, line {line}, {}: {}", fault.column, fault.reason)
        }
    }
}
