//! SIGKILL under load: what was acknowledged is there afterwards, exactly once. `cargo xtask rig kill`
//! does the same two hundred times on each database.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rr_tests::database::TestDatabase;
use rr_tests::durability::{Tally, kill_rounds};
use rr_tests::process::{Program, make_key};
use serde_json::json;

#[tokio::test]
async fn what_was_acknowledged_survives_sigkill_exactly_once() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let mut random = ChaCha20Rng::seed_from_u64(u64::from(std::process::id()));
    let acknowledged = kill_rounds(database.url(), &key, 4, &mut random).await;
    assert!(acknowledged.len() > 100, "hardly any load: {}", acknowledged.len());

    // A repeat after the restart finds the first: nothing is doubled either.
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let client = server.client().with_key(&key);
    for (name, id) in acknowledged.iter().rev().take(20) {
        let body = json!({"event_type": "load", "name": name});
        let answer =
            client.post("/api/devops/webhook", &body).header("idempotency-key", name).await.json();
        assert_eq!(answer["webhook_id"], id.as_str(), "{name}");
    }
    drop(server);

    let tally = Tally::of(database.url(), &acknowledged).await;
    assert_eq!((tally.lost, tally.doubled), (Vec::new(), Vec::new()));
}
