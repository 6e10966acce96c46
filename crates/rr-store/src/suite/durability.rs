//! What a success promises, and what a failure leaves.

use super::*;
use crate::StoreError;

#[tokio::test]
async fn a_mutation_without_its_audit_row_does_not_happen() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    execute(&store, "DROP TABLE activity_log").await;
    let created = store.create_key(key(2), once("k", 1), audit(2)).await;
    assert!(matches!(created, Err(StoreError::Outdated)), "{created:?}");
    assert!(store.revoke_key(id(1), audit(3)).await.is_err());
    assert!(store.create_user(user(5, "x@example.com"), audit(4)).await.is_err());
    assert!(store.append_facts(vec![signup(1, 1)], audit(5)).await.is_err());
    assert!(store.key(id(2)).await.unwrap().is_none());
    assert!(store.key(id(1)).await.unwrap().unwrap().record.revoked_at.is_none());
    assert!(store.is_empty().await.unwrap());
    assert_eq!(store.facts_version().await.unwrap(), 0);
    assert_eq!(number(&store, "SELECT count(*) FROM idempotency_keys").await, 0);
}

#[tokio::test]
async fn audit_rows_say_who_what_and_from_where() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let by = crate::Audit { actor: crate::Actor::Administrator(id(9)), ..audit(7) };
    store.create_key(key(1), None, by).await.unwrap();
    let row = store.activity(first(1)).await.unwrap().items.remove(0);
    assert_eq!(row.at, at(7));
    assert_eq!(row.actor, format!("administrator:{}", id(9)));
    assert_eq!((row.action.as_str(), row.subject), ("key.created", Some(format!("key:{}", id(1)))));
    assert_eq!(row.request_id.as_deref(), Some("req-1"));
    assert_eq!(row.address.as_deref(), Some("127.0.0.1"));
    assert!(!row.detail.get().contains("0101"), "no hash: {}", row.detail.get());
}
