//! The connection that a database thread holds, and how it gets a new one when that breaks.

use std::time::{Duration, Instant};

use diesel::QueryResult;
use r2d2::PooledConnection;

use super::manager::{Complain, Manager, Pool};
use super::{Conn, manager::Slot};
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
    held: Option<PooledConnection<Manager>>,
    patience: Duration,
    /// The last attempt to connect failed: until one works, nobody is made to wait again.
    down: bool,
}

impl Lease {
    pub(crate) fn new(pool: Pool, patience: Duration) -> Lease {
        Lease { pool, held: None, patience, down: false }
    }

    /// The connection, a new one if the last broke.
    pub(crate) fn conn(&mut self) -> Result<&mut Conn, StoreError> {
        Ok(&mut self.slot()?.conn)
    }

    fn slot(&mut self) -> Result<&mut Slot, StoreError> {
        let held = match self.held.take() {
            Some(held) => held,
            None => {
                let patience = if self.down { Duration::ZERO } else { self.patience };
                let got = self.pool.get_timeout(patience);
                self.down = got.is_err();
                got.map_err(|error| StoreError::Unavailable(Box::new(error)))?
            }
        };
        Ok(&mut *self.held.insert(held))
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
            && held.conn.batch("").is_err()
        {
            verdict.trouble = Trouble::Lost;
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
        let started = Instant::now();
        loop {
            let error = match work(self.conn()?) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let verdict = self.judge(&error);
            let quickly = started.elapsed() < Duration::from_secs(2);
            if verdict.trouble != Trouble::Lost || !quickly {
                return Err(verdict.into());
            }
        }
    }
}
