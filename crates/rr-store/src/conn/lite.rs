//! Connections to a SQLite file: settings that make a commit durable, set and read back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::place::{Displaced, FileId};
use crate::OpenError;

/// The release that fixed the WAL-reset corruption.
const NEEDED_VERSION: &str = "3.51.3";
/// How long a statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Above this size the writer stops hoping that an ordinary checkpoint will empty the WAL.
pub(crate) const MAX_WAL_BYTES: u64 = if cfg!(test) { 1 << 20 } else { 64 << 20 };

/// `synchronous=FULL` is what makes an answer survive a power cut: with NORMAL, the value most
/// guides advise, a commit in WAL mode is not synced. `mmap_size=0`: an I/O error must be an error,
/// not a signal. The writer's own checkpoint comes after 32 MiB; most of it is copied before
/// (`checkpoint.rs`). The checks in the schema are of the sizes of ids and the values of switches, to which
/// the types here see as well; with them SQLite would keep a copy of every page that a statement of many
/// rows touches, in case the last row is refused.
const SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864; \
     PRAGMA wal_autocheckpoint = 8000; PRAGMA mmap_size = 0; PRAGMA cache_size = -16000; \
     PRAGMA temp_store = MEMORY; PRAGMA ignore_check_constraints = ON;";

/// For millions of rows at once: their indexes are written all over, so the more of them a cache
/// holds and the longer a page can change before it is copied, the less has to be written.
const BULK_SETTINGS: &str = "PRAGMA cache_size = -262144; PRAGMA wal_autocheckpoint = 16384;";

/// A database file, and which one it was when the store was opened.
#[derive(Debug, Clone)]
pub(crate) struct SqliteFile {
    path: PathBuf,
    bulk: bool,
    opened: Option<FileId>,
    wal: PathBuf,
    /// The log that the open connections write. SQLite removes it with the last of them.
    open_wal: Arc<Mutex<Weak<FileId>>>,
}

impl SqliteFile {
    /// Makes the folder and an empty file that only we may read: it will hold password hashes.
    pub(crate) fn prepare(path: PathBuf, bulk: bool) -> Result<SqliteFile, OpenError> {
        let wal = wal_path(&path);
        let mut file = SqliteFile { path, bulk, opened: None, wal, open_wal: Arc::default() };
        file.make()?;
        file.opened = FileId::at(&file.path).map_err(|error| file.unusable(error))?;
        Ok(file)
    }

    fn make(&self) -> Result<(), OpenError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| self.unusable(error))?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path).map_err(|error| self.unusable(error))?;
        Ok(())
    }

    /// A connection with the settings in force, and the log that it writes.
    pub(crate) fn connect(&self) -> Result<(SqliteConnection, Option<Arc<FileId>>), OpenError> {
        let path = self.path.to_string_lossy();
        // SQLite would make what is missing, and then take an empty file or log for ours.
        let open_wal = self.open_wal.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        self.check_place(open_wal.as_deref()).map_err(|displaced| self.unusable(displaced))?;
        let mut conn = SqliteConnection::establish(&path).map_err(|error| self.unusable(error))?;
        let deadline = Instant::now() + BUSY_TIMEOUT;
        // Turning WAL on needs the file for oneself for a moment, and SQLite does not always wait.
        while let Err(error) = conn.batch_execute(SETTINGS) {
            let text = error.to_string();
            if text.contains("not a database") || text.contains("malformed") {
                return Err(OpenError::Corrupt { path: path.into_owned(), reason: text });
            }
            if !text.contains("locked") || Instant::now() > deadline {
                return Err(self.unusable(text));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if self.bulk {
            conn.batch_execute(BULK_SETTINGS).map_err(|error| self.unusable(error))?;
        }
        self.read_back(&mut conn)?;
        self.probe(&mut conn)?;
        let wal = FileId::at(&self.wal).map_err(|error| self.unusable(error))?;
        Ok((conn, wal.map(|wal| self.share(wal))))
    }

    /// One value for all connections that write this log.
    fn share(&self, wal: FileId) -> Arc<FileId> {
        let mut open_wal = self.open_wal.lock().unwrap_or_else(PoisonError::into_inner);
        open_wal.upgrade().unwrap_or_else(|| {
            let wal = Arc::new(wal);
            *open_wal = Arc::downgrade(&wal);
            wal
        })
    }

    /// Whether the file that was opened, and the log that a connection writes, are where they were.
    pub(crate) fn check_place(&self, wal: Option<&FileId>) -> Result<(), Displaced> {
        match FileId::at(&self.path) {
            Ok(found) if found == self.opened => {}
            Ok(Some(_)) => return Err(Displaced::Replaced),
            Ok(None) | Err(_) => return Err(Displaced::Gone),
        }
        match wal {
            Some(wal) if FileId::at(&self.wal).ok().flatten() != Some(*wal) => Err(Displaced::Wal),
            _ => Ok(()),
        }
    }

    fn read_back(&self, conn: &mut SqliteConnection) -> Result<(), OpenError> {
        let mut ask = |query: &str| {
            sql::<Text>(query).get_result::<String>(conn).map_err(|error| self.unusable(error))
        };
        let settings: [(&'static str, String, &'static str); 3] = [
            ("journal_mode", ask("SELECT journal_mode FROM pragma_journal_mode")?, "wal"),
            ("synchronous", ask("SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous")?, "2"),
            (
                "foreign_keys",
                ask("SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys")?,
                "1",
            ),
        ];
        for (setting, found, needed) in settings {
            if found != needed {
                return Err(OpenError::Weak { setting, found, needed });
            }
        }
        Ok(())
    }

    /// Reads the schema's page, which an arbitrary file does not have; this also opens the log.
    fn probe(&self, conn: &mut SqliteConnection) -> Result<(), OpenError> {
        sql::<BigInt>("SELECT count(*) FROM sqlite_schema")
            .get_result::<i64>(conn)
            .map(drop)
            .map_err(|error| OpenError::Corrupt {
                path: self.path.to_string_lossy().into_owned(),
                reason: error.to_string(),
            })
    }

    pub(crate) fn is_bulk(&self) -> bool {
        self.bulk
    }

    /// Empties a WAL that readers kept from being reused, waiting for them only briefly.
    pub(crate) fn bound_wal(&self, conn: &mut SqliteConnection) -> QueryResult<()> {
        let size = fs::metadata(&self.wal).map_or(0, |wal| wal.len());
        if size <= MAX_WAL_BYTES {
            return Ok(());
        }
        conn.batch_execute("PRAGMA busy_timeout = 250")?;
        let emptied = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
        conn.batch_execute("PRAGMA busy_timeout = 5000")?;
        emptied
    }

    fn unusable(&self, reason: impl std::fmt::Display) -> OpenError {
        OpenError::File {
            path: self.path.to_string_lossy().into_owned(),
            reason: reason.to_string(),
        }
    }
}

fn wal_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// Refuses a SQLite with the WAL-reset corruption.
pub(crate) fn check_version(conn: &mut SqliteConnection) -> Result<(), OpenError> {
    let found = sql::<Text>("SELECT sqlite_version()").get_result::<String>(conn);
    let found = found.unwrap_or_default();
    if numbers(&found) >= numbers(NEEDED_VERSION) {
        Ok(())
    } else {
        Err(OpenError::SqliteTooOld { found, needed: NEEDED_VERSION })
    }
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("3.51.2") < numbers(NEEDED_VERSION));
        assert!(numbers("3.6.99") < numbers(NEEDED_VERSION));
        assert!(numbers("3.53.2") > numbers(NEEDED_VERSION));
        assert!(numbers("") < numbers(NEEDED_VERSION));
    }
}
