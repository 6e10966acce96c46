//! Secrets of sources: how many there may be, and what is left of those that ended.

use super::*;
use crate::{NewSourceSecret, SourceOutcome, Store};

/// Adds the secret of a number at a second; those before it end `overlap` seconds later.
async fn rotate(store: &Store, number: u128, seconds: i64, overlap: i64) -> SourceOutcome {
    let secret = NewSourceSecret { others_end_at: at(seconds + overlap), ..source_secret(number) };
    store.add_source_secret("default".to_owned(), secret, audit(seconds)).await.unwrap()
}

async fn known(store: &Store) -> Vec<u128> {
    let (_, sources) = store.webhook_sources().await.unwrap();
    sources[0].secrets.iter().map(|secret| secret.id.as_u128() - id(0).as_u128()).collect()
}

#[tokio::test]
async fn secrets_that_have_ended_take_no_place() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for number in 1..=30 {
        let outcome = rotate(&store, number, i64::try_from(number).unwrap(), 0).await;
        assert!(matches!(outcome, SourceOutcome::Done(_)), "{number}: {outcome:?}");
    }
    assert_eq!(known(&store).await, [28, 29, 30], "two are known on, and the last is good");
    // Those that are still good do take one each.
    for number in 31..=39 {
        let outcome = rotate(&store, number, 100, 1_000).await;
        assert!(matches!(outcome, SourceOutcome::Done(_)), "{number}: {outcome:?}");
    }
    assert!(matches!(rotate(&store, 40, 1_099, 1_000).await, SourceOutcome::TooMany));
    assert!(matches!(rotate(&store, 40, 1_100, 1_000).await, SourceOutcome::Done(_)));
    assert_eq!(known(&store).await, [37, 38, 39, 40]);
}
