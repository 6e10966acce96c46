//! Many rows by a statement that stays prepared, however many they are.
//!
//! Parsing a statement costs more than inserting a row, and both databases know a statement again by
//! its text, which must not depend on the number of rows. PostgreSQL takes each column as one array.
//! SQLite has no arrays: there the rows go in by parts of fixed sizes, and as what is written before
//! each value never changes, nothing of it is put together or looked at again once it is prepared.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, HasSqlType};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};

/// A row on its way to SQLite.
pub(crate) trait LiteRow {
    /// The same type, whatever it borrows: what tells one statement from another.
    type Named: 'static;
    /// The statement up to its first row.
    const INSERT: &'static str;
    /// Binds the row's values in the order in which `INSERT` names them.
    fn bind<'b>(&'b self, values: &mut Values<'_, '_, 'b>) -> QueryResult<()>;
}

/// Inserts rows; says how many the statement let in.
pub(crate) fn insert_lite<R: LiteRow>(
    conn: &mut SqliteConnection,
    rows: &[R],
) -> QueryResult<usize> {
    let mut count = 0;
    let (many, rest) = rows.as_chunks::<32>();
    for part in many {
        count += Insert(part).execute(conn)?;
    }
    let (some, rest) = rest.as_chunks::<8>();
    for part in some {
        count += Insert(part).execute(conn)?;
    }
    for part in rest.as_chunks::<1>().0 {
        count += Insert(part).execute(conn)?;
    }
    Ok(count)
}

/// Inserts rows, of which none may be there yet. A statement of many rows that may be refused half-way
/// keeps a copy of every page that it touches, to undo itself. `INSERT OR IGNORE` cannot be refused, so
/// it is asked how many it took: fewer than were given fail the whole transaction.
pub(crate) fn insert_all<R: LiteRow>(conn: &mut SqliteConnection, rows: &[R]) -> QueryResult<()> {
    if insert_lite(conn, rows)? == rows.len() {
        return Ok(());
    }
    let reason = Box::new("a row is there already, or a check refuses it".to_owned());
    Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, reason))
}

/// Binds one value after the other.
pub(crate) struct Values<'p, 'a, 'b> {
    out: &'p mut AstPass<'a, 'b, Sqlite>,
    before: &'static str,
}

impl<'b> Values<'_, '_, 'b> {
    /// Binds the next value of the row.
    pub(crate) fn put<T, U>(&mut self, value: &'b U) -> QueryResult<()>
    where
        Sqlite: HasSqlType<T>,
        U: ToSql<T, Sqlite> + ?Sized,
    {
        self.out.push_sql(std::mem::replace(&mut self.before, ","));
        self.out.push_bind_param::<T, U>(value)
    }
}

struct Insert<'r, R, const N: usize>(&'r [R; N]);

impl<R: LiteRow, const N: usize> QueryFragment<Sqlite> for Insert<'_, R, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(R::INSERT);
        let mut before = "(";
        for row in self.0 {
            row.bind(&mut Values { out: &mut out, before })?;
            before = "),(";
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<R: LiteRow, const N: usize> QueryId for Insert<'_, R, N> {
    type QueryId = (R::Named, [(); N]);
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R, const N: usize> RunQueryDsl<SqliteConnection> for Insert<'_, R, N> {}

/// Binds one column of PostgreSQL's, as what a `SELECT` makes rows of: all arrays step by step together.
pub(crate) fn push_column<'b, T, U>(
    out: &mut AstPass<'_, 'b, Pg>,
    before: &str,
    values: &'b [U],
) -> QueryResult<()>
where
    T: 'static,
    Pg: HasSqlType<T>,
    U: ToSql<T, Pg>,
{
    out.push_sql(before);
    out.push_sql("unnest(");
    out.push_bind_param::<Array<T>, [U]>(values)?;
    out.push_sql(")");
    Ok(())
}
