//! SIGTERM and several processes: what was accepted is finished, and processes see each other.

use std::time::{Duration, Instant};

use rr_tests::database::TestDatabase;
use rr_tests::process::{Program, make_key};
use rr_tests::proxy::eventually;
use rr_tests::raw::Raw;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_request_that_was_accepted_is_finished_before_the_end() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks", "read_events"]);
    for signal in ["TERM", "INT"] {
        let mut server = Program::new(database.url(), ["serve"]).serve().await;
        let body = format!(r#"{{"event_type":"during {signal}"}}"#);
        let (first, rest) = body.split_at(10);
        let mut slow = Raw::connect(server.client().address()).await;
        slow.send(format!(
            "POST /api/devops/webhook HTTP/1.1\r\nHost: localhost\r\nx-api-key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
            body.len()
        ))
        .await;
        // It must be in the handler's hands, not on its way.
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.signal(signal);
        tokio::time::sleep(Duration::from_millis(300)).await;
        slow.send(rest).await;
        let answer = slow.read_to_close(LIMIT).await;
        assert_eq!(answer.status(), Some(200), "{}\n{}", answer.text, server.output());
        let ended = server.wait(LIMIT).await.expect("it does not end");
        assert_eq!(ended.code(), Some(0), "{}", server.output());

        let again = Program::new(database.url(), ["serve"]).serve().await;
        let page = again.client().with_key(&key).get("/api/devops/events?limit=1").await.json();
        assert_eq!(page["events"][0]["event_type"], format!("during {signal}"));
    }
}

#[tokio::test]
async fn idle_and_silent_connections_do_not_hold_the_end_up() {
    let database = TestDatabase::migrated().await;
    let mut server = Program::new(database.url(), ["serve"]).serve().await;
    let client = server.client();
    client.get("/healthz").await.expect(200);
    let mut silent = Vec::new();
    for beginning in ["", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half: "] {
        let mut raw = Raw::connect(client.address()).await;
        raw.send(beginning).await;
        silent.push(raw);
    }
    let started = Instant::now();
    server.signal("TERM");
    let ended = server.wait(LIMIT).await.expect("it does not end");
    assert_eq!(ended.code(), Some(0), "{}", server.output());
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_the_end_up_for_long() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let mut server = Program::new(database.url(), ["serve"]).serve().await;
    let mut stalled = Raw::connect(server.client().address()).await;
    stalled
        .send(format!(
            "POST /api/devops/webhook HTTP/1.1\r\nHost: localhost\r\nx-api-key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
        ))
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    server.signal("TERM");
    let ended = server.wait(LIMIT).await.expect("it does not end");
    assert_eq!(ended.code(), Some(0), "{}", server.output());
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
}

/// Whoever asks twice does not want to wait for anybody.
#[tokio::test]
async fn a_second_signal_ends_the_server_at_once() {
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    for (first, second) in [("INT", "INT"), ("TERM", "INT")] {
        let mut server = Program::new(database.url(), ["serve"]).serve().await;
        let mut stalled = Raw::connect(server.client().address()).await;
        stalled
            .send(format!(
                "POST /api/devops/webhook HTTP/1.1\r\nHost: localhost\r\nx-api-key: {key}\r\n\
                 Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
            ))
            .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.signal(first);
        eventually("it has heard the first", LIMIT, || async {
            server.output().contains("stopping")
        })
        .await;
        assert!(server.wait(Duration::from_millis(500)).await.is_none(), "{}", server.output());
        server.signal(second);
        let ended = server.wait(Duration::from_secs(3)).await.expect("it goes on waiting");
        assert_eq!(ended.code(), Some(130), "{}", server.output());
    }
}

#[tokio::test]
async fn usage_that_was_counted_is_written_at_the_end() {
    let database = TestDatabase::migrated().await;
    let (id, key) = make_key(database.url(), &["read_metrics"]);
    let mut server = Program::new(database.url(), ["serve"]).serve().await;
    for _ in 0..7 {
        server.client().with_key(&key).get("/api/devops/sync/users").await.expect(200);
    }
    server.signal("TERM");
    server.wait(LIMIT).await.expect("it does not end");
    let listed = Program::new(database.url(), ["keys", "list", "--json"]).run().expect(0);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let mine = listed["keys"].as_array().unwrap().iter().find(|key| key["id"] == id.as_str());
    assert_eq!(mine.unwrap()["usage"]["count"], 7);
}

#[tokio::test]
async fn two_processes_share_one_database() {
    // Empty, so that both also want to migrate at the same time.
    let database = TestDatabase::empty().await;
    let (first, second) = tokio::join!(
        Program::new(database.url(), ["serve"]).serve(),
        Program::new(database.url(), ["serve"]).serve(),
    );
    let (id, key) = make_key(database.url(), &["write_webhooks", "read_events", "read_metrics"]);
    let (first, second) = (first.client().with_key(&key), second.client().with_key(&key));
    first.get("/readyz").await.expect(200);
    second.get("/readyz").await.expect(200);

    // Both write at once; nothing is refused for the other's sake and nothing is lost.
    let send = async |client: &rr_tests::client::Client, name: &str| {
        for number in 0..25 {
            let body = json!({"event_type": name, "number": number});
            client.post("/api/devops/webhook", &body).await.expect(200);
        }
    };
    tokio::join!(send(&first, "first"), send(&second, "second"));
    for client in [&first, &second] {
        let page = client.get("/api/devops/events?limit=1000").await.json();
        assert_eq!(page["events"].as_array().unwrap().len(), 50);
    }
    // The same delivery through both doors is one event.
    let deliver = |client: &rr_tests::client::Client| {
        client
            .post("/api/devops/webhook", &json!({"event_type": "both"}))
            .header("idempotency-key", "both")
    };
    let (one, other) = tokio::join!(deliver(&first), deliver(&second));
    assert_eq!(one.json()["webhook_id"], other.json()["webhook_id"]);

    // What one process revokes, the other refuses within a second.
    first.get("/api/devops/sync/users").await.expect(200);
    second.get("/api/devops/sync/users").await.expect(200);
    Program::new(database.url(), ["keys", "revoke", &id]).run().expect(0);
    for client in [&first, &second] {
        eventually("the key is refused", Duration::from_secs(1), || async {
            client.get("/api/devops/sync/users").await.code() == 401
        })
        .await;
        client.get("/api/devops/sync/users").await.problem(401, "key_revoked");
    }
}
