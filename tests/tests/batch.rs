//! `POST /api/devops/webhook/batch`: each line by itself, all in one transaction.

use rr_tests::app::{Key, TestApp};
use rr_tests::client::{Answer, Call};
use rr_webhooks::WebhookSecret;
use serde_json::{Value, json};

const BATCH: &str = "/api/devops/webhook/batch";

fn send(key: &Key, lines: impl Into<Vec<u8>>) -> Call {
    key.call("POST", BATCH).body("application/x-ndjson", lines)
}

/// Line number, status and code of each result.
fn results(answer: &Answer) -> Vec<(u64, String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let result = |result: &Value| {
        assert_eq!(result["webhook_id"].is_string(), result["status"] != "refused", "{result}");
        (result["line"].as_u64().unwrap(), text(&result["status"]).unwrap(), text(&result["code"]))
    };
    answer.json()["results"].as_array().unwrap().iter().map(result).collect()
}

fn stored(line: u64) -> (u64, String, Option<String>) {
    (line, "stored".to_owned(), None)
}

fn refused(line: u64, code: &str) -> (u64, String, Option<String>) {
    (line, "refused".to_owned(), Some(code.to_owned()))
}

async fn types(app: &TestApp) -> Vec<Value> {
    let reader = app.with_key(&["read_events"]).await;
    let list = reader.get("/api/devops/events").await.json();
    list["events"].as_array().unwrap().iter().map(|event| event["event_type"].clone()).collect()
}

#[tokio::test]
async fn good_lines_are_stored_and_bad_ones_named() {
    let app = TestApp::with_settings(|settings| settings.webhook_max_bytes = 2_000).await;
    let key = app.with_key(&["write_webhooks"]).await;
    let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(2_000));
    let lines = [
        r#"{"event_type":"a"}"#,
        "",
        "{",
        r#"[{"event_type":"b"}]"#,
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"c"}"#,
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"other"}"#,
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"c"}"#,
        &long,
        r#"{"event_type":5}"#,
        "  {\"event_type\":\"d\"}\t\r",
    ];
    let answer = send(&key, lines.join("\n")).await;
    let expected = [
        stored(1),
        refused(3, "invalid_json"),
        refused(4, "invalid_body"),
        stored(5),
        refused(6, "idempotency_conflict"),
        (7, "repeated".to_owned(), None),
        refused(8, "body_too_large"),
        refused(9, "invalid_body"),
        stored(10),
    ];
    assert_eq!(results(&answer), expected);
    let body = answer.json();
    assert_eq!(body["status"], "partial");
    assert_eq!(body["results"][3]["webhook_id"], body["results"][5]["webhook_id"]);
    assert_eq!(body["results"][7]["pointer"], "/event_type");
    assert_eq!(types(&app).await, [json!("d"), json!("c"), json!("a")], "newest first");
    let id = body["results"][8]["webhook_id"].as_str().unwrap().parse().unwrap();
    let kept = app.body_of(id).await;
    assert_eq!(kept.body, br#"{"event_type":"d"}"#);
}

#[tokio::test]
async fn a_batch_sent_again_stores_nothing_twice() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let lines = "{\"event_type\":\"a\"}\n{\"event_type\":\"a\"}\n";
    let send = |lines: &str| send(&key, lines).header("idempotency-key", "batch-1");
    let first = send(lines).await.json();
    assert_eq!(first["status"], "success");
    let before = app.counts().await;
    let again = send(lines).await.json();
    assert_eq!(app.counts().await, before);
    for line in 0..2 {
        assert_eq!(again["results"][line]["status"], "repeated");
        assert_eq!(again["results"][line]["webhook_id"], first["results"][line]["webhook_id"]);
    }
    let changed =
        send("{\"event_type\":\"a\"}\n{\"event_type\":\"b\"}\n{\"event_type\":\"c\"}").await;
    let statuses: Vec<String> =
        results(&changed).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(statuses, ["repeated", "refused", "stored"]);
}

#[tokio::test]
async fn a_body_that_is_no_batch_is_refused_whole() {
    let app = TestApp::with_settings(|settings| settings.webhook_max_bytes = 1_024).await;
    let key = app.with_key(&["write_webhooks"]).await;
    let before = app.counts().await;
    for (content_type, body, status, code) in [
        ("application/json", "{}".to_owned(), 415, "unsupported_media_type"),
        ("text/plain", "{}".to_owned(), 415, "unsupported_media_type"),
        ("application/x-ndjson; charset=utf-16", "{}".to_owned(), 415, "unsupported_media_type"),
        ("application/x-ndjson", String::new(), 422, "invalid_body"),
        ("application/x-ndjson", " \r\n\n\t".to_owned(), 422, "invalid_body"),
        ("application/x-ndjson", "{}\n".repeat(1_001), 422, "invalid_body"),
        ("application/x-ndjson", " ".repeat(16 * 1_024 + 1), 413, "body_too_large"),
    ] {
        let answer = key.call("POST", BATCH).body(content_type, body).await;
        answer.problem(status, code);
    }
    assert_eq!(app.counts().await, before);
    let most = send(&key, "{}\n".repeat(1_000)).await;
    assert_eq!(results(&most).len(), 1_000);
}

#[tokio::test]
async fn whatever_lines_hold_each_gets_an_answer() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let lines: Vec<&[u8]> = vec![
        b"\xff\xfe",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":1,\"a\":2}",
        b"null",
        b"\"",
        b"{}{}",
        br#"{"a":"\u0000"}"#,
        br#"{"a":1e999}"#,
        br#"{"specversion":"1.0"}"#,
        br#"{"specversion":2}"#,
        deep.as_bytes(),
        b"\x00",
    ];
    let answer = send(&key, lines.join(&b'\n')).await;
    let results = results(&answer);
    assert_eq!(results.len(), lines.len());
    assert!(results.iter().all(|(_, status, _)| status == "refused"), "{results:?}");
    assert_eq!(types(&app).await.len(), 0);
}

#[tokio::test]
async fn a_batch_is_signed_as_a_whole() {
    let app = TestApp::with_settings(|settings| {
        settings.webhook_secrets =
            vec![WebhookSecret::parse("a webhook secret of a test").unwrap()];
    })
    .await;
    let key = app.with_key(&["write_webhooks"]).await;
    send(&key, "{}").await.problem(401, "signature_missing");
    let wrong = send(&key, "{}").header("x-webhook-signature", "sha256=00").await;
    wrong.problem(401, "signature_invalid");
    // HMAC-SHA256 of the two lines under this secret, computed with another implementation.
    let right = "sha256=96b5a80f3f586dd212222f549d90d418e214b17aa86707252b5f4a7a4e908c56";
    let answer = send(&key, "{}\n{}\n").header("x-webhook-signature", right).await;
    assert_eq!(results(&answer), [stored(1), stored(2)]);
}
