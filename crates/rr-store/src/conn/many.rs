//! Many rows by a statement that stays prepared, however many they are.
//!
//! Parsing a statement costs more than inserting a row, and both databases know a statement again by
//! its text, which must not depend on the number of rows. SQLite has no arrays: there the rows go in by
//! full parts, and what is left by one statement that has room for a full part and is told how many
//! there are. As what is written before each value never changes, nothing of it is put together or looked
//! at again once it is prepared. PostgreSQL takes as many rows at a time as it can bind, or, where batches
//! come all the time, each column as one array.

use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, BigInt, HasSqlType};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};

use super::{Conn, PG_BINDS};
use crate::types::{DbUuid, Id};

/// A row on its way into a table.
pub(crate) trait Row {
    /// The same type, whatever it borrows: what tells one statement from another.
    type Named: 'static;
    /// The table and its columns.
    const INTO: &'static str;
    /// What becomes of it when a row of its key is there already.
    const CLASH: Clash;
    /// Binds the row's values in the order in which `INTO` names their columns.
    fn bind<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()>;
}

/// How many columns a table's text names.
const fn columns(into: &str) -> usize {
    let (mut bytes, mut columns) = (into.as_bytes(), 1);
    while let [first, rest @ ..] = bytes {
        if *first == b',' {
            columns += 1;
        }
        bytes = rest;
    }
    columns
}

/// What makes room in a statement of SQLite's for one row more.
const fn room(columns: usize) -> &'static str {
    "),(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?".split_at("),(".len() + 2 * columns - 1).0
}

/// What an insert does about a row that is there already.
pub(crate) enum Clash {
    /// Nothing is inserted, and the transaction fails.
    Fails,
    /// The row stays as it is; the text is how PostgreSQL is told.
    Stays(&'static str),
    /// The row is changed as this text says.
    Changes(&'static str),
}

/// Inserts rows; says how many went in.
pub(crate) fn insert<R: Row>(conn: &mut Conn, rows: &[R]) -> QueryResult<usize> {
    match conn {
        Conn::Pg(c) => parts_for_pg(rows).map(|part| Insert(part).execute(c)).sum(),
        Conn::Lite(c) => insert_lite(c, rows),
    }
}

/// Inserts rows that have an id; gives the ids of those that went in.
pub(crate) fn insert_new<R: Row>(conn: &mut Conn, rows: &[R]) -> QueryResult<Vec<Id>> {
    let mut ids = Vec::new();
    match conn {
        Conn::Pg(c) => {
            for part in parts_for_pg(rows) {
                ids.extend(Ids(Insert(part)).get_results::<Id>(c)?);
            }
        }
        Conn::Lite(c) => {
            for part in parts_for_lite(rows) {
                ids.extend(part.ids(c)?);
            }
        }
    }
    Ok(ids)
}

/// The same as [`insert`], where it is known which database it is.
pub(crate) fn insert_lite<R: Row>(conn: &mut SqliteConnection, rows: &[R]) -> QueryResult<usize> {
    let count = parts_for_lite(rows).map(|part| part.execute(conn)).sum::<QueryResult<usize>>()?;
    if matches!(R::CLASH, Clash::Fails) && count < rows.len() {
        let reason = Box::new("a row is there already, or a check refuses it".to_owned());
        return Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, reason));
    }
    Ok(count)
}

fn parts_for_pg<R: Row>(rows: &[R]) -> impl Iterator<Item = &[R]> {
    rows.chunks(PG_BINDS / const { columns(R::INTO) })
}

/// How many rows one statement takes on SQLite.
pub(crate) const FULL: usize = 32;

/// Rows that one statement inserts on SQLite.
pub(crate) enum Part<'r, R> {
    Full(&'r [R; FULL]),
    Few(Few<'r, R>),
    One(&'r [R; 1]),
}

/// Less than a full part.
pub(crate) struct Few<'r, R> {
    rows: &'r [R],
    count: i64,
}

impl<'r, R> Few<'r, R> {
    fn of(rows: &'r [R]) -> Few<'r, R> {
        Few { rows, count: i64::try_from(rows.len()).unwrap_or(i64::MAX) }
    }
}

/// A statement of many rows that may be refused half-way keeps a copy of every page that it touches, to
/// undo itself. `INSERT OR IGNORE` cannot be refused, and is asked how many it took. What changes rows
/// can be: those come singly.
pub(crate) fn parts_for_lite<R: Row>(rows: &[R]) -> impl Iterator<Item = Part<'_, R>> {
    let together = if matches!(R::CLASH, Clash::Changes(_)) { 0 } else { rows.len() };
    let (together, singly) = rows.split_at(together);
    let (full, rest) = together.as_chunks();
    let (few, last) = rest.split_at(if rest.len() == 1 { 0 } else { rest.len() });
    let few = (!few.is_empty()).then(|| Part::Few(Few::of(few)));
    let one = last.iter().chain(singly).map(std::array::from_ref);
    full.iter().map(Part::Full).chain(few).chain(one.map(Part::One))
}

impl<'r, R: Row> Part<'r, R> {
    /// The rows, whatever their number.
    pub(crate) fn rows(&self) -> &'r [R] {
        match self {
            Part::Full(rows) => *rows,
            Part::Few(few) => few.rows,
            Part::One(rows) => *rows,
        }
    }

    /// Inserts them; says how many went in.
    pub(crate) fn execute(&self, conn: &mut SqliteConnection) -> QueryResult<usize> {
        match self {
            Part::Full(rows) => Insert(*rows).execute(conn),
            Part::Few(few) => Insert(few).execute(conn),
            Part::One(rows) => Insert(*rows).execute(conn),
        }
    }

    fn ids(&self, conn: &mut SqliteConnection) -> QueryResult<Vec<Id>> {
        match self {
            Part::Full(rows) => Ids(Insert(*rows)).get_results(conn),
            Part::Few(few) => Ids(Insert(few)).get_results(conn),
            Part::One(rows) => Ids(Insert(*rows)).get_results(conn),
        }
    }
}

/// Writes what one statement binds, one value after the other.
pub(crate) struct Values<'a, 'b> {
    out: Out<'a, 'b>,
    before: &'static str,
}

enum Out<'a, 'b> {
    Pg(AstPass<'a, 'b, Pg>),
    Lite(AstPass<'a, 'b, Sqlite>),
}

impl<'b> Values<'_, 'b> {
    /// Binds the next value of the row.
    pub(crate) fn put<T, U>(&mut self, value: &'b U) -> QueryResult<()>
    where
        Pg: HasSqlType<T>,
        Sqlite: HasSqlType<T>,
        U: ToSql<T, Pg> + ToSql<T, Sqlite> + ?Sized,
    {
        let before = std::mem::replace(&mut self.before, ",");
        self.push(before);
        match &mut self.out {
            Out::Pg(out) => out.push_bind_param::<T, U>(value),
            Out::Lite(out) => out.push_bind_param::<T, U>(value),
        }
    }

    /// Binds the values of rows, and leaves the last row open.
    fn put_all<R: Row>(&mut self, rows: &'b [R]) -> QueryResult<()> {
        self.before = "(";
        for row in rows {
            row.bind(self)?;
            self.before = "),(";
        }
        Ok(())
    }

    fn push(&mut self, sql: &str) {
        match &mut self.out {
            Out::Pg(out) => out.push_sql(sql),
            Out::Lite(out) => out.push_sql(sql),
        }
    }
}

/// The insert of rows: of an array or of less than a full part, by which diesel knows the statement again,
/// or of a slice.
struct Insert<'r, Rows: ?Sized>(&'r Rows);

/// `INSERT` of rows up to the places of their values.
fn start<'a, 'b, R: Row>(out: Out<'a, 'b>, source: &str) -> Values<'a, 'b> {
    let verb = match (&out, R::CLASH) {
        (Out::Lite(_), Clash::Fails | Clash::Stays(_)) => "INSERT OR IGNORE INTO ",
        _ => "INSERT INTO ",
    };
    let mut values = Values { out, before: "" };
    for sql in [verb, R::INTO, source] {
        values.push(sql);
    }
    values
}

fn write_insert<'b, R: Row>(rows: &'b [R], out: Out<'_, 'b>) -> QueryResult<()> {
    let after = match (&out, R::CLASH) {
        (_, Clash::Changes(after)) | (Out::Pg(_), Clash::Stays(after)) => after,
        _ => "",
    };
    let mut values = start::<R>(out, " VALUES ");
    values.put_all(rows)?;
    values.push(")");
    values.push(after);
    Ok(())
}

impl<R: Row, const N: usize> QueryFragment<Sqlite> for Insert<'_, [R; N]> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        write_insert(self.0, Out::Lite(out))
    }
}

/// SQLite makes one row after the other and asks for no more than there are.
impl<R: Row> QueryFragment<Sqlite> for Insert<'_, Few<'_, R>> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut values = start::<R>(Out::Lite(out), " WITH part (count) AS (SELECT ");
        values.put::<BigInt, _>(&self.0.count)?;
        values.push(") SELECT * FROM (VALUES ");
        values.put_all(self.0.rows)?;
        for _ in self.0.rows.len()..FULL {
            values.push(const { room(columns(R::INTO)) });
        }
        values.push(")) LIMIT (SELECT count FROM part)");
        Ok(())
    }
}

impl<R: Row, const N: usize> QueryId for Insert<'_, [R; N]> {
    type QueryId = (R::Named, [(); N]);
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row> QueryId for Insert<'_, Few<'_, R>> {
    type QueryId = (R::Named, Few<'static, ()>);
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row> QueryFragment<Pg> for Insert<'_, [R]> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        write_insert(self.0, Out::Pg(out))
    }
}

impl<R: Row> QueryId for Insert<'_, [R]> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Rows: ?Sized, C> RunQueryDsl<C> for Insert<'_, Rows> {}

/// The same, asked for the ids of what went in.
#[derive(QueryId)]
struct Ids<I>(I);

impl<DB: Backend, I: QueryFragment<DB>> QueryFragment<DB> for Ids<I> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" RETURNING id");
        Ok(())
    }
}

impl<I> Query for Ids<I> {
    type SqlType = DbUuid;
}

impl<I, C> RunQueryDsl<C> for Ids<I> {}

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
