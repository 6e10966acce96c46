//! What r2d2 needs to make connections, and how it reports that it cannot.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::place::{Displaced, FileId};
use super::{Conn, PgTarget, SqliteFile};
use crate::error::ConnectError;

pub(crate) type Pool = r2d2::Pool<Manager>;

/// A connection and whether it may be used again.
pub(crate) struct Slot {
    pub(crate) conn: Conn,
    pub(crate) broken: bool,
    /// Whether the words of its errors can be understood (see [`super::pg`]).
    pub(crate) is_readable: bool,
    held: Option<HeldFile>,
}

/// The files that a connection to SQLite holds open.
struct HeldFile {
    file: SqliteFile,
    wal: Option<Arc<FileId>>,
}

impl Slot {
    /// Whether what this connection writes will be found again.
    pub(crate) fn check_place(&self) -> Result<(), Displaced> {
        self.held.as_ref().map_or(Ok(()), |held| held.file.check_place(held.wal.as_deref()))
    }
}

/// Makes connections to one database. The scheme of the URL chose which kind, for good: nothing is
/// ever guessed from a failure.
pub(crate) struct Manager {
    pub(crate) target: Target,
    pub(crate) counters: Arc<Counters>,
}

pub(crate) enum Target {
    Lite(SqliteFile),
    Pg(Box<PgTarget>),
}

fn lite(file: &SqliteFile) -> Result<Slot, ConnectError> {
    let (conn, wal) = file.connect()?;
    let held = Some(HeldFile { file: file.clone(), wal });
    Ok(Slot { conn: Conn::Lite(conn), broken: false, is_readable: true, held })
}

fn postgres(target: &PgTarget) -> Result<Slot, ConnectError> {
    let (conn, is_readable) = target.connect()?;
    Ok(Slot { conn: Conn::Pg(conn), broken: false, is_readable, held: None })
}

/// How often connections came and went, and why the last one did not come.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) made: AtomicU64,
    pub(crate) broken: AtomicU64,
    refusal: Mutex<Option<Refusal>>,
}

/// Why no connection could be made, with all its causes, and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Refusal {
    text: String,
    pub(crate) advice: &'static str,
}

impl Refusal {
    fn of(error: &ConnectError) -> Refusal {
        Refusal { text: chain(error), advice: error.advice() }
    }
}

impl Counters {
    /// Why connecting failed last.
    pub(crate) fn refusal(&self) -> Refusal {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.clone().unwrap_or_else(|| Refusal {
            text: "no connection became free in time".to_owned(),
            advice: crate::advice::TRY_AGAIN,
        })
    }

    fn note(&self, refusal: Option<Refusal>) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl r2d2::ManageConnection for Manager {
    type Connection = Slot;
    type Error = ConnectError;

    fn connect(&self) -> Result<Slot, ConnectError> {
        let made = match &self.target {
            Target::Lite(file) => lite(file),
            Target::Pg(target) => postgres(target),
        };
        self.counters.note(made.as_ref().err().map(Refusal::of));
        let slot = made?;
        self.counters.made.fetch_add(1, Ordering::Relaxed);
        Ok(slot)
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
