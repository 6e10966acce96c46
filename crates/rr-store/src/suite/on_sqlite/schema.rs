//! What SQLite is told about its tables.

use super::*;

#[tokio::test]
async fn every_table_of_sqlite_is_strict() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    let loose = "SELECT count(*) FROM pragma_table_list \
         WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND NOT strict";
    assert_eq!(number(&store, loose).await, 0);
}

/// No connection looks at a check (`conn/lite.rs`), so none may ask for what our types do not see to.
#[tokio::test]
async fn checks_are_of_sizes_and_switches_alone() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    assert_eq!(number(&store, "PRAGMA ignore_check_constraints").await, 1);
    let schema = store
        .read(|conn| {
            use diesel::prelude::*;
            crate::conn::on_each!(conn, |c| diesel::dsl::sql::<diesel::sql_types::Text>(
                "SELECT group_concat(sql, ';') FROM sqlite_schema"
            )
            .get_result::<String>(c))
        })
        .await
        .unwrap();
    let checks: Vec<&str> = schema.split("CHECK (").skip(1).collect();
    assert!(checks.len() > 1, "{schema}");
    for check in checks {
        let size = check.strip_prefix("length(").and_then(|rest| rest.split_once(") = "));
        let is_size =
            size.is_some_and(|(_, rest)| rest.starts_with("16)") || rest.starts_with("32)"));
        let switch = check.split_once(' ');
        let is_switch = switch.is_some_and(|(_, rest)| rest.starts_with("IN (0, 1))"));
        assert!(is_size || is_switch, "{check}");
    }
}
