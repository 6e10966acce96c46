//! SQLite's log: what it holds is copied to its place beside the writer, and its length is bounded.
//!
//! A checkpoint copies pages and flushes both files. Left to the commit that fills the log, it keeps
//! every caller of that commit and of the next ones waiting. So a thread of its own copies what is
//! committed, every few dozen commits, and little is left to the writer's checkpoint
//! (`wal_autocheckpoint`), after which the log begins again.

use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};

use crate::conn::{Conn, Lease, SqliteFile};

/// How many commits pass between two checkpoints beside the writer.
const CHECKPOINT_EVERY: u64 = 64;
/// How many commits pass between two looks at the length of the log.
const LOOK_EVERY: u64 = 256;

/// The log of a database file, as its writer sees it.
pub(crate) struct Log {
    file: SqliteFile,
    wake: SyncSender<()>,
    /// Held during a checkpoint: SQLite refuses a second one at the same time.
    copying: Arc<Mutex<()>>,
    copied_at: u64,
    looked_at: u64,
}

impl Log {
    /// Starts the thread, which ends when the log is dropped.
    pub(crate) fn start(
        file: SqliteFile,
        mut lease: Lease,
    ) -> std::io::Result<(Log, JoinHandle<()>)> {
        let (wake, woken) = mpsc::sync_channel(1);
        let copying = Arc::new(Mutex::new(()));
        let beside = Arc::clone(&copying);
        let thread = thread::Builder::new().name("db-checkpoint".to_owned()).spawn(move || {
            while woken.recv().is_ok() {
                let _alone = beside.lock().unwrap_or_else(PoisonError::into_inner);
                checkpoint(&mut lease);
            }
        })?;
        Ok((Log { file, wake, copying, copied_at: 0, looked_at: 0 }, thread))
    }

    /// Called by the writer with the number of its commits so far.
    pub(crate) fn grew(&mut self, commits: u64, lease: &mut Lease) {
        if commits - self.looked_at >= LOOK_EVERY {
            // One that is at work gets no successor before the look, which comes with a later commit.
            let alone = self.copying.try_lock();
            if matches!(alone, Err(TryLockError::WouldBlock)) {
                return;
            }
            self.looked_at = commits;
            let Ok(Conn::Lite(conn)) = lease.conn() else { return };
            if let Err(error) = self.file.bound_wal(conn) {
                tracing::debug!(%error, "the WAL could not be emptied; trying again later");
            }
        }
        // While millions of rows are loaded a page changes often before it is worth copying.
        if !self.file.is_bulk() && commits - self.copied_at >= CHECKPOINT_EVERY {
            self.copied_at = commits;
            // It is at work already if this does not fit.
            let _ = self.wake.try_send(());
        }
    }
}

/// Copies what no reader still needs from the log; waits for nobody.
fn checkpoint(lease: &mut Lease) {
    let Ok(conn) = lease.conn() else { return };
    if let Err(error) = conn.batch("PRAGMA wal_checkpoint(PASSIVE)") {
        lease.judge(&error);
        tracing::debug!(%error, "no checkpoint now; the next one copies more");
    }
}
