//! Tools that can sign and can send no key: what is signed with a source's own secret acts as its key.

use std::num::NonZeroU32;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rr_keys::{AllowList, RateLimit};
use rr_tests::app::{Key, TestApp};
use rr_tests::client::{Answer, Call, Client};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const STATUS: &str = r#"{"action":"created","deployment_status":{"id":209916254,"state":"success","environment":"production","created_at":"2026-01-15T12:03:00Z"},"deployment":{"id":145988746,"sha":"f95f852bd8fca8fcc58a9a2d6c842781e32a215e","ref":"main","task":"deploy","environment":"production","created_at":"2026-01-15T12:00:00Z"},"repository":{"name":"shop","full_name":"octo/shop"}}"#;

fn mac(secret: &str, signed: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A source with a secret of its own, bound to the key.
async fn make(admin: &Client, name: &str, key: &Key) {
    let sources = "/api/devops/sources";
    admin.post(sources, &json!({"name": name, "key_id": key.id})).await.expect(200);
    let secrets = format!("{sources}/{name}/secrets");
    admin.post(&secrets, &json!({"secret": SECRET})).await.expect(200);
}

fn to(name: &str) -> String {
    format!("/api/devops/webhook/{name}")
}

/// GitHub's request, as it makes it.
fn github(client: &Client, name: &str, secret: &str, delivery: &str) -> Call {
    let call = client.call("POST", &to(name)).body("application/json", STATUS);
    call.header("user-agent", "GitHub-Hookshot/044aadd")
        .header("x-github-event", "deployment_status")
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", &format!("sha256={}", mac(secret, STATUS)))
}

/// What every caller without a credential hears, whatever was tried.
fn unheard(answer: &Answer) -> Value {
    let mut problem = answer.problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="revenue-ripple""#));
    problem["request_id"] = Value::Null;
    problem
}

#[tokio::test]
async fn github_and_stripe_are_received_as_they_send() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let (hub, pay) =
        (app.with_key(&["write_webhooks"]).await, app.with_key(&["write_webhooks"]).await);
    make(&admin, "github", &hub).await;
    make(&admin, "stripe", &pay).await;
    let first = github(&app, "github", SECRET, "d1").await.expect(200).json();
    let again = github(&app, "github", SECRET, "d1").await.expect(200).json();
    assert_eq!(first["webhook_id"], again["webhook_id"], "a redelivery is a repeat");
    let body = r#"{"id":"evt_1","object":"event","type":"invoice.paid","data":{"object":{}}}"#;
    let at = app.clock.now().seconds();
    let stripe = |at: i64| {
        let v1 = mac(SECRET, &format!("{at}.{body}"));
        let call = app.call("POST", &to("stripe")).body("application/json; charset=utf-8", body);
        call.header("stripe-signature", &format!("t={at},v1={v1}"))
    };
    stripe(at).await.expect(200);
    unheard(&stripe(at - 301).await);
    let reader = app.with_key(&["read_events", "read_metrics"]).await;
    let events = reader.get("/api/devops/events").await.json();
    let types: Vec<_> =
        events["events"].as_array().unwrap().iter().map(|it| &it["event_type"]).collect();
    assert_eq!(types.len(), 2, "{events}");
    assert!(types.contains(&&json!("github.deployment_status.success")), "{events}");
    let dora = reader.get("/api/devops/dora?from=2026-01-10T00:00:00Z&to=2026-01-20T00:00:00Z");
    assert_eq!(dora.await.json()["services"][0]["deployments"], 1);
    // The same key, shown, finds its events: one id of a delivery for both ways.
    let shown = github(&hub, "github", SECRET, "d1").await.expect(200).json();
    assert_eq!(shown["webhook_id"], first["webhook_id"]);
}

/// What GitHub sends where nobody changed the content type of its webhook: a form with one field. It signs the
/// form as it is written and not what stands in it.
#[tokio::test]
async fn github_is_received_as_it_sends_unless_it_is_told_otherwise() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let hub = app.with_key(&["write_webhooks"]).await;
    make(&admin, "github", &hub).await;
    let form = |payload: &str| {
        let encode = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        format!("payload={}", payload.bytes().map(encode).collect::<String>())
    };
    let send = |body: &str, signed: &str, delivery: &str| {
        app.call("POST", &to("github"))
            .body("application/x-www-form-urlencoded", body.to_owned())
            .header("user-agent", "GitHub-Hookshot/044aadd")
            .header("x-github-event", "deployment_status")
            .header("x-github-delivery", delivery)
            .header("x-hub-signature-256", &format!("sha256={}", mac(SECRET, signed)))
    };
    let text = STATUS.replace("shop", "Möbel & mehr");
    let body = form(&text);
    let first = send(&body, &body, "d1").await.expect(200).json();
    let again = send(&body, &body, "d1").await.expect(200).json();
    assert_eq!(first["webhook_id"], again["webhook_id"]);
    unheard(&send(&body, &text, "d2").await);
    for wrong in
        ["", "payload=", "payload=%7B", "load=%7B%7D", "payload=%7B%7D&payload=%7B%7D", STATUS]
    {
        let answer = send(wrong, wrong, "d3").await;
        assert!([400, 422].contains(&answer.code()), "{wrong}: {}", answer.text());
    }
    let foreign =
        hub.call("POST", &to("github")).body("application/x-www-form-urlencoded", body.clone());
    let signed = foreign.header("x-hub-signature-256", &format!("sha256={}", mac(SECRET, &body)));
    signed.await.problem(415, "unsupported_media_type");

    let reader = app.with_key(&["read_events"]).await;
    let all = reader.get("/api/devops/events/export?full=true").await.expect(200).text();
    let event: Value = serde_json::from_str(all.trim_end()).unwrap();
    assert_eq!(event["event_type"], "github.deployment_status.success");
    assert_eq!(event["data"], serde_json::from_str::<Value>(&text).unwrap());
    assert_eq!(event["content_type"], "application/x-www-form-urlencoded");
    assert_eq!(event["body"], body);
    // Whoever changes the content type may have GitHub send again what it sent before.
    let json = app.call("POST", &to("github")).body("application/json", text.clone());
    let json = json.header("x-github-event", "deployment_status").header("x-github-delivery", "d1");
    let json = json.header("x-hub-signature-256", &format!("sha256={}", mac(SECRET, &text))).await;
    assert_eq!(json.expect(200).json()["webhook_id"], first["webhook_id"]);
}

/// GitLab signs nothing and shows the secret itself. That is enough for a source of its format, and for no other.
#[tokio::test]
async fn gitlab_is_known_by_its_token() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let (own, other) =
        (app.with_key(&["write_webhooks"]).await, app.with_key(&["write_webhooks"]).await);
    make(&admin, "gitlab", &own).await;
    make(&admin, "other", &other).await;
    let body = r#"{"object_kind":"deployment","status":"success","deployment_id":15,"environment":"production","project":{"name":"shop","path_with_namespace":"octo/shop"}}"#;
    let send = |client: &Client, name: &str, token: &str| {
        let call = client.call("POST", &to(name)).body("application/json", body);
        call.header("x-gitlab-event", "Deployment Hook").header("x-gitlab-token", token)
    };
    unheard(&send(&app, "gitlab", SECRET).await);
    let format = json!({"format": "gitlab"});
    admin.patch("/api/devops/sources/gitlab", &format).await.expect(200);
    let first =
        send(&app, "gitlab", SECRET).header("idempotency-key", "1").await.expect(200).json();
    let again =
        send(&own, "gitlab", SECRET).header("idempotency-key", "1").await.expect(200).json();
    assert_eq!(first["webhook_id"], again["webhook_id"], "with the key shown or not");
    let decoded = SECRET.strip_prefix("whsec_").unwrap();
    for wrong in ["", "x", decoded, &SECRET[..SECRET.len() - 1], &format!("{SECRET}x")] {
        unheard(&send(&app, "gitlab", wrong).await);
        let problem = send(&own, "gitlab", wrong).await.problem(401, "signature_invalid");
        assert_eq!(problem["detail"], "X-Gitlab-Token is none of the source's secrets.");
    }
    unheard(&send(&app, "gitlab", SECRET).header("x-gitlab-token", SECRET).await);
    // A signature binds more, so a wrong one is not made good by a token.
    unheard(&send(&app, "gitlab", SECRET).header("x-webhook-signature", "sha256=00").await);
    unheard(&send(&app, "other", SECRET).await);
    send(&other, "other", SECRET).await.problem(401, "signature_missing");

    app.clock.advance(Duration::from_secs(1));
    let secret = json!({"secret": "another secret of gitlab's", "overlap_s": 0});
    admin.post("/api/devops/sources/gitlab/secrets", &secret).await.expect(200);
    unheard(&send(&app, "gitlab", SECRET).await);
    send(&app, "gitlab", "another secret of gitlab's").await.expect(200);
    let reader = app.with_key(&["read_events"]).await;
    let events = reader.get("/api/devops/events").await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    assert_eq!(events["events"][0]["event_type"], "gitlab.deployment.success");
}

#[tokio::test]
async fn a_good_signature_acts_as_the_key_and_as_no_more() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let poor = app.with_key(&["read_metrics"]).await;
    let far = app
        .with_key_like(&["write_webhooks"], |key| {
            key.allowed_ips = AllowList::parse(["203.0.113.7"]).unwrap();
        })
        .await;
    let gone = app.with_key(&["write_webhooks"]).await;
    let few = app
        .with_key_like(&["write_webhooks"], |key| {
            let limit = NonZeroU32::new(2).unwrap();
            key.rate_limits = RateLimit { limit, window: Duration::from_secs(60) }.into();
        })
        .await;
    for (name, key) in [("poor", &poor), ("far", &far), ("gone", &gone), ("few", &few)] {
        make(&admin, name, key).await;
    }
    github(&app, "gone", SECRET, "d1").await.expect(200);
    admin.delete(&format!("/api/devops/keys/{}", gone.id)).await.expect(204);
    github(&app, "gone", SECRET, "d2").await.problem(401, "key_revoked");
    github(&app, "poor", SECRET, "d1").await.problem(403, "insufficient_scope");
    github(&app, "far", SECRET, "d1").await.problem(403, "address_not_allowed");
    // Who cannot sign takes nothing from its limit; the key itself and its signatures take from one.
    for _ in 0..3 {
        unheard(&github(&app, "few", "another secret", "d1").await);
    }
    github(&app, "few", SECRET, "d1").await.expect(200);
    github(&few, "few", SECRET, "d2").await.expect(200);
    let refused = github(&app, "few", SECRET, "d3").await;
    refused.problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some() && refused.header("ratelimit").is_some());
    let usage = app.state.verifier.take_usage();
    let uses = usage.iter().find(|usage| usage.key_id == few.id).unwrap();
    assert_eq!(uses.count, 2);
    // What it says is judged after that, and told.
    let text = "{";
    let call = app.call("POST", &to("gone")).body("application/json", text);
    let signed = format!("sha256={}", mac(SECRET, text));
    call.header("x-webhook-signature", &signed).await.problem(401, "key_revoked");
    app.clock.advance(Duration::from_secs(60));
    let call = app.call("POST", &to("few")).body("application/json", text);
    call.header("x-webhook-signature", &signed).await.problem(400, "invalid_json");
}

#[tokio::test]
async fn until_a_signature_is_good_all_hear_the_same() {
    let app = TestApp::with_settings(|settings| {
        settings.webhook_secrets = vec![rr_webhooks::WebhookSecret::parse(SECRET).unwrap()];
    })
    .await;
    let admin = app.as_admin().await;
    let keys = [&["write_webhooks"][..]; 3];
    let mut made = Vec::new();
    for permissions in keys {
        made.push(app.with_key(permissions).await);
    }
    make(&admin, "hub", &made[0]).await;
    make(&admin, "off", &made[1]).await;
    let off = admin.patch("/api/devops/sources/off", &json!({"enabled": false}));
    off.await.expect(200);
    // Signed with what the default source asks for, and with a key; but the secret is not its own.
    let shared = json!({"name": "shared", "key_id": made[2].id});
    admin.post("/api/devops/sources", &shared).await.expect(200);
    // It has a secret, and no key to act as.
    admin.post("/api/devops/sources", &json!({"name": "keyless"})).await.expect(200);
    let secret = json!({"secret": SECRET});
    admin.post("/api/devops/sources/keyless/secrets", &secret).await.expect(200);
    let usual = unheard(&app.call("POST", &to("hub")).body("application/json", STATUS).await);
    assert!(usual.get("signature_hints").is_none());
    for (name, secret) in [
        ("hub", "another secret"),
        ("nobody", SECRET),
        ("off", SECRET),
        ("shared", SECRET),
        ("keyless", SECRET),
        ("default", SECRET),
    ] {
        assert_eq!(unheard(&github(&app, name, secret, "d1").await), usual, "{name}");
        let call = github(&app, name, secret, "d1").header("x-pagerduty-signature", "v1=0");
        assert_eq!(unheard(&call.header("stripe-signature", "t=x").await), usual, "{name}");
        // A body that is too long is one for all.
        let long = "x".repeat(300_000);
        let call = app.call("POST", &to(name)).body("application/json", long.clone());
        call.header("x-hub-signature-256", "sha256=00").await.problem(413, "body_too_large");
        let call = app.call("POST", &to(name)).body("application/json", long);
        assert_eq!(unheard(&call.await), usual, "{name}: it is not read");
    }
    for path in ["/api/devops/webhook", "/api/devops/webhook/batch"] {
        let call = app.call("POST", path).body("application/json", STATUS);
        let signed = format!("sha256={}", mac(SECRET, STATUS));
        assert_eq!(unheard(&call.header("x-hub-signature-256", &signed).await), usual);
    }
    // A key that is shown is judged as ever: a signature does not stand in for it.
    let stranger = app.with_key(&["read_metrics"]).await;
    github(&stranger, "hub", SECRET, "d1").await.problem(403, "insufficient_scope");
    let nonsense = app.with_header("x-api-key", "rr_nonsense");
    github(&nonsense, "hub", SECRET, "d1").await.problem(401, "invalid_key");
    let reader = app.with_key(&["read_events"]).await;
    assert_eq!(reader.get("/api/devops/events").await.json()["events"], json!([]));
    github(&app, "hub", SECRET, "d1").await.expect(200);
}
