//! More events than the database takes: a bounded number waits, the rest is told early, and whoever
//! writes nothing notices nothing.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rr_store::{DatabaseUrl, EventFilter, PageRequest, Store, StoreOptions};
use rr_tests::app::TestApp;
use rr_tests::database::{TestDatabase, is_postgres};
use rr_tests::proxy::eventually;
use rr_tests::raw::Raw;
use rr_tests::sender::SENDERS;
use serde_json::json;
use tokio_postgres::NoTls;

const WEBHOOK: &str = "/api/devops/webhook";
const QUEUE: usize = 8;
const LIMIT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_flood_is_shed_early_and_harms_nobody_else() {
    let database = TestDatabase::migrated().await;
    let mut options = StoreOptions::new(DatabaseUrl::parse(database.url()).unwrap());
    (options.readers, options.queue) = (2, QUEUE);
    let app = TestApp::with_store(database, Store::open(options).unwrap(), |_| {});
    let key = app.with_key(&["write_webhooks", "read_metrics"]).await;
    let unseen = app.with_key(&["read_metrics"]).await;

    let stalled = Stalled::writer(app.database.url()).await;
    let flood: Vec<_> = (0..5 * QUEUE)
        .map(|number| {
            let client = key.clone();
            let body = json!({"event_type": "flood", "number": number});
            tokio::spawn(async move { client.post(WEBHOOK, &body).await.code() })
        })
        .collect();
    let is_full = || async { app.store().stats().writer_queue_depth == QUEUE };
    eventually("the queue is full", LIMIT, is_full).await;

    for sender in &SENDERS {
        let shed = sender.send(&key, WEBHOOK).await;
        shed.problem(503, "busy");
        assert!(shed.header("retry-after").is_some(), "{}", sender.name);
    }
    // Whoever is refused need not send the body first.
    let mut raw = Raw::connect(app.address()).await;
    raw.send(format!(
        "POST {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\nx-api-key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 200000\r\n\r\n",
        key.secret
    ))
    .await;
    assert_eq!(raw.read_answer(LIMIT).await.status(), Some(503));
    // Keys are checked, known ones and others, and figures are read.
    key.get("/api/devops/sync/users").await.expect(200);
    unseen.get("/api/devops/sync/users").await.expect(200);
    unseen.post(WEBHOOK, &json!({"event_type": "x"})).await.expect(403);
    assert_eq!(app.store().stats().writer_queue_depth, QUEUE, "it was stalled all the while");

    drop(stalled);
    let mut stored = 0;
    for answer in flood {
        match answer.await.unwrap() {
            200 => stored += 1,
            code => assert_eq!(code, 503),
        }
    }
    assert!(stored >= QUEUE, "what waited was stored: {stored}");
    let all = PageRequest { limit: 1000, cursor: None };
    let page = app.store().events(EventFilter::default(), all).await.unwrap();
    assert_eq!(page.items.len(), stored);
    key.post(WEBHOOK, &json!({"event_type": "afterwards"})).await.expect(200);
}

/// Somebody else who holds what the writer needs, until dropped.
enum Stalled {
    Sqlite(Child),
    Postgres { _client: tokio_postgres::Client },
}

/// Takes SQLite's one write lock and keeps it until its input ends.
const HOLD: &str = "import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()";

impl Stalled {
    async fn writer(url: &str) -> Stalled {
        if is_postgres() {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let lock = "BEGIN; LOCK TABLE revenue_ripple.events IN SHARE MODE";
            client.batch_execute(lock).await.unwrap();
            return Stalled::Postgres { _client: client };
        }
        let mut command = Command::new("python3");
        command.args(["-c", HOLD, url.strip_prefix("sqlite://").unwrap()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = [0; 5];
        child.stdout.as_mut().unwrap().read_exact(&mut word).unwrap();
        Stalled::Sqlite(child)
    }
}

impl Drop for Stalled {
    fn drop(&mut self) {
        if let Stalled::Sqlite(child) = self {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}
