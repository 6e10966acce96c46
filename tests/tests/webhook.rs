//! `POST /api/devops/webhook`: what is taken, once, signed, and from CloudEvents senders.

use hmac::{Hmac, KeyInit, Mac};
use rr_tests::app::TestApp;
use rr_webhooks::WebhookSecret;
use serde_json::{Value, json};
use sha2::Sha256;

const WEBHOOK: &str = "/api/devops/webhook";
const SECRET: &str = "a webhook secret of a test";

async fn newest(app: &TestApp) -> Value {
    let reader = app.with_key(&["read_events"]).await;
    reader.get("/api/devops/events?limit=1").await.json()["events"][0].clone()
}

#[tokio::test]
async fn the_bodies_that_clients_send_are_taken() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    for (body, event_type) in [
        (
            json!({"event_type": "deployment", "status": "success", "version": "1.2.3",
                   "environment": "production", "deployTime": 45,
                   "timestamp": "2026-01-15T11:59:00Z"}),
            "deployment",
        ),
        (
            json!({"event_type": "alert", "severity": "warning",
                   "message": "High CPU usage detected",
                   "details": {"cpu_usage": "92%", "threshold": "85%", "duration": "5 minutes"},
                   "timestamp": "2026-01-15T11:59:00Z"}),
            "alert",
        ),
        (
            json!({"event": "agent_status_changed",
                   "data": {"agent": "kpi-tracker", "status": "running"}}),
            "agent_status_changed",
        ),
        (json!({"anything": "else"}), "unknown"),
        (json!({}), "unknown"),
    ] {
        let answer = key.post(WEBHOOK, &body).await.json();
        assert_eq!(answer["status"], "success");
        let event = newest(&app).await;
        assert_eq!(event["id"], answer["webhook_id"]);
        assert_eq!(event["event_type"], event_type, "{body}");
        assert_eq!(event["data"], body);
        assert_eq!(event["received_at"], app.clock.now().to_string());
    }
}

#[tokio::test]
async fn the_body_is_kept_to_the_byte() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let body = "{ \"event\" : \"x\",\n \"amount\": 1250.00, \"s\": \"\\u00e9 é\" }";
    let answer = key.call("POST", WEBHOOK).body("application/json", body).await.json();
    let id = answer["webhook_id"].as_str().unwrap().parse().unwrap();
    let kept = app.body_of(id).await;
    assert_eq!(kept.body, body.as_bytes());
    assert_eq!(kept.content_type, "application/json");
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_stores_nothing() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    for header in ["idempotency-key", "webhook-id"] {
        let send = |body: Value| key.post(WEBHOOK, &body).header(header, "delivery-1");
        let first = send(json!({"event_type": "a"})).await.json();
        let before = app.counts().await;
        let again = send(json!({"event_type": "a"})).await.json();
        assert_eq!(again["webhook_id"], first["webhook_id"], "{header}");
        send(json!({"event_type": "b"})).await.problem(409, "idempotency_conflict");
        assert_eq!(app.counts().await, before, "{header}");
    }
    // One id that is known suffices, whatever else comes with it.
    let send = |once: &str| {
        let body = json!({"event_type": "a"});
        let request = key.post(WEBHOOK, &body).header("webhook-id", "delivery-2");
        request.header("idempotency-key", once)
    };
    let first = send("attempt-1").await.json();
    let before = app.counts().await;
    assert_eq!(send("attempt-2").await.json()["webhook_id"], first["webhook_id"]);
    assert_eq!(app.counts().await, before);
    // The id belongs to its key: another key's delivery of that name is another one.
    let other = app.with_key(&["write_webhooks"]).await;
    let before = app.counts().await;
    let body = json!({"event_type": "b"});
    other.post(WEBHOOK, &body).header("idempotency-key", "delivery-1").await.expect(200);
    assert_ne!(app.counts().await, before);
}

#[tokio::test]
async fn repeats_that_race_store_one_event() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    for round in 0..5 {
        let id = format!("race-{round}");
        let sends = (0..8).map(|_| async {
            let body = json!({"event_type": "race", "round": round});
            key.post(WEBHOOK, &body).header("idempotency-key", &id).await.json()
        });
        let answers = futures_util::future::join_all(sends).await;
        let first = &answers[0]["webhook_id"];
        assert!(answers.iter().all(|answer| &answer["webhook_id"] == first), "{answers:?}");
    }
    let reader = app.with_key(&["read_events"]).await;
    let events = reader.get("/api/devops/events?type=race").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_configured_secret_must_be_proved() {
    let app = TestApp::with_settings(|settings| {
        settings.webhook_secrets = vec![WebhookSecret::parse(SECRET).unwrap()];
    })
    .await;
    let key = app.with_key(&["write_webhooks"]).await;
    let body = br#"{"event_type":"signed"}"#;
    let good = signature(SECRET, body);
    let send = |signature: &str| {
        let call = key.call("POST", WEBHOOK).body("application/json", &body[..]);
        call.header("x-webhook-signature", signature)
    };
    send(&good).await.expect(200);
    let before = app.counts().await;
    for wrong in [
        signature("another secret", body),
        signature(SECRET, br#"{"event_type":"signed" }"#),
        good.replace("sha256=", "sha1="),
        good.replace("sha256=", ""),
        good[..good.len() - 2].to_owned(),
        format!("{good}00"),
        "sha256=".to_owned(),
        "x".repeat(5000),
    ] {
        let answer = send(&wrong).await;
        assert_eq!(answer.code(), 401, "{wrong}: {}", answer.text());
        assert!(answer.text().contains("\"signature_"), "{wrong}: {}", answer.text());
    }
    let unsigned = key.call("POST", WEBHOOK).body("application/json", &body[..]);
    unsigned.await.problem(401, "signature_missing");
    assert_eq!(app.counts().await, before);
}

#[tokio::test]
async fn cloud_events_are_recognised() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let binary = || {
        key.call("POST", WEBHOOK)
            .body("application/json", br#"{"built":true}"#.as_slice())
            .header("ce-specversion", "1.0")
            .header("ce-id", "41")
            .header("ce-source", "/ci/main")
            .header("ce-type", "build.finished")
            .header("ce-time", "2026-01-15T11:00:00Z")
    };
    let first = binary().await.json();
    let event = newest(&app).await;
    assert_eq!(event["event_type"], "build.finished");
    assert_eq!(event["source"], "/ci/main");
    assert_eq!(event["occurred_at"], "2026-01-15T11:00:00Z");
    assert_eq!(binary().await.json()["webhook_id"], first["webhook_id"]);

    let structured = json!({
        "specversion": "1.0", "id": "42", "source": "/ci/main", "type": "build.failed",
        "data": {"built": false},
    });
    let send = || {
        let body = structured.to_string();
        key.call("POST", WEBHOOK).body("application/cloudevents+json", body)
    };
    let first = send().await.json();
    let event = newest(&app).await;
    assert_eq!(event["event_type"], "build.failed");
    assert_eq!(event["source"], "/ci/main");
    assert_eq!(send().await.json()["webhook_id"], first["webhook_id"]);
}

/// What one database would round or refuse and the other keep is refused before either sees it, so
/// that both kinds of installation answer the same.
#[tokio::test]
async fn numbers_are_kept_exactly_or_refused() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    for (number, kept) in [
        ("0", true),
        ("-0", true),
        ("1250.00", true),
        ("9007199254740993", true),
        ("9223372036854775807", true),
        ("18446744073709551616", true),
        ("0.1", true),
        ("1e300", true),
        ("1e999", false),
        ("-1e999", false),
    ] {
        let body = format!(r#"{{"n":{number}}}"#);
        let answer = key.call("POST", WEBHOOK).body("application/json", body.clone()).await;
        if kept {
            answer.expect(200);
            let reader = app.with_key(&["read_events"]).await;
            let page = reader.get("/api/devops/events?limit=1").await.expect(200).text();
            assert!(page.contains(&body), "{number}: {page}");
        } else {
            answer.problem(400, "invalid_json");
        }
    }
    // Digits without end cost time to read and space to keep.
    for number in ["9".repeat(100_000), format!("1e-{}", "9".repeat(1000))] {
        let answer = key
            .call("POST", WEBHOOK)
            .body("application/json", format!(r#"{{"n":{number}}}"#))
            .await;
        assert!([200, 400].contains(&answer.code()), "{}", answer.text());
    }
}

#[tokio::test]
async fn wide_and_odd_objects_are_taken_or_refused_and_never_break_anything() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let members: String = (0..10_000).map(|n| format!(r#""k{n}":{n},"#)).collect();
    let arrays = "[],".repeat(60_000);
    for body in [
        format!(r#"{{{members}"last":0}}"#),
        format!(r#"{{"arrays":[{arrays}[]]}}"#),
        // Two keys that look the same and are not (composed and decomposed).
        "{\"caf\u{e9}\":1,\"cafe\u{301}\":2}".to_owned(),
        r#"{"":"an empty key"}"#.to_owned(),
        r#"{"__proto__":{"admin":true},"constructor":1}"#.to_owned(),
        format!(r#"{{"event_type":"{}"}}"#, "t".repeat(10_000)),
        r#"{"event_type":42}"#.to_owned(),
        r#"{"event_type":null,"event":["x"]}"#.to_owned(),
        r#"{"event_type":"","source":{"a":1},"timestamp":"soon"}"#.to_owned(),
        r#"{"event_type":"x","timestamp":"0000-00-00T00:00:00Z"}"#.to_owned(),
        r#"{"event_type":"x","timestamp":253402300800}"#.to_owned(),
    ] {
        let shown: String = body.chars().take(60).collect();
        let answer = key.call("POST", WEBHOOK).body("application/json", body).await;
        assert!(matches!(answer.code(), 200 | 400 | 413 | 422), "{shown}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_size_limit_is_exact() {
    let app = TestApp::with_settings(|settings| settings.webhook_max_bytes = 1000).await;
    let key = app.with_key(&["write_webhooks"]).await;
    let sized = |bytes: usize| {
        let body = json!({"pad": "x".repeat(bytes - r#"{"pad":""}"#.len())}).to_string();
        assert_eq!(body.len(), bytes);
        key.call("POST", WEBHOOK).body("application/json", body)
    };
    sized(1000).await.expect(200);
    let before = app.counts().await;
    sized(1001).await.problem(413, "body_too_large");
    sized(500_000).await.problem(413, "body_too_large");
    assert_eq!(app.counts().await, before);
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}
