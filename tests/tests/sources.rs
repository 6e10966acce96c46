//! Sources of webhooks: which one a request belongs to, how it is signed, what it may send.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rr_tests::app::{Key, TestApp};
use rr_tests::client::{Answer, Client};
use rr_tests::database::{TestDatabase, open_store};
use rr_tests::sender::SENDERS;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SOURCES: &str = "/api/devops/sources";
const WEBHOOK: &str = "/api/devops/webhook";
const FIRST: &str = "the first secret of a source";
const SECOND: &str = "the second secret of a source";

fn body() -> Value {
    json!({"event_type": "sample"})
}

async fn make(admin: &Client, source: &Value) -> Value {
    admin.post(SOURCES, source).await.expect(200).json()
}

async fn signed(key: &Key, path: &str, secret: &str) -> Answer {
    signed_with(key, path, secret, &[]).await
}

async fn signed_with(key: &Key, path: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
    let text = body().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let mac: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let mut call = key.call("POST", path).body("application/json", text);
    for (name, value) in fields {
        call = call.header(name, value);
    }
    call.header("x-webhook-signature", &format!("sha256={mac}")).await
}

#[tokio::test]
async fn a_request_belongs_to_one_source() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let (bound, free) =
        (app.with_key(&["write_webhooks"]).await, app.with_key(&["write_webhooks"]).await);
    make(&admin, &json!({"name": "ci", "key_id": bound.id})).await;
    make(&admin, &json!({"name": "open"})).await;
    let of = |name: &str| format!("{WEBHOOK}/{name}");
    // (who, where, what comes of it)
    for (key, path, refused) in [
        (&bound, WEBHOOK.to_owned(), None),
        (&bound, of("ci"), None),
        (&bound, of("open"), Some((403, "source_not_allowed"))),
        (&bound, of("default"), Some((403, "source_not_allowed"))),
        (&free, WEBHOOK.to_owned(), None),
        (&free, of("open"), None),
        (&free, of("default"), None),
        (&free, of("ci"), Some((403, "source_not_allowed"))),
        (&free, of("nobody"), Some((404, "not_found"))),
        (&free, of("CI"), Some((404, "not_found"))),
    ] {
        let answer = key.post(&path, &body()).await;
        match refused {
            None => drop(answer.expect(200)),
            Some((status, code)) => drop(answer.problem(status, code)),
        }
    }
    let lines = bound.call("POST", &of("batch")).body("application/x-ndjson", "{\"a\":1}\n").await;
    assert_eq!(lines.expect(200).json()["results"][0]["status"], "stored");
    let taken = admin.post(SOURCES, &json!({"name": "other", "key_id": bound.id})).await;
    taken.problem(409, "conflict");
    admin.post(SOURCES, &json!({"name": "ci"})).await.problem(409, "conflict");
    let nobodys = json!({"name": "x", "key_id": "018f2b5e-0000-7000-8000-000000000001"});
    let problem = admin.post(SOURCES, &nobodys).await.problem(422, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "/key_id");
    for bad in ["", "batch", "A", "a/b"] {
        admin.post(SOURCES, &json!({"name": bad})).await.problem(422, "invalid_body");
    }
}

#[tokio::test]
async fn a_secret_is_rotated_with_an_overlap_and_never_shown() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks"]).await;
    make(&admin, &json!({"name": "ci"})).await;
    let (path, secrets) = (format!("{WEBHOOK}/ci"), format!("{SOURCES}/ci/secrets"));
    key.post(&path, &body()).await.expect(200);
    let first = admin.post(&secrets, &json!({"secret": FIRST})).await.expect(200).json();
    key.post(&path, &body()).await.problem(401, "signature_missing");
    signed(&key, &path, FIRST).await.expect(200);
    signed(&key, &path, SECOND).await.problem(401, "signature_invalid");

    // They are listed in the order of their making.
    app.clock.advance(Duration::from_secs(1));
    let second = json!({"secret": SECOND, "overlap_s": 60});
    let both = admin.post(&secrets, &second).await.expect(200).json();
    signed(&key, &path, FIRST).await.expect(200);
    signed(&key, &path, SECOND).await.expect(200);
    app.clock.advance(Duration::from_secs(60));
    let ended = signed(&key, &path, FIRST).await.problem(401, "signature_invalid");
    assert_eq!(ended["signature_hints"][0]["code"], "previous_secret", "{ended}");
    signed(&key, &path, SECOND).await.expect(200);

    let fingerprint: String =
        Sha256::digest(FIRST).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(both["secrets"][0]["fingerprint"], fingerprint);
    let old = first["secrets"][0]["id"].as_str().unwrap();
    let left = admin.call("DELETE", &format!("{secrets}/{old}")).await.expect(200).json();
    let last = left["secrets"][0]["id"].as_str().unwrap();
    let refused = admin.call("DELETE", &format!("{secrets}/{last}")).await;
    refused.problem(409, "conflict");
    admin.call("DELETE", &format!("{secrets}/{old}")).await.problem(404, "not_found");

    let list = admin.get(SOURCES).await.expect(200);
    let log = admin.get("/api/devops/activity").await.expect(200);
    for shown in [list.text(), log.text(), left.to_string(), both.to_string()] {
        assert!(!shown.contains("secret of a source"), "{shown}");
    }
    assert!(log.text().contains(&fingerprint), "who reads the log knows which one it was");
    for bad in ["short", "whsec_this is not base64"] {
        let problem = admin.post(&secrets, &json!({"secret": bad})).await;
        let problem = problem.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/secret");
        assert!(!problem.to_string().contains(bad), "{problem}");
    }
}

#[tokio::test]
async fn the_end_of_the_others_ends_all_and_lengthens_none() {
    const THIRD: &str = "the third secret of a source";
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks"]).await;
    make(&admin, &json!({"name": "ci"})).await;
    let (path, secrets) = (format!("{WEBHOOK}/ci"), format!("{SOURCES}/ci/secrets"));
    let add = async |secret: &str, overlap: u64| {
        app.clock.advance(Duration::from_secs(1));
        let body = json!({"secret": secret, "overlap_s": overlap});
        admin.post(&secrets, &body).await.expect(200);
    };
    let good = async || {
        let mut good = Vec::new();
        for secret in [FIRST, SECOND, THIRD] {
            good.push(signed(&key, &path, secret).await.code() == 200);
        }
        good
    };
    add(FIRST, 0).await;
    add(SECOND, 60).await;
    assert_eq!(good().await, [true, true, false]);
    add(THIRD, 3_600).await;
    assert_eq!(good().await, [true, true, true]);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(good().await, [false, true, true], "a longer overlap gives no secret more time");

    // The one that leaked may be any of those that still work.
    let fourth = "the fourth secret of a source";
    add(fourth, 0).await;
    assert_eq!(good().await, [false; 3]);
    signed(&key, &path, fourth).await.expect(200);
}

/// One that has ended proves nothing, so the last good one stays while there are such.
#[tokio::test]
async fn the_last_good_secret_cannot_be_ended() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks"]).await;
    make(&admin, &json!({"name": "ci"})).await;
    let (path, secrets) = (format!("{WEBHOOK}/ci"), format!("{SOURCES}/ci/secrets"));
    admin.post(&secrets, &json!({"secret": FIRST})).await.expect(200);
    app.clock.advance(Duration::from_secs(1));
    let second = json!({"secret": SECOND, "overlap_s": 0});
    let both = admin.post(&secrets, &second).await.expect(200).json();
    let id = |place: usize| both["secrets"][place]["id"].as_str().unwrap().to_owned();
    let (ended, good) = (id(0), id(1));
    admin.delete(&format!("{secrets}/{good}")).await.problem(409, "conflict");
    signed(&key, &path, SECOND).await.expect(200);
    admin.delete(&format!("{secrets}/{ended}")).await.expect(200);
    admin.delete(&format!("{secrets}/{good}")).await.problem(409, "conflict");
}

#[tokio::test]
async fn a_source_of_one_format_takes_no_other() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks"]).await;
    for (format, own) in
        [("github", "GitHub"), ("alertmanager", "Alertmanager"), ("pagerduty", "PagerDuty")]
    {
        make(&admin, &json!({"name": format, "format": format})).await;
        let path = format!("{WEBHOOK}/{format}");
        for sender in &SENDERS {
            let answer = sender.send(&key, &path).await;
            match sender.name == own {
                true => drop(answer.expect(200)),
                false => drop(answer.problem(422, "invalid_body")),
            }
        }
    }
    let unheard = admin.post(SOURCES, &json!({"name": "x", "format": "GitHub"})).await;
    assert_eq!(unheard.problem(422, "invalid_body")["errors"][0]["pointer"], "/format");
}

/// The secrets of the configuration are the default source's, and naming a source is no way round them.
#[tokio::test]
async fn the_configured_secret_stays_good() {
    let app = TestApp::with_settings(|settings| {
        settings.webhook_secrets = vec![rr_webhooks::WebhookSecret::parse(FIRST).unwrap()];
    })
    .await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks"]).await;
    make(&admin, &json!({"name": "ci"})).await;
    for path in [WEBHOOK, "/api/devops/webhook/default", "/api/devops/webhook/ci"] {
        key.post(path, &body()).await.problem(401, "signature_missing");
        signed(&key, path, FIRST).await.expect(200);
    }
    admin.post(&format!("{SOURCES}/ci/secrets"), &json!({"secret": SECOND})).await.expect(200);
    signed(&key, "/api/devops/webhook/ci", FIRST).await.problem(401, "signature_invalid");
    admin.post(&format!("{SOURCES}/default/secrets"), &json!({"secret": SECOND})).await.expect(200);
    for secret in [FIRST, SECOND] {
        signed(&key, WEBHOOK, secret).await.expect(200);
    }
}

/// Alertmanager and others cannot sign: their source says so, and its key alone is then proof.
#[tokio::test]
async fn a_source_whose_sender_cannot_sign_is_known_by_its_key_alone() {
    let app = TestApp::with_settings(|settings| {
        settings.webhook_secrets = vec![rr_webhooks::WebhookSecret::parse(FIRST).unwrap()];
    })
    .await;
    let admin = app.as_admin().await;
    let (own, other) =
        (app.with_key(&["write_webhooks"]).await, app.with_key(&["write_webhooks"]).await);
    let nobodys = admin.post(SOURCES, &json!({"name": "am", "unsigned": true})).await;
    let problem = nobodys.problem(422, "invalid_body");
    assert_eq!(problem["errors"][0]["pointer"], "/unsigned");
    let made = make(&admin, &json!({"name": "am", "key_id": own.id})).await;
    assert_eq!(made["unsigned"], false);
    let (one, path) = (format!("{SOURCES}/am"), format!("{WEBHOOK}/am"));
    own.post(WEBHOOK, &body()).await.problem(401, "signature_missing");

    admin.call("PATCH", &one).json(&json!({"unsigned": true})).await.expect(200);
    for path in [WEBHOOK, &path] {
        own.post(path, &body()).await.expect(200);
    }
    other.post(WEBHOOK, &body()).await.problem(401, "signature_missing");
    other.post(&path, &body()).await.problem(403, "source_not_allowed");
    // Another source, and the same one without its key or with a secret, asks for a signature as before.
    own.post("/api/devops/webhook/default", &body()).await.problem(403, "source_not_allowed");
    admin.call("PATCH", &one).json(&json!({"key_id": null})).await.expect(200);
    own.post(&path, &body()).await.problem(401, "signature_missing");
    admin.call("PATCH", &one).json(&json!({"key_id": own.id})).await.expect(200);
    own.post(&path, &body()).await.expect(200);
    admin.post(&format!("{one}/secrets"), &json!({"secret": SECOND})).await.expect(200);
    own.post(&path, &body()).await.problem(401, "signature_missing");
    signed(&own, &path, SECOND).await.expect(200);
    let log = admin.get("/api/devops/activity").await.json();
    assert!(log["activity"].as_array().unwrap().iter().any(|row| {
        row["detail"]["before"]["unsigned"] == false && row["detail"]["after"]["unsigned"] == true
    }));
}

/// Reports are taken without a signature, so they are nothing that a signature stands for elsewhere: neither
/// another sender's events nor the ids of events that are signed.
#[tokio::test]
async fn a_report_is_no_way_round_a_signature() {
    const REPORTS: &str = "/api/devops/metrics";
    let app = TestApp::with_settings(|settings| {
        settings.webhook_secrets = vec![rr_webhooks::WebhookSecret::parse(FIRST).unwrap()];
    })
    .await;
    let admin = app.as_admin().await;
    let all = ["write_webhooks", "read_events", "read_metrics"];
    let (bound, free) = (app.with_key(&all).await, app.with_key(&all).await);
    make(&admin, &json!({"name": "hub", "format": "github", "key_id": bound.id})).await;
    let secret = json!({"secret": SECOND});
    admin.post(&format!("{SOURCES}/hub/secrets"), &secret).await.expect(200);
    let forged = json!({"action": "created", "repository": {"full_name": "octo/shop"},
        "deployment": {"id": 1, "environment": "production"},
        "deployment_status": {"state": "success", "created_at": "2026-01-15T12:03:00Z"}});
    let report = json!({"event": "revenue_generated", "data": {"amount": 1250}});
    let deployment = json!({"event_type": "deployment", "service": "shop"});
    for (key, body, status, code) in [
        (&bound, &forged, 403, "source_not_allowed"),
        (&bound, &report, 403, "source_not_allowed"),
        (&free, &forged, 422, "invalid_body"),
        (&free, &deployment, 422, "invalid_body"),
    ] {
        let forging = key.post(REPORTS, body).header("x-github-event", "deployment_status");
        forging.header("x-github-delivery", "d1").await.problem(status, code);
    }
    assert_eq!(free.get("/api/devops/events").await.json()["events"], json!([]));
    assert_eq!(free.get("/api/devops/dora").await.json()["services"], json!([]));
    let ids = [
        ("webhook-id", "m1"),
        ("ce-specversion", "1.0"),
        ("ce-id", "m1"),
        ("idempotency-key", "m1"),
    ];
    for _ in 0..2 {
        let mut claiming = free.post(REPORTS, &report);
        for (name, value) in ids {
            claiming = claiming.header(name, value);
        }
        claiming.await.expect(200);
    }
    let reports = free.get("/api/devops/events").await.json();
    assert_eq!(reports["events"].as_array().unwrap().len(), 1, "a repeat is recognised");
    for id in ["webhook-id", "idempotency-key"] {
        signed_with(&free, WEBHOOK, FIRST, &[(id, "m1")]).await.expect(200);
    }
}

#[tokio::test]
async fn a_source_is_changed_disabled_and_removed_with_a_trace() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks"]).await;
    let made = make(&admin, &json!({"name": "hub", "format": "github"})).await;
    assert_eq!((&made["enabled"], &made["retention_days"]), (&json!(true), &json!(null)));
    let (path, one) = (format!("{WEBHOOK}/hub"), format!("{SOURCES}/hub"));
    let wrong = key.post(&path, &body()).await.problem(422, "invalid_body");
    assert_eq!(wrong["detail"], "The body is not of the source's format.");
    let expected = json!({"pointer": "", "detail": "is not of the source's format"});
    assert_eq!(wrong["errors"], json!([expected]));
    key.post(&path, &json!({})).header("x-github-event", "ping").await.expect(200);
    let change = json!({"format": "auto", "enabled": false, "retention_days": 30});
    let changed = admin.call("PATCH", &one).json(&change).await.expect(200).json();
    assert_eq!(changed["retention_days"], 30);
    key.post(&path, &body()).await.problem(403, "source_not_allowed");
    admin
        .call("PATCH", &one)
        .json(&json!({"enabled": true, "retention_days": null}))
        .await
        .expect(200);
    key.post(&path, &body()).await.expect(200);
    let log = admin.get("/api/devops/activity").await.json();
    let row = &log["activity"][1];
    assert_eq!(
        (&row["action"], &row["subject"]),
        (&json!("webhook_source.changed"), &json!("webhook_source:hub"))
    );
    assert_eq!(row["detail"]["before"]["format"], "github");
    assert_eq!(row["detail"]["after"]["enabled"], false);
    for bad in [json!({"format": "x"}), json!({"retention_days": 0}), json!({"retention_bytes": 0})]
    {
        admin.call("PATCH", &one).json(&bad).await.problem(422, "invalid_body");
    }
    admin.call("DELETE", &one).await.expect(204);
    admin.call("DELETE", &one).await.problem(404, "not_found");
    key.post(&path, &body()).await.problem(404, "not_found");
    admin.call("DELETE", &format!("{SOURCES}/default")).await.problem(409, "conflict");
    let bind = admin.call("PATCH", &format!("{SOURCES}/default")).json(&json!({"key_id": key.id}));
    bind.await.problem(409, "conflict");
}

/// Another process learns of a change by looking, as it does for keys.
#[tokio::test]
async fn another_process_follows() {
    let app = TestApp::init().await;
    let store = open_store(app.database.url());
    let other = TestApp::with_store(TestDatabase::empty().await, store, |_| {});
    let key = app.with_key(&["write_webhooks"]).await;
    key.post(WEBHOOK, &body()).await.expect(200);
    let there = Client::new(other.base()).with_key(&key.secret);
    there.post(WEBHOOK, &body()).await.expect(200);
    let admin = app.as_admin().await;
    make(&admin, &json!({"name": "ci"})).await;
    there.post("/api/devops/webhook/ci", &body()).await.problem(404, "not_found");
    other.state.follow_sources().await;
    there.post("/api/devops/webhook/ci", &body()).await.expect(200);
}

#[tokio::test]
async fn everything_is_exported_once() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    let lines: String =
        (0..1_000).map(|n| format!("{{\"event_type\":\"n\",\"n\":{n}}}\n")).collect();
    for _ in 0..2 {
        let batch = key.call("POST", "/api/devops/webhook/batch");
        batch.body("application/x-ndjson", lines.clone()).await.expect(200);
    }
    key.post(WEBHOOK, &body()).await.expect(200);
    let all = key.get("/api/devops/events/export").await.expect(200);
    assert_eq!(all.header("content-type"), Some("application/x-ndjson"));
    let events: Vec<Value> =
        all.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: std::collections::BTreeSet<_> =
        events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!((events.len(), ids.len()), (2_001, 2_001));
    let newest = key.get("/api/devops/events?limit=1").await.json();
    assert_eq!(events[0], newest["events"][0]);
    let few = key.get("/api/devops/events/export?type=sample").await.expect(200);
    assert_eq!(few.text().lines().count(), 1);
    let problem = key.get("/api/devops/events/export?limit=1").await;
    assert_eq!(problem.problem(400, "invalid_parameter")["errors"][0]["pointer"], "limit");
}

/// What came in can be told again from the export alone, byte for byte.
#[tokio::test]
async fn a_full_export_has_all_that_is_kept() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    make(&admin, &json!({"name": "ci"})).await;
    let bodies = [
        "{ \"event_type\": \"deployment\",\t\"service\":\"shop\", \"status\":\"success\" }\n",
        "{\"event_type\":\"other\",\"n\":1e2,\"text\":\"\\u00e9 é\"}",
    ];
    for (path, text) in ["/ci", ""].into_iter().zip(bodies) {
        let call = key.call("POST", &format!("{WEBHOOK}{path}"));
        call.body("application/json; charset=utf-8", text).await.expect(200);
    }
    let noise = key.call("POST", WEBHOOK);
    let noise = [("specversion", "1.0"), ("id", "n1"), ("source", "urn:test"), ("type", "noise")]
        .into_iter()
        .fold(noise, |call, (name, value)| call.header(&format!("ce-{name}"), value));
    noise.body("application/octet-stream", [0xff, 0xfe, 0, 1].as_slice()).await.expect(200);

    let all = key.get("/api/devops/events/export?full=true").await.expect(200);
    let lines: Vec<Value> =
        all.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [noise, other, deployment] = &lines[..] else { panic!("{lines:?}") };
    for (line, text, source) in [(deployment, bodies[0], "ci"), (other, bodies[1], "default")] {
        assert_eq!(line["body"], text);
        assert_eq!(line["content_type"], "application/json");
        assert_eq!(line["webhook_source"], source);
        assert_eq!(line["key_id"], key.id.to_string());
        assert!(line.get("body_base64").is_none());
    }
    assert_eq!((&deployment["seq"], &other["seq"]), (&json!(1), &json!(2)));
    assert_eq!(deployment["meaning"]["kind"], "deployment");
    assert_eq!(deployment["meaning"]["service"], "shop");
    assert_eq!(other["meaning"], Value::Null);
    assert_eq!(noise["content_type"], "application/octet-stream");
    assert_eq!((&noise["body_base64"], noise.get("body")), (&json!("//4AAQ=="), None));
    let plain = key.get("/api/devops/events/export?full=false").await.expect(200);
    let first: Value = serde_json::from_str(plain.text().lines().next().unwrap()).unwrap();
    assert!(first.get("body").is_none() && first["id"] == noise["id"], "{first}");
    let problem = key.get("/api/devops/events/export?full=1").await;
    assert_eq!(problem.problem(400, "invalid_parameter")["errors"][0]["pointer"], "full");
}
