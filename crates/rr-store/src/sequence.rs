//! Numbers in commit order.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};

use crate::conn::{Conn, on_each};
use crate::schema::sequences;

/// A row of the table `sequences`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sequence {
    Keys,
    Events,
    Facts,
    /// How often a source of webhooks was changed.
    WebhookSources,
    /// The last fact that the ledger holds.
    Ledger,
    /// How often the ledger was made anew.
    LedgerRebuilds,
    /// The last fact in the ledger that is being made anew; below zero when none is.
    LedgerAnew,
    /// What the entries of the ledger move together, whichever way.
    LedgerTurnover,
    /// The same of the ledger that is being made anew.
    LedgerAnewTurnover,
}

impl Sequence {
    /// The name of its row.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sequence::Keys => "keys",
            Sequence::Events => "events",
            Sequence::Facts => "facts",
            Sequence::WebhookSources => "webhook_sources",
            Sequence::Ledger => "ledger",
            Sequence::LedgerRebuilds => "ledger_rebuilds",
            Sequence::LedgerAnew => "ledger_anew",
            Sequence::LedgerTurnover => "ledger_turnover",
            Sequence::LedgerAnewTurnover => "ledger_anew_turnover",
        }
    }

    /// Takes `count` numbers and returns the first. The row stays locked until the transaction
    /// ends, so the numbers of one sequence are committed in their order.
    pub(crate) fn take(self, conn: &mut Conn, count: usize) -> QueryResult<i64> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let last: i64 = match conn {
            Conn::Pg(c) => diesel::update(sequences::table.find(self.name()))
                .set(sequences::value.eq(sequences::value + count))
                .returning(sequences::value)
                .get_result(c)?,
            // Alone with the file, it takes two statements that stay prepared; `RETURNING` would make a
            // table of its own for one number.
            Conn::Lite(c) => {
                Advance { name: self.name(), count }.execute(c)?;
                self.last(conn)?
            }
        };
        Ok(last - count + 1)
    }

    /// Waits until nobody else is about to take a number and keeps it so until the transaction ends, without
    /// taking one: for whoever has to look before it is clear that anything changes.
    pub(crate) fn hold(self, conn: &mut Conn) -> QueryResult<()> {
        match conn {
            Conn::Pg(c) => {
                sequences::table
                    .find(self.name())
                    .select(sequences::value)
                    .for_update()
                    .get_result::<i64>(c)?;
            }
            // A writer is alone with the file from the start of its transaction.
            Conn::Lite(_) => {}
        }
        Ok(())
    }

    /// The last number that was taken by a committed transaction.
    pub(crate) fn last(self, conn: &mut Conn) -> QueryResult<i64> {
        on_each!(conn, |c| sequences::table
            .find(self.name())
            .select(sequences::value)
            .get_result(c))
    }

    /// Adds to it if the sum fits; says whether it did.
    pub(crate) fn grow(self, conn: &mut Conn, by: i64) -> QueryResult<bool> {
        on_each!(conn, |c| diesel::update(sequences::table.find(self.name()))
            .filter(sequences::value.le(i64::MAX - by))
            .set(sequences::value.eq(sequences::value + by))
            .execute(c))
        .map(|rows| rows == 1)
    }

    /// Notes that everything up to `value` is done.
    pub(crate) fn set(self, conn: &mut Conn, value: i64) -> QueryResult<()> {
        on_each!(conn, |c| diesel::update(sequences::table.find(self.name()))
            .set(sequences::value.eq(value))
            .execute(c))
        .map(drop)
    }
}

/// Adds to a number, by a statement that SQLite keeps prepared, as it keeps none of diesel's updates.
struct Advance {
    name: &'static str,
    count: i64,
}

impl QueryFragment<Sqlite> for Advance {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE sequences SET value = value + ");
        out.push_bind_param::<BigInt, _>(&self.count)?;
        out.push_sql(" WHERE name = ");
        out.push_bind_param::<Text, _>(self.name)
    }
}

impl QueryId for Advance {
    type QueryId = Advance;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Advance {}
