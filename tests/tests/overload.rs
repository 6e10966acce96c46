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

/// An idle writer takes what comes at once; so much later it has it for sure.
const UNTIL_TAKEN: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_flood_is_shed_early_and_harms_nobody_else() {
    let database = TestDatabase::migrated().await;
    let mut options = StoreOptions::new(DatabaseUrl::parse(database.url()).unwrap());
    (options.readers, options.queue) = (2, QUEUE);
    let app = TestApp::with_store(database, Store::open(options).unwrap(), |_| {});
    let key = app.with_key(&["write_webhooks", "read_metrics"]).await;
    let unseen = app.with_key(&["read_metrics"]).await;

    let stalled = Stalled::writer(app.database.url()).await;
    let send = |number: usize| {
        let client = key.clone();
        let body = json!({"event_type": "flood", "number": number});
        tokio::spawn(async move { client.post(WEBHOOK, &body).await.code() })
    };
    // The writer takes the first and is stuck with it; what comes then waits.
    let mut flood = vec![send(0)];
    tokio::time::sleep(UNTIL_TAKEN).await;
    flood.extend((1..5 * QUEUE).map(send));
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

/// The head of an event of so many bytes.
fn head(secret: &str, length: usize, more: &str) -> String {
    format!(
        "POST {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\nx-api-key: {secret}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"
    )
}

/// Few large events wait, and are as much as may: the next large one is refused unread, a small one is not.
#[tokio::test]
async fn what_waits_is_bounded_by_its_weight_as_well() {
    let database = TestDatabase::migrated().await;
    let mut options = StoreOptions::new(DatabaseUrl::parse(database.url()).unwrap());
    options.queue_bytes = 700_000;
    let app = TestApp::with_store(database, Store::open(options).unwrap(), |_| {});
    let key = app.with_key(&["write_webhooks"]).await;
    let stalled = Stalled::writer(app.database.url()).await;
    let send = |body: serde_json::Value| {
        let client = key.clone();
        tokio::spawn(async move { client.post(WEBHOOK, &body).await.code() })
    };
    let refused_unread = || async {
        let mut raw = Raw::connect(app.address()).await;
        raw.send(head(&key.secret, 250_000, "")).await;
        raw.read_answer(Duration::from_millis(300)).await.status() == Some(503)
    };
    // The writer takes the first and is stuck with it. Of what comes then one large event may wait, as its body and
    // as what lists show of it.
    let first = send(json!({"event_type": "first"}));
    tokio::time::sleep(UNTIL_TAKEN).await;
    let mut large = Vec::new();
    while !refused_unread().await {
        assert!(large.len() < 20, "large ones are taken without end");
        let number = large.len();
        large.push(send(
            json!({"event_type": "large", "number": number, "fill": "x".repeat(250_000)}),
        ));
    }
    // A small one waits with them; a refusal would have come by then.
    let mut small = send(json!({"event_type": "small"}));
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut small).await;
    assert!(waited.is_err(), "{waited:?}");
    drop(stalled);
    assert_eq!((first.await.unwrap(), small.await.unwrap()), (200, 200));
    let large = futures_util::future::join_all(large).await;
    assert!(large.iter().any(|code| matches!(code, Ok(200))), "{large:?}");
}

/// Bodies of which only a part has come hold what they have sent and no more than there is room for.
#[tokio::test]
async fn unfinished_bodies_hold_a_bounded_memory() {
    let app = TestApp::with_settings(|settings| settings.limits.unfinished_bytes = 300_000).await;
    let key = app.with_key(&["write_webhooks"]).await;
    let body = json!({"event_type": "large", "fill": "x".repeat(199_000)}).to_string();
    let (begun, rest) = body.split_at(180_000);
    let mut first = Raw::connect(app.address()).await;
    first.send(head(&key.secret, body.len(), "")).await;
    first.send(begun).await;
    // Who asks first is refused at once, as soon as the first is read so far.
    let refused = || async {
        let mut asks = Raw::connect(app.address()).await;
        asks.send(head(&key.secret, 180_000, "Expect: 100-continue\r\n")).await;
        asks.read_answer(Duration::from_millis(300)).await.status() == Some(503)
    };
    eventually("there is no room", LIMIT, refused).await;
    let mut second = Raw::connect(app.address()).await;
    second.send(head(&key.secret, body.len(), "")).await;
    second.send(begun).await;
    let answer = second.read_answer(LIMIT).await;
    assert_eq!(answer.status(), Some(503));
    assert!(answer.text.to_lowercase().contains("retry-after"), "{}", answer.text);
    // Of a length that nobody says, what has come counts.
    let mut third = Raw::connect(app.address()).await;
    let chunked =
        head(&key.secret, 0, "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
    third.send(format!("{chunked}{:x}\r\n{begun}", body.len())).await;
    assert_eq!(third.read_answer(LIMIT).await.status(), Some(503));
    key.post(WEBHOOK, &json!({"event_type": "small"})).await.expect(200);
    first.send(rest).await;
    assert_eq!(first.read_answer(LIMIT).await.status(), Some(200));
    let mut last = Raw::connect(app.address()).await;
    last.send(head(&key.secret, body.len(), "")).await;
    last.send(&body).await;
    assert_eq!(last.read_answer(LIMIT).await.status(), Some(200), "all was given back");
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
