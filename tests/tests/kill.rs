//! SIGKILL under load: what was acknowledged is there afterwards, exactly once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rr_store::{EventFilter, PageRequest};
use rr_tests::client::Client;
use rr_tests::database::{TestDatabase, open_store};
use rr_tests::process::{Program, make_key};
use serde_json::json;

/// Sends numbered events until the server is gone; gives what was acknowledged, by number.
async fn send_until_dead(
    client: Client,
    sender: usize,
    round: usize,
    dead: Arc<AtomicBool>,
) -> Vec<(String, String)> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if dead.load(Ordering::SeqCst) {
            break;
        }
        let name = format!("{round}-{sender}-{number}");
        let body = json!({"event_type": "load", "name": name});
        let call = client.post("/api/devops/webhook", &body).header("idempotency-key", &name);
        match call.attempt().await {
            Ok(answer) if answer.code() == 200 => {
                let id = answer.json()["webhook_id"].as_str().unwrap().to_owned();
                acknowledged.push((name, id));
            }
            // Under load a full queue may refuse; nothing else may go wrong.
            Ok(answer) => assert_eq!(answer.code(), 503, "{}", answer.text()),
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test]
async fn what_was_acknowledged_survives_sigkill_exactly_once() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for round in 0..3 {
        let mut server = Program::new(database.url(), ["serve"]).serve().await;
        let client = server.client().with_key(&key);
        let dead = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..16)
            .map(|sender| {
                tokio::spawn(send_until_dead(client.clone(), sender, round, Arc::clone(&dead)))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(900)).await;
        server.kill();
        dead.store(true, Ordering::SeqCst);
        for sender in senders {
            acknowledged.extend(sender.await.unwrap());
        }
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

async fn stored_names(url: &str) -> HashMap<String, Vec<String>> {
    let store = open_store(url);
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    let mut cursor = None;
    loop {
        let request = PageRequest { limit: 1000, cursor };
        let page = store.events(EventFilter::default(), request).await.unwrap();
        for event in page.items {
            let data: serde_json::Value = serde_json::from_str(event.data.get()).unwrap();
            let name = data["name"].as_str().unwrap().to_owned();
            names.entry(name).or_default().push(event.id.to_string());
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    store.close().await;
    names
}
