//! Two servers that write the usage of the same keys.

use rr_keys::KeyUsage;

use super::*;

/// A flush has its keys in no order, and several statements for many of them.
#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn two_servers_never_wait_for_each_other() {
    const KEYS: u8 = 2;
    const ROUNDS: i64 = 10;
    let database = TestDatabase::new();
    let one = database.migrated().await;
    let other = database.open();
    for number in 1..=KEYS {
        one.create_key(key(number), None, audit(1)).await.unwrap();
    }
    // Between the two stand enough that nobody knows to need statements of their own.
    let usage = |[first, last]: [u128; 2]| -> Vec<KeyUsage> {
        let numbers = std::iter::once(first).chain(1_000..3_000).chain([last]);
        numbers.map(|number| KeyUsage::new(id(number), 1, at(1).to_system_time())).collect()
    };
    let (first, last) = (1, u128::from(KEYS));
    for _ in 0..ROUNDS {
        let (here, there) = tokio::join!(
            record_usage(&one, usage([first, last])),
            record_usage(&other, usage([last, first])),
        );
        here.unwrap();
        there.unwrap();
    }
    for number in [first, last] {
        let row = one.key(id(number)).await.unwrap().unwrap();
        assert_eq!(row.use_count, 2 * ROUNDS);
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(number(&one, deadlocks).await, 0);
}
