//! What the tools send to `POST /api/devops/webhook`: recognised, stored once, refused usefully.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rr_tests::app::{Key, TestApp};
use rr_tests::client::{Answer, Call};
use rr_tests::raw::Raw;
use rr_webhooks::WebhookSecret;
use serde_json::{Value, json};
use sha2::Sha256;

const WEBHOOK: &str = "/api/devops/webhook";

/// The events that are stored, oldest first.
async fn stored(app: &TestApp) -> Vec<Value> {
    let reader = app.with_key(&["read_events"]).await;
    let list = reader.get("/api/devops/events").await.json();
    let mut events = list["events"].as_array().unwrap().clone();
    events.reverse();
    events
}

fn github(key: &Key, event: &str, delivery: &str, body: &Value) -> Call {
    key.post(WEBHOOK, body).header("x-github-event", event).header("x-github-delivery", delivery)
}

#[tokio::test]
async fn a_tool_is_recognised_and_its_delivery_counts_once() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let body = json!({
        "action": "published", "release": {"tag_name": "v1", "published_at": "2026-01-15T11:00:00Z"},
        "repository": {"name": "shop", "full_name": "octo/shop"},
    });
    let first = github(&key, "release", "delivery-1", &body).await.json();
    let again = github(&key, "release", "delivery-1", &body).await.json();
    assert_eq!(again["webhook_id"], first["webhook_id"], "redelivered");
    let other = github(&key, "release", "delivery-1", &json!({"action": "edited"})).await;
    other.problem(409, "idempotency_conflict");
    github(&key, "ping", "delivery-2", &json!({"zen": "x"})).await.expect(200);
    let events = stored(&app).await;
    let shown = |event: &Value| [event["event_type"].clone(), event["source"].clone()];
    assert_eq!(shown(&events[0]), [json!("github.release.published"), json!("github/octo/shop")]);
    assert_eq!(events[0]["occurred_at"], "2026-01-15T11:00:00Z");
    assert_eq!(events[0]["data"], body);
    assert_eq!(shown(&events[1]), [json!("github.ping"), json!("github")]);
    assert_eq!(events.len(), 2);
}

fn alerts(alerts: &[(&str, &str, &str)]) -> Value {
    let alert = |(fingerprint, status, starts): &(&str, &str, &str)| {
        json!({
            "status": status, "labels": {"alertname": "HighLatency", "service": "shop"},
            "annotations": {}, "startsAt": starts, "endsAt": "2026-01-15T11:45:00Z",
            "generatorURL": "", "fingerprint": fingerprint,
        })
    };
    json!({
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "devops", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alerts", "alerts": alerts.iter().map(alert).collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn each_turn_of_an_alert_is_stored_once() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let (early, late) = ("2026-01-15T11:00:00Z", "2026-01-15T11:30:00Z");
    let first = key.post(WEBHOOK, &alerts(&[("a", "firing", early)])).await.json();
    let reminder = key.post(WEBHOOK, &alerts(&[("a", "firing", early)])).await.json();
    assert_eq!(reminder["webhook_id"], first["webhook_id"]);
    let both = alerts(&[("a", "firing", early), ("b", "firing", late)]);
    let joined = key.post(WEBHOOK, &both).await.json();
    assert_eq!(joined["webhook_id"], first["webhook_id"], "the answer is the first alert's");
    key.post(WEBHOOK, &alerts(&[("b", "firing", late), ("a", "resolved", early)]))
        .await
        .expect(200);
    let events = stored(&app).await;
    let turns: Vec<[&str; 2]> = events
        .iter()
        .map(|event| {
            let fingerprint = event["data"]["fingerprint"].as_str().unwrap();
            [fingerprint, event["event_type"].as_str().unwrap()]
        })
        .collect();
    let expected = [
        ["a", "alertmanager.firing"],
        ["b", "alertmanager.firing"],
        ["a", "alertmanager.resolved"],
    ];
    assert_eq!(turns, expected);
    // Of a request with several events, the first that is stored keeps the body as it came...
    let kept = body_of(&app, &events[1]).await;
    assert_eq!(kept, both.to_string().into_bytes(), "that before it was known");
    // ...and the others their part.
    let alone = key.post(WEBHOOK, &alerts(&[("c", "firing", early), ("d", "firing", late)])).await;
    let id = alone.json()["webhook_id"].as_str().unwrap().parse().unwrap();
    let kept = app.body_of(id).await;
    assert!(kept.body.starts_with(b"{\"alerts\":["), "{}", String::from_utf8_lossy(&kept.body));
    let second = &stored(&app).await[4];
    let kept = body_of(&app, second).await;
    assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), second["data"]);
}

/// What is kept of an event as it was received.
async fn body_of(app: &TestApp, event: &Value) -> Vec<u8> {
    app.body_of(event["id"].as_str().unwrap().parse().unwrap()).await.body
}

#[tokio::test]
async fn a_batch_of_cloud_events_is_stored_whole_or_not_at_all() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let event = |id: u32, data: u32| json!({"specversion": "1.0", "id": id.to_string(), "source": "/s", "type": "t", "data": data});
    let send = |events: Value| {
        key.call("POST", WEBHOOK).body("application/cloudevents-batch+json", events.to_string())
    };
    let first = send(json!([event(1, 1), event(2, 1)])).await.json();
    assert_eq!(stored(&app).await.len(), 2);
    let more = json!([event(1, 1), event(2, 1), event(3, 1)]);
    let again = send(more.clone()).await.json();
    assert_eq!(again["webhook_id"], first["webhook_id"]);
    let all = stored(&app).await;
    assert_eq!(all.len(), 3, "two are known, one is new");
    assert_eq!(body_of(&app, &all[2]).await, more.to_string().into_bytes());
    send(json!([event(4, 1), event(2, 9), event(5, 1)])).await.problem(409, "idempotency_conflict");
    let wrong = send(json!([event(4, 1), {"specversion": "1.0"}])).await;
    assert_eq!(wrong.problem(422, "invalid_body")["errors"][0]["pointer"], "/1/id");
    assert_eq!(stored(&app).await.len(), 3);
    send(json!([event(4, 1), event(5, 1)])).await.expect(200);
    assert_eq!(stored(&app).await.len(), 5, "what went down with another was not remembered");
    // The request's own id is new and its first event is not.
    let more = json!([event(4, 1), event(6, 1), event(7, 1)]);
    send(more.clone()).header("idempotency-key", "k").await.expect(200);
    let all = stored(&app).await;
    assert_eq!(body_of(&app, &all[5]).await, more.to_string().into_bytes());
    assert_eq!(body_of(&app, &all[6]).await, event(7, 1).to_string().into_bytes());
}

/// Senders that collect events may have none to send, and the format has a batch of none.
#[tokio::test]
async fn a_batch_of_no_cloud_events_is_taken_and_nothing_is_stored() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let send = |path: &str| {
        key.call("POST", path)
            .body("application/cloudevents-batch+json", "[]")
            .header("webhook-id", "m")
    };
    for _ in 0..2 {
        assert_eq!(send(WEBHOOK).await.expect(200).json(), json!({"status": "success"}));
    }
    for (format, status) in [("cloudevents", 200), ("cdevents", 200), ("github", 422)] {
        let source = json!({"name": format, "format": format});
        admin.post("/api/devops/sources", &source).await.expect(200);
        send(&format!("{WEBHOOK}/{format}")).await.expect(status);
    }
    assert_eq!(stored(&app).await, [] as [Value; 0]);
}

/// What is over is not under way, whatever its sender leaves out.
#[tokio::test]
async fn a_run_that_is_finished_is_over_whatever_its_outcome_is_called() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    for (id, content) in [
        ("0", json!({})),
        ("1", json!({"outcome": "remarkable"})),
        ("2", json!({"outcome": "error"})),
    ] {
        let body = json!({
            "context": {"specversion": "0.5.1", "id": id, "source": "/ci",
                "timestamp": "2026-01-15T12:00:00Z", "type": "dev.cdevents.pipelinerun.finished.0.3.0"},
            "subject": {"id": id, "content": content},
        });
        key.post(WEBHOOK, &body).await.expect(200);
    }
    let all = key.get("/api/devops/events/export?full=true").await.expect(200).text();
    let mut results = Vec::new();
    for line in all.lines() {
        let meaning = &serde_json::from_str::<Value>(line).unwrap()["meaning"];
        assert_eq!(meaning["finished_at"], "2026-01-15T12:00:00Z");
        results.push(meaning["result"].as_str().unwrap().to_owned());
    }
    assert_eq!(results, ["failed", "succeeded", "succeeded"]);
}

const SECRET: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const OLD: &str = "the secret of last year";

async fn guarded() -> TestApp {
    TestApp::with_settings(|settings| {
        let secret = |text| WebhookSecret::parse(text).unwrap();
        settings.webhook_secrets = vec![secret(SECRET), secret(OLD)];
    })
    .await
}

fn hex_hmac(secret: impl AsRef<[u8]>, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_ref()).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn every_form_of_signature_passes_with_either_secret() {
    let app = guarded().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let body = br#"{"event_type":"signed"}"#;
    let now = app.clock.now().seconds();
    for secret in [SECRET, OLD] {
        let mac = hex_hmac(secret, &[body]);
        let timed = hex_hmac(secret, &[format!("{now}.").as_bytes(), body]);
        for (header, value) in [
            ("x-hub-signature-256", format!("sha256={mac}")),
            ("x-webhook-signature", format!("sha256={mac}")),
            ("x-pagerduty-signature", format!("v1={},v1={mac}", "0".repeat(64))),
            ("stripe-signature", format!("v0=x,v1={timed},t={now}")),
        ] {
            let call = key.call("POST", WEBHOOK).body("application/json", &body[..]);
            call.header(header, &value).await.expect(200);
        }
    }
}

/// The hints of a request with this signature.
async fn hints(key: &Key, body: &[u8], (name, value): (&str, &str)) -> (Answer, Vec<String>) {
    let call = key.call("POST", WEBHOOK).body("application/json", body);
    let answer = call.header(name, value).await;
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    let hints = problem["signature_hints"].as_array().cloned().unwrap_or_default();
    let codes = hints.iter().map(|hint| hint["code"].as_str().unwrap().to_owned()).collect();
    (answer, codes)
}

/// The usual mistakes, each made once. That of a secret that has ended is made where secrets are rotated.
#[tokio::test]
async fn a_refused_signature_says_what_is_wrong_to_who_has_a_key() {
    let app = guarded().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let body = b"{\"a\":1}";
    let plain = |mac: String| ("x-webhook-signature", format!("sha256={mac}"));
    let decoded = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let late = app.clock.now().seconds() - 400;
    let timed = hex_hmac(SECRET, &[format!("{late}.").as_bytes(), body]);
    for ((name, value), refused, mistake) in [
        (plain(hex_hmac(SECRET, &[b"{\"a\": 1}"])), "signature_invalid", "body_reformatted"),
        (plain(hex_hmac(SECRET, &[b"{\"a\":1}\n"])), "signature_invalid", "final_newline"),
        (plain(hex_hmac(decoded, &[body])), "signature_invalid", "secret_decoded"),
        (("stripe-signature", format!("t={late},v1={timed}")), "signature_expired", "clock_off"),
    ] {
        let (answer, codes) = hints(&key, body, (name, &value)).await;
        answer.problem(401, refused);
        assert_eq!(codes, [mistake]);
        assert!(!answer.text().contains("MfKQ9"), "{}", answer.text());
    }
    let (name, guess) = plain(hex_hmac("a guess", &[body]));
    let (answer, codes) = hints(&key, body, (name, &guess)).await;
    answer.problem(401, "signature_invalid");
    assert_eq!(codes, [""; 0], "without the secret there is nothing to be learnt");
    // A caller without a key, or whose key may not send, gets no further than that.
    let (name, known) = plain(hex_hmac(SECRET, &[b"{\"a\":1}\n"]));
    let call = app.call("POST", WEBHOOK).body("application/json", &body[..]);
    let answer = call.header(name, &known).await;
    let problem = answer.problem(401, "unauthenticated");
    assert_eq!(problem.get("signature_hints"), None);
    let reader = app.with_key(&["read_events"]).await;
    let (answer, codes) = hints(&reader, body, (name, &known)).await;
    answer.problem(403, "insufficient_scope");
    assert_eq!(codes, [""; 0]);
    assert_eq!(stored(&app).await.len(), 0);
}

#[tokio::test]
async fn a_sender_that_asks_first_is_told_to_go_on() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let mut raw = Raw::connect(app.address()).await;
    let head = format!(
        "POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nContent-Length: 2\r\n\
         Expect: 100-continue\r\n\r\n",
        key.secret
    );
    raw.send(head).await;
    let first = raw.read_answer(Duration::from_secs(5)).await;
    assert_eq!(first.text, "HTTP/1.1 100 Continue\r\n\r\n");
    raw.send("{}").await;
    let second = raw.read_answer(Duration::from_secs(20)).await;
    assert_eq!(second.status(), Some(200), "{}", second.text);
}

#[tokio::test]
async fn a_sender_that_asks_whether_it_may_send_is_answered() {
    let app = TestApp::init().await;
    for path in [WEBHOOK, "/api/devops/webhook/default", "/api/devops/webhook/nobody"] {
        let ask = || app.call("OPTIONS", path);
        let origin = || ask().header("WebHook-Request-Origin", "eventemitter.example.com");
        let answer = origin().header("WebHook-Request-Rate", "120").await.expect(200);
        assert_eq!(answer.header("webhook-allowed-origin"), Some("eventemitter.example.com"));
        assert_eq!(answer.header("webhook-allowed-rate"), Some("*"));
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
        assert_eq!(answer.text(), "");
        // Somebody's address is never called, also where it names the server itself.
        let back = origin().header("WebHook-Request-Callback", &format!("{}/x", app.base()));
        let answer = back.await.expect(200);
        assert_eq!(answer.header("webhook-allowed-rate"), None, "nobody asked");
        let refused = ask().await;
        refused.problem(405, "method_not_allowed");
        assert_eq!(refused.header("webhook-allowed-origin"), None);
        let twice = origin().header("WebHook-Request-Origin", "other.example.com");
        twice.await.problem(400, "invalid_header");
        for rate in ["0", "-5", "1.5", "many"] {
            let call = origin().header("WebHook-Request-Rate", rate);
            call.await.problem(400, "invalid_header");
        }
    }
    // Asking first grants nothing.
    app.call("POST", WEBHOOK).json(&json!({})).await.problem(401, "unauthenticated");
}
