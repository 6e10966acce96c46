//! What r2d2 needs to make connections, and how it reports that it cannot.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Conn, PgTarget, SqliteFile};
use crate::error::ConnectError;

pub(crate) type Pool = r2d2::Pool<Manager>;

/// A connection and whether it may be used again.
pub(crate) struct Slot {
    pub(crate) conn: Conn,
    pub(crate) broken: bool,
}

/// Makes connections to one database. The scheme of the URL chose which kind, for good: nothing is
/// ever guessed from a failure.
pub(crate) struct Manager {
    pub(crate) target: Target,
    pub(crate) counters: Arc<Counters>,
}

pub(crate) enum Target {
    Lite(SqliteFile),
    Pg(PgTarget),
}

/// How often connections came and went.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) made: AtomicU64,
    pub(crate) broken: AtomicU64,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Slot;
    type Error = ConnectError;

    fn connect(&self) -> Result<Slot, ConnectError> {
        let conn = match &self.target {
            Target::Lite(file) => Conn::Lite(file.connect()?),
            Target::Pg(target) => Conn::Pg(target.connect()?),
        };
        self.counters.made.fetch_add(1, Ordering::Relaxed);
        Ok(Slot { conn, broken: false })
    }

    /// Never asked: a test at every checkout costs a round trip (the pool has it turned off).
    fn is_valid(&self, _: &mut Slot) -> Result<(), ConnectError> {
        Ok(())
    }

    fn has_broken(&self, slot: &mut Slot) -> bool {
        if slot.broken {
            self.counters.broken.fetch_add(1, Ordering::Relaxed);
        }
        slot.broken
    }
}

/// Logs that connecting fails: the first time, then twice a minute while it lasts.
#[derive(Default)]
pub(crate) struct Complain(Mutex<Option<Instant>>);

const SILENCE: Duration = Duration::from_secs(30);

impl r2d2::HandleError<ConnectError> for Complain {
    fn handle_error(&self, error: ConnectError) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= SILENCE) {
            *last = Some(Instant::now());
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot connect to the database; trying again until it works"
            );
        }
    }
}

impl fmt::Debug for Complain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Complain")
    }
}
