//! Migrations: embedded, applied together in one transaction, once however many processes start.
//!
//! Both databases take schema changes in transactions, so a half-run migration cannot exist: a
//! failure leaves the schema as it was. PostgreSQL processes queue on an advisory lock, SQLite ones
//! on the write lock, and whoever comes second finds nothing left to do.

mod list;

use std::collections::BTreeSet;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Bool, Text};

use crate::conn::{Conn, on_each};
use crate::events::understand_stored;
use crate::{Store, StoreError};

use list::{MIGRATIONS, Step};

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its name, the same on both databases.
    pub name: String,
    /// Whether it is in the database.
    pub applied: bool,
}

impl Migration {
    /// Every migration as it stands in a database that does not exist yet.
    pub fn none_applied() -> Vec<Migration> {
        let of = |step: &Step| Migration { name: step.name.to_owned(), applied: false };
        MIGRATIONS.iter().map(of).collect()
    }
}

/// Any number will do, as long as it stays.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_xact_lock(7235519021)";

impl Store {
    /// Applies what is missing, all or nothing, and names it.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.write(|conn| {
            prepare(conn)?;
            let applied = applied(conn)?;
            let missing = || MIGRATIONS.iter().filter(|step| !applied.contains(step.name));
            if let Some(newer) = unknown(&applied)
                && missing().next().is_some()
            {
                return Err(by_newer_release(newer));
            }
            for step in missing() {
                up(conn, step)?;
            }
            Ok(missing().map(|step| step.name.to_owned()).collect())
        })
        .await
    }

    /// Every migration this program knows, oldest first, and whether it is applied.
    pub async fn migration_status(&self) -> Result<Vec<Migration>, StoreError> {
        self.read(|conn| {
            let applied = if is_prepared(conn)? { applied(conn)? } else { BTreeSet::new() };
            let of = |step: &Step| Migration {
                name: step.name.to_owned(),
                applied: applied.contains(step.name),
            };
            Ok(MIGRATIONS.iter().map(of).collect())
        })
        .await
    }

    /// Takes the newest applied migration back, with all data in its tables, and names it.
    pub async fn migrate_down(&self) -> Result<Option<String>, StoreError> {
        self.write(|conn| {
            prepare(conn)?;
            let applied = applied(conn)?;
            if let Some(newer) = unknown(&applied) {
                return Err(by_newer_release(newer));
            }
            let newest = MIGRATIONS.iter().rev().find(|step| applied.contains(step.name));
            if let Some(step) = newest {
                down(conn, step)?;
            }
            Ok(newest.map(|step| step.name.to_owned()))
        })
        .await
    }
}

/// Takes the lock and makes the place where applied migrations are noted.
fn prepare(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Lite(_) => conn.batch(
            "CREATE TABLE IF NOT EXISTS schema_migrations (
                name       TEXT    NOT NULL PRIMARY KEY,
                applied_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
             ) STRICT",
        ),
        Conn::Pg(_) => {
            conn.batch(ADVISORY_LOCK)?;
            // Asking for a schema that exists would still need the right to make one.
            if !ask(conn, "SELECT to_regnamespace('revenue_ripple') IS NOT NULL")? {
                conn.batch("CREATE SCHEMA revenue_ripple")?;
            }
            conn.batch(
                "CREATE TABLE IF NOT EXISTS revenue_ripple.schema_migrations (
                    name       text        NOT NULL PRIMARY KEY,
                    applied_at timestamptz NOT NULL DEFAULT now()
                 )",
            )
        }
    }
}

fn is_prepared(conn: &mut Conn) -> QueryResult<bool> {
    let question = match conn {
        Conn::Lite(_) => "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'schema_migrations'",
        Conn::Pg(_) => "SELECT to_regclass('revenue_ripple.schema_migrations') IS NOT NULL",
    };
    ask(conn, question)
}

fn ask(conn: &mut Conn, question: &str) -> QueryResult<bool> {
    on_each!(conn, |c| sql::<Bool>(question).get_result(c))
}

fn applied(conn: &mut Conn) -> QueryResult<BTreeSet<String>> {
    let names: Vec<String> =
        on_each!(conn, |c| sql::<Text>("SELECT name FROM schema_migrations").get_results(c))?;
    Ok(names.into_iter().collect())
}

fn up(conn: &mut Conn, step: &Step) -> QueryResult<()> {
    let script = match conn {
        Conn::Lite(_) => step.sqlite.up,
        Conn::Pg(_) => step.postgres.up,
    };
    conn.batch(script)?;
    // What a script cannot do. Of events that came before there were meanings, it is done once.
    if step.name == "0014_bodies_by_month" {
        understand_stored(conn)?;
    }
    conn.batch(&format!("INSERT INTO schema_migrations (name) VALUES ('{}')", step.name))
}

fn down(conn: &mut Conn, step: &Step) -> QueryResult<()> {
    let script = match conn {
        Conn::Lite(_) => step.sqlite.down,
        Conn::Pg(_) => step.postgres.down,
    };
    conn.batch(script)?;
    conn.batch(&format!("DELETE FROM schema_migrations WHERE name = '{}'", step.name))
}

fn unknown(applied: &BTreeSet<String>) -> Option<&str> {
    let known = |name: &str| MIGRATIONS.iter().any(|step| step.name == name);
    applied.iter().map(String::as_str).find(|name| !known(name))
}

fn by_newer_release(name: &str) -> Error {
    let text = format!("migration {name} was applied by a newer release; use that release");
    Error::QueryBuilderError(text.into())
}
