//! What people see at psql.

use super::*;

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn postgresql_has_native_types_and_its_own_schema() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let columns = super::super::schema::columns(&store).await;
    for expected in [
        "events.id required uuid",
        "events.received_at required timestamp with time zone",
        "events.data required json",
        "facts.body required jsonb",
        "api_keys.permissions required jsonb",
        "api_keys.enabled required boolean",
    ] {
        assert!(columns.iter().any(|column| column == expected), "{expected} in {columns:#?}");
    }
    let elsewhere = "SELECT count(*) FROM information_schema.tables \
         WHERE table_schema NOT IN ('revenue_ripple', 'pg_catalog', 'information_schema')";
    assert_eq!(number(&store, elsewhere).await, 0);
    store.accept_event(event(1), None).await.unwrap();
    let readable = "SELECT count(*) FROM events WHERE data->>'version' = '1.2.3' \
         AND data::jsonb @> '{\"version\":\"1.2.3\"}' AND received_at = '2026-01-01T00:00:01Z'";
    assert_eq!(number(&store, readable).await, 1);
}
