//! What to do about a database that cannot be used. Each text finishes "you could …".

use tokio_postgres::error::SqlState;

use crate::error::ConnectError;
use crate::{OpenError, StoreError};

pub(crate) const TRY_AGAIN: &str = "try again in a moment";
const MIGRATE: &str = "run `revenue-ripple migrate up`, or start the server, which does it";
const RESTORE: &str = "restore the file from a backup, or move it away (with its -wal and -shm) and \
     begin with an empty one";
const WRITABLE: &str = "let the account that runs revenue-ripple write the file and its folder";
const FREE_SPACE: &str = "make room on the disk; the server goes on by itself";
const DISK: &str = "look at the disk and the system's log: the hardware or the file system fails";
const ANOTHER_PATH: &str =
    "name the path of a file in RR_DATABASE_URL, in a folder that can be made";
const PUT_BACK: &str = "put the file back where it was, with its -wal; else stop the server, which \
     writes everything out to the file it holds, and start it again";
const LOCKED: &str = "find the program that holds the file locked and let it finish";
const REACH: &str = "check that PostgreSQL runs, and that RR_DATABASE_URL names its host and port";
const SIGN_IN: &str = "check user and password in RR_DATABASE_URL, and what pg_hba.conf lets in";
const CREATE_DATABASE: &str = "create the database, or name another one in RR_DATABASE_URL";
const GRANT: &str = "grant the role CREATE on the database, or have its owner run `migrate up`";
const MORE_CONNECTIONS: &str = "raise max_connections, or lower RR_DATABASE_READERS";
const TLS: &str =
    "check sslmode and sslrootcert in RR_DATABASE_URL against the server's certificate";
const DURABILITY: &str = "set synchronous_commit, fsync and full_page_writes to on";
const UPGRADE: &str = "take PostgreSQL 13 or newer, and a database in UTF8";
const REBUILD: &str = "build revenue-ripple with the SQLite that it brings along";
const PRIMARY: &str =
    "name the primary server, or all of them with target_session_attrs=read-write";
const LOG: &str = "read the server's log, and report it: this should not happen";
const CORRECT_AMOUNTS: &str = "correct the amounts of that fact: no sum could hold them";
const LIMITS: &str = "raise the system's limits on threads and memory";

impl OpenError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            OpenError::File { reason, .. } => of_words(reason).unwrap_or(ANOTHER_PATH),
            OpenError::Corrupt { .. } => RESTORE,
            OpenError::SqliteTooOld { .. } => REBUILD,
            OpenError::Weak { .. } => DISK,
            OpenError::Tls(_) => TLS,
            OpenError::Thread(_) => LIMITS,
        }
    }
}

impl StoreError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            StoreError::Busy => TRY_AGAIN,
            StoreError::Outdated => MIGRATE,
            StoreError::TooLarge(_) => CORRECT_AMOUNTS,
            StoreError::Internal(_) => LOG,
            StoreError::Unavailable(cause) => match cause.downcast_ref::<crate::conn::Refusal>() {
                Some(refusal) => refusal.advice,
                None => of_words(&cause.to_string()).unwrap_or(TRY_AGAIN),
            },
        }
    }
}

impl ConnectError {
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            ConnectError::File(error) => error.advice(),
            ConnectError::Driver(error) => of_driver(error),
            ConnectError::Setup(_) => LOG,
            ConnectError::Unfit { setting: "server_version_num" | "server_encoding", .. } => {
                UPGRADE
            }
            ConnectError::Unfit { .. } => DURABILITY,
            ConnectError::TimedOut => REACH,
            ConnectError::Runtime(_) => LIMITS,
        }
    }
}

/// PostgreSQL's codes mean the same in every language.
fn of_driver(error: &tokio_postgres::Error) -> &'static str {
    let Some(code) = error.code() else {
        let text = crate::conn::chain(error).to_lowercase();
        let is_about = |words: &[&str]| words.iter().any(|word| text.contains(word));
        return if is_about(&["tls", "certificate"]) {
            TLS
        } else if is_about(&["password", "authentication"]) {
            SIGN_IN
        } else if is_about(&["session attributes", "read-write", "read only"]) {
            PRIMARY
        } else {
            REACH
        };
    };
    match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => SIGN_IN,
        SqlState::INVALID_CATALOG_NAME => CREATE_DATABASE,
        SqlState::INSUFFICIENT_PRIVILEGE => GRANT,
        SqlState::TOO_MANY_CONNECTIONS => MORE_CONNECTIONS,
        SqlState::DISK_FULL => FREE_SPACE,
        SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN => TRY_AGAIN,
        _ => REACH,
    }
}

/// SQLite and the operating system have fixed words.
fn of_words(text: &str) -> Option<&'static str> {
    const WORDS: &[(&str, &str)] = &[
        ("not a database", RESTORE),
        ("malformed", RESTORE),
        ("database file was moved", PUT_BACK),
        ("stands in the place", PUT_BACK),
        ("-wal file was moved", PUT_BACK),
        ("disk is full", FREE_SPACE),
        ("No space left", FREE_SPACE),
        ("could not extend", FREE_SPACE),
        ("readonly database", WRITABLE),
        ("Read-only file system", WRITABLE),
        ("Permission denied", WRITABLE),
        ("permission denied", GRANT),
        ("is locked", LOCKED),
        ("disk I/O error", DISK),
    ];
    WORDS.iter().find(|(word, _)| text.contains(word)).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_has_its_own_advice() {
        let file = |reason: &str| {
            OpenError::File { path: "x.db".to_owned(), reason: reason.to_owned() }.advice()
        };
        let away = |reason: &str| StoreError::Unavailable(reason.into()).advice();
        for (advice, word) in [
            (file("Permission denied (os error 13)"), "write"),
            (file("Read-only file system (os error 30)"), "write"),
            (file("No space left on device (os error 28)"), "room"),
            (file("Is a directory (os error 21)"), "path of a file"),
            (away("database or disk is full"), "room"),
            (away("attempt to write a readonly database"), "write"),
            (away("database disk image is malformed"), "backup"),
            (away("database is locked"), "locked"),
            (away("disk I/O error"), "disk"),
            (away("permission denied for database app"), "grant"),
            (away(&crate::conn::Displaced::Gone.to_string()), "back"),
            (away(&crate::conn::Displaced::Replaced.to_string()), "back"),
            (away(&crate::conn::Displaced::Wal.to_string()), "back"),
            (StoreError::Outdated.advice(), "migrate up"),
        ] {
            assert!(advice.contains(word), "{word}: {advice}");
        }
    }
}
