//! Numbered events from many senders, and what was acknowledged of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
    open: Mutex<BTreeSet<String>>,
}

/// What became of the events of a load.
#[derive(Debug, Default)]
pub struct Stopped {
    /// Name and id of those that were acknowledged.
    pub acknowledged: Vec<(String, String)>,
    /// Names of those that were sent and never acknowledged: nobody knows whether they are stored.
    pub open: Vec<String>,
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

    /// Lets every sender give up in the middle of whatever it does: what was under way is stored or not,
    /// and its answer is heard by nobody.
    pub fn hang_up(&self) {
        self.senders.lock().unwrap().iter().for_each(JoinHandle::abort);
    }

    /// Stops, and tells what became of the events.
    pub async fn stop(self) -> Stopped {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let senders = std::mem::take(&mut *self.senders.lock().unwrap());
        for sender in senders {
            if let Err(error) = sender.await {
                assert!(error.is_cancelled(), "{error}");
            }
        }
        let open = std::mem::take(&mut *self.shared.open.lock().unwrap());
        Stopped {
            acknowledged: std::mem::take(&mut *self.shared.acknowledged.lock().unwrap()),
            open: open.into_iter().collect(),
        }
    }
}

/// What makes a repeat of an event known for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// Its `Idempotency-Key`.
    Known,
    /// Nothing: an event that was stored is stored once more.
    Unknown,
}

/// An event that was refused, or whose answer was lost, is sent again: its name makes that harmless.
async fn send(client: Client, prefix: String, shared: Arc<Shared>) {
    let mut number = 0;
    while !shared.stopped.load(Ordering::SeqCst) {
        let name = format!("{prefix}-{number}");
        shared.open.lock().unwrap().insert(name.clone());
        match offer(&client, &name, Repeats::Known).await {
            Some(id) => {
                shared.open.lock().unwrap().remove(&name);
                shared.acknowledged.lock().unwrap().push((name, id));
                number += 1;
            }
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Sends events again, each until it is acknowledged; gives name and id of each.
pub async fn repeat(
    client: &Client,
    open: impl IntoIterator<Item = String>,
    repeats: Repeats,
) -> Vec<(String, String)> {
    let mut acknowledged = Vec::new();
    for name in open {
        let started = Instant::now();
        let id = loop {
            match offer(client, &name, repeats).await {
                Some(id) => break id,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
            assert!(started.elapsed() < PATIENCE, "{name} is not taken");
        };
        acknowledged.push((name, id));
    }
    acknowledged
}

/// How long an event may be refused after a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// Offers an event; its id, if it is acknowledged.
async fn offer(client: &Client, name: &str, repeats: Repeats) -> Option<String> {
    let body = json!({"event_type": "load", "name": name});
    let call = client.post("/api/devops/webhook", &body);
    let call = match repeats {
        Repeats::Known => call.header("idempotency-key", name),
        Repeats::Unknown => call,
    };
    // The server may be gone, for good or for a moment.
    let answer = call.attempt().await.ok()?;
    if answer.code() == 200 {
        return Some(answer.json()["webhook_id"].as_str().unwrap().to_owned());
    }
    // Temporary trouble is part of what is tried; nothing else may go wrong.
    assert_eq!(answer.code(), 503, "{}", answer.text());
    None
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
