//! The connection that a database thread holds, and how it gets a new one when that breaks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use diesel::QueryResult;
use r2d2::PooledConnection;

use super::Conn;
use super::manager::{Complain, Counters, Manager, Pool, Slot};
use super::place::Displaced;
use crate::StoreError;
use crate::error::{Trouble, Verdict};

/// Makes the pool: at most one connection for each thread, none made before it is needed, none
/// tested at checkout.
pub(crate) fn new_pool(manager: Manager, threads: u32) -> Pool {
    Pool::builder()
        .max_size(threads)
        .min_idle(Some(0))
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        // r2d2 tries again after at most half of this.
        .connection_timeout(Duration::from_secs(1))
        .error_handler(Box::new(Complain::default()))
        .build_unchecked(manager)
}

/// One thread's hold on a connection, kept from call to call.
pub(crate) struct Lease {
    pool: Pool,
    counters: Arc<Counters>,
    held: Option<PooledConnection<Manager>>,
    patience: Duration,
    /// The last attempt to connect failed, when this many connections had been made: until somebody
    /// makes another one, nobody is made to wait again.
    down: Option<u64>,
}

/// How often a read is tried: once, and again with a new connection when it met a dead one.
const ATTEMPTS: usize = 2;

impl Lease {
    pub(crate) fn new(pool: Pool, counters: Arc<Counters>, patience: Duration) -> Lease {
        Lease { pool, counters, held: None, patience, down: None }
    }

    /// The connection, a new one if the last broke.
    pub(crate) fn conn(&mut self) -> Result<&mut Conn, StoreError> {
        Ok(&mut self.slot()?.conn)
    }

    fn slot(&mut self) -> Result<&mut Slot, StoreError> {
        let held = match self.held.take() {
            Some(held) => held,
            None => {
                let made = self.counters.made.load(Ordering::Relaxed);
                let patience = if self.down == Some(made) { Duration::ZERO } else { self.patience };
                let got = self.pool.get_timeout(patience);
                self.down = got.is_err().then_some(made);
                got.map_err(|_| StoreError::Unavailable(self.counters.refusal().into()))?
            }
        };
        let slot = self.held.insert(held);
        // Kept: a file that is put back is the same file, and this connection is good again.
        slot.check_place().map_err(|displaced| StoreError::Unavailable(displaced.into()))?;
        Ok(&mut **slot)
    }

    /// Whether what was just committed will be found again.
    pub(crate) fn check_place(&self) -> Result<(), Displaced> {
        self.held.as_ref().map_or(Ok(()), |held| held.check_place())
    }

    /// Throws the connection away; the next call gets another.
    pub(crate) fn discard(&mut self) {
        if let Some(mut held) = self.held.take() {
            held.broken = true;
        }
    }

    /// Judges an error and throws the connection away if it caused it.
    pub(crate) fn judge(&mut self, error: &diesel::result::Error) -> Verdict {
        let mut verdict = Verdict::of(error);
        // A server that speaks another language words its farewell differently: ask it.
        if verdict.trouble == Trouble::Defect
            && let Some(held) = &mut self.held
            && matches!(held.conn, Conn::Pg(_))
        {
            if held.conn.batch("").is_err() {
                verdict.trouble = Trouble::Lost;
            } else if !held.is_readable && is_unnamed(error) {
                // Nothing says that it is a defect of ours, and a caller may well try again.
                verdict.trouble = Trouble::Temporary;
            }
        }
        if verdict.trouble == Trouble::Lost {
            self.discard();
        }
        verdict
    }

    /// Runs a read; one that fails because its connection had died meanwhile runs once more.
    pub(crate) fn read<T>(
        &mut self,
        work: &mut dyn FnMut(&mut Conn) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        let mut attempt = 1;
        loop {
            let error = match work(self.conn()?) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let verdict = self.judge(&error);
            if verdict.trouble != Trouble::Lost || attempt == ATTEMPTS {
                return Err(verdict.into());
            }
            attempt += 1;
        }
    }
}

/// Whether diesel has no name for the error, so that its words would have to be understood.
fn is_unnamed(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    matches!(error, Error::DatabaseError(DatabaseErrorKind::Unknown, _))
}
