//! SIGKILL under load: what was acknowledged is there afterwards, exactly once, and so is what was stored
//! without anybody hearing of it and then sent again. `cargo xtask rig kill` does the same two hundred times
//! on each database.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rr_tests::database::TestDatabase;
use rr_tests::durability::{Tally, kill_rounds};
use rr_tests::load::Repeats;
use rr_tests::process::make_key;

#[tokio::test]
async fn what_was_acknowledged_survives_sigkill_exactly_once() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let mut random = ChaCha20Rng::seed_from_u64(u64::from(std::process::id()));
    let acknowledged = kill_rounds(database.url(), &key, 4, &mut random, Repeats::Known).await;
    assert!(acknowledged.len() > 100, "hardly any load: {}", acknowledged.len());

    let tally = Tally::of(database.url(), &acknowledged).await;
    assert_eq!((tally.lost, tally.doubled), (Vec::new(), Vec::new()));
}
