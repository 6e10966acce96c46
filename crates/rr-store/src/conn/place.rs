//! Whether the files that SQLite holds open are still those that stand at their paths.
//!
//! A file that is moved or deleted under a running server stays open: commits go on succeeding, into
//! a file that nobody will find again. So the path is compared with what was opened, which costs
//! two system calls, before a connection is used and once more before a commit is reported.

use std::fs::Metadata;
use std::io;
use std::path::Path;

/// One file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
}

/// The file that was opened is not the one at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Displaced {
    /// Nothing is there.
    #[error("the database file was moved or deleted while it was in use")]
    Gone,
    /// Something else is there.
    #[error("another file stands in the place of the database file that was opened")]
    Replaced,
    /// The log that holds the newest commits is not there.
    #[error("the database's -wal file was moved, deleted or replaced while it was in use")]
    Wal,
}

impl FileId {
    /// The file at `path`; `None` when there is none.
    pub(crate) fn at(path: &Path) -> io::Result<Option<FileId>> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(Some(FileId::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[cfg(unix)]
    fn of(metadata: &Metadata) -> FileId {
        use std::os::unix::fs::MetadataExt;
        FileId { device: metadata.dev(), number: metadata.ino() }
    }

    /// Elsewhere the system keeps an open file from being moved or deleted.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> FileId {
        FileId { device: 0, number: 0 }
    }
}
