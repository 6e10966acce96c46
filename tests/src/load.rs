//! Numbered events from many senders, and what was acknowledged of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rr_store::{EventFilter, PageRequest};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::database::open_store;

/// Senders at work.
pub struct Load {
    shared: Arc<Shared>,
    senders: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    acknowledged: Mutex<Vec<(String, String)>>,
}

/// Every load's events have names of their own.
static NEXT: AtomicUsize = AtomicUsize::new(0);

impl Load {
    /// Starts so many senders, each of which sends one event after another.
    pub fn start(client: &Client, senders: usize) -> Load {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new(Shared::default());
        let senders = (0..senders).map(|sender| {
            let prefix = format!("{number}-{sender}");
            tokio::spawn(send(client.clone(), prefix, Arc::clone(&shared)))
        });
        let senders = Mutex::new(senders.collect());
        Load { shared, senders }
    }

    /// How many events have been acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.lock().unwrap().len()
    }

    /// Name and id of what has been acknowledged so far.
    pub fn acknowledged_so_far(&self) -> Vec<(String, String)> {
        self.shared.acknowledged.lock().unwrap().clone()
    }

    /// Stops, and gives name and id of what was acknowledged.
    pub async fn stop(self) -> Vec<(String, String)> {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let senders = std::mem::take(&mut *self.senders.lock().unwrap());
        for sender in senders {
            sender.await.unwrap();
        }
        std::mem::take(&mut *self.shared.acknowledged.lock().unwrap())
    }
}

/// An event that was refused, or whose answer was lost, is sent again: its name makes that harmless.
async fn send(client: Client, prefix: String, shared: Arc<Shared>) {
    let mut number = 0;
    while !shared.stopped.load(Ordering::SeqCst) {
        let name = format!("{prefix}-{number}");
        let body = json!({"event_type": "load", "name": name});
        let call = client.post("/api/devops/webhook", &body).header("idempotency-key", &name);
        match call.attempt().await {
            Ok(answer) if answer.code() == 200 => {
                let id = answer.json()["webhook_id"].as_str().unwrap().to_owned();
                shared.acknowledged.lock().unwrap().push((name, id));
                number += 1;
            }
            // Temporary trouble is part of what is tried; nothing else may go wrong.
            Ok(answer) => {
                assert_eq!(answer.code(), 503, "{}", answer.text());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // The server is gone, for good or for a moment.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// The ids of every stored event, by the name that the load gave it.
pub async fn stored_names(url: &str) -> HashMap<String, Vec<String>> {
    let store = open_store(url);
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    let mut cursor = None;
    loop {
        let request = PageRequest { limit: 1000, cursor };
        let page = store.events(EventFilter::default(), request).await.unwrap();
        for event in page.items {
            let data: serde_json::Value = serde_json::from_str(event.data.get()).unwrap();
            if let Some(name) = data["name"].as_str() {
                names.entry(name.to_owned()).or_default().push(event.id.to_string());
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    store.close().await;
    names
}
