//! The two schemas are one: same tables, same columns, same nullability, matching types.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::*;
use crate::Store;
use crate::conn::{Conn, on_each};

const OF_SQLITE: &str = "SELECT t.name || '.' || c.name || ' ' || \
       CASE WHEN c.\"notnull\" THEN 'required' ELSE 'optional' END || ' ' || lower(c.type) \
     FROM sqlite_schema t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1";
const OF_POSTGRES: &str = "SELECT table_name || '.' || column_name || ' ' || \
       CASE WHEN is_nullable = 'NO' THEN 'required' ELSE 'optional' END || ' ' || data_type \
     FROM information_schema.columns WHERE table_schema = 'revenue_ripple' AND NOT EXISTS \
       (SELECT FROM pg_inherits WHERE inhrelid = format('%I.%I', table_schema, table_name)::regclass) \
     ORDER BY 1";

pub(super) async fn columns(store: &Store) -> Vec<String> {
    store
        .read(|conn| {
            let query = if matches!(conn, Conn::Pg(_)) { OF_POSTGRES } else { OF_SQLITE };
            on_each!(conn, |c| sql::<Text>(query).get_results(c))
        })
        .await
        .unwrap()
}

/// What a column of PostgreSQL is in SQLite.
fn in_sqlite(column: &str) -> String {
    let pairs = [
        (" uuid", " blob"),
        (" bytea", " blob"),
        (" timestamp with time zone", " integer"),
        (" bigint", " integer"),
        (" boolean", " integer"),
        (" jsonb", " text"),
        (" json", " text"),
    ];
    let pair = pairs.iter().find(|(postgres, _)| column.ends_with(postgres));
    pair.map_or(column.to_owned(), |(postgres, sqlite)| column.replace(postgres, sqlite))
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let sqlite = TestDatabase::sqlite();
    let reference = columns(&sqlite.migrated().await).await;
    assert!(reference.len() > 60, "{reference:?}");
    let database = TestDatabase::new();
    let mut found: Vec<_> =
        columns(&database.migrated().await).await.iter().map(|column| in_sqlite(column)).collect();
    found.sort();
    let mut reference = reference;
    reference.sort();
    assert_eq!(found, reference);
}
