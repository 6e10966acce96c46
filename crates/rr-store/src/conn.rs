//! One connection to either database, and the macro that runs one query on whichever it is.

mod lease;
mod lite;
mod manager;
mod many;
mod pg;
mod place;
mod runtime;
mod tls;

use diesel::connection::SimpleConnection;
use diesel::{QueryResult, SqliteConnection};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;

pub(crate) use lease::{Lease, new_pool};
#[cfg(test)]
pub(crate) use lite::MAX_WAL_BYTES;
pub(crate) use lite::{SqliteFile, check_version};
pub(crate) use manager::{Counters, Manager, Refusal, Target, chain};
pub(crate) use many::{
    Clash, FULL, Row, Values, insert, insert_lite, insert_new, parts_for_lite, push_column,
};
pub(crate) use pg::PgTarget;
#[cfg(test)]
pub(crate) use place::Displaced;
pub(crate) use runtime::OwnRuntime;

/// PostgreSQL through the pure-Rust driver, behind diesel's blocking API.
pub(crate) type PgConn = AsyncConnectionWrapper<AsyncPgConnection, OwnRuntime>;

/// A connection to either database.
#[expect(clippy::large_enum_variant, reason = "a handful exist, each held by one thread for long")]
pub(crate) enum Conn {
    Pg(PgConn),
    Lite(SqliteConnection),
}

/// Runs one diesel expression on whichever connection it is. The compiler checks it twice, so
/// everything that both databases can do is allowed.
macro_rules! on_each {
    ($conn:expr, |$each:ident| $query:expr) => {
        match $conn {
            $crate::conn::Conn::Pg($each) => $query,
            $crate::conn::Conn::Lite($each) => $query,
        }
    };
}
pub(crate) use on_each;

/// How many values one statement may bind on PostgreSQL.
const PG_BINDS: usize = 65_535;
/// How many values one statement may bind on SQLite.
const LITE_BINDS: usize = 32_766;

impl Conn {
    /// Runs statements that bind nothing and return nothing.
    pub(crate) fn batch(&mut self, sql: &str) -> QueryResult<()> {
        on_each!(self, |c| c.batch_execute(sql))
    }

    /// Runs reads of the ledger that all see the same state of the database. On PostgreSQL a snapshot
    /// does not cover names: the tables are locked before it is taken, so that nobody gives a name to
    /// another table in between.
    pub(crate) fn snapshot<T>(
        &mut self,
        work: impl FnOnce(&mut Conn) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let begun = self.batch(match self {
            Conn::Pg(_) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                 LOCK TABLE ledger_counters, ledger_entries, ledger_hours IN ACCESS SHARE MODE"
            }
            Conn::Lite(_) => "BEGIN",
        });
        if let Err(error) = begun {
            drop(self.batch("ROLLBACK"));
            return Err(error);
        }
        let outcome = work(self);
        let ended = self.batch(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" });
        let value = outcome?;
        ended.map(|()| value)
    }

    /// How many values one statement may bind.
    pub(crate) fn bind_limit(&self) -> usize {
        match self {
            Conn::Pg(_) => PG_BINDS,
            Conn::Lite(_) => LITE_BINDS,
        }
    }
}
