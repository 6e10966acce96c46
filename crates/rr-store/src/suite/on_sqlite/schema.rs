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
