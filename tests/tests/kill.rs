//! SIGKILL under load: what was acknowledged is there afterwards, exactly once.

use std::time::Duration;

use rr_tests::database::TestDatabase;
use rr_tests::load::{Load, stored_names};
use rr_tests::process::{Program, make_key};
use serde_json::json;

#[tokio::test]
async fn what_was_acknowledged_survives_sigkill_exactly_once() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for _ in 0..3 {
        let mut server = Program::new(database.url(), ["serve"]).serve().await;
        let load = Load::start(&server.client().with_key(&key), 16);
        tokio::time::sleep(Duration::from_millis(900)).await;
        server.kill();
        acknowledged.extend(load.stop().await);
    }
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

    let stored = stored_names(database.url()).await;
    for (name, id) in &acknowledged {
        let ids = stored.get(name).unwrap_or_else(|| panic!("{name} was acknowledged and is lost"));
        assert_eq!(ids, std::slice::from_ref(id), "{name}");
    }
    assert!(stored.values().all(|ids| ids.len() == 1), "an event is there twice");
}
