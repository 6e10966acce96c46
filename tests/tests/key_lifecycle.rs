//! What a key is worth over time: expiry, revocation, permissions, addresses, limits, old keys.

use std::time::Duration;

use rr_keys::{KeyFormat, KeyHash, RateLimit};
use rr_tests::app::TestApp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SYNC: &str = "/api/devops/sync/users";

#[tokio::test]
async fn a_revoked_key_is_refused_by_the_very_next_request() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let path = format!("/api/devops/keys/{}", key.id);
    // Cached, so that revocation has something to take back.
    key.get(SYNC).await.expect(200);
    let gone = admin.delete(&path).await.expect(204);
    assert!(gone.body.is_empty());
    key.get(SYNC).await.problem(401, "key_revoked");
    admin.delete(&path).await.expect(204);
    key.get(SYNC).await.problem(401, "key_revoked");
    let listed = admin.get(&path).await.json();
    assert_eq!(listed["is_active"], false);
    assert_eq!(listed["status"], "revoked");
    // Revoked is for good: no change brings it back.
    admin.patch(&path, &json!({"enabled": true})).await;
    key.get(SYNC).await.problem(401, "key_revoked");
}

#[tokio::test]
async fn requests_that_run_while_a_key_is_revoked_do_not_bring_it_back() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for _ in 0..20 {
        let key = app.with_key(&["read_metrics"]).await;
        let path = format!("/api/devops/keys/{}", key.id);
        let readers = (0..4).map(|_| async { key.get(SYNC).await.code() });
        let (revoked, statuses) =
            tokio::join!(admin.delete(&path), futures_util::future::join_all(readers));
        revoked.expect(204);
        assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
        key.get(SYNC).await.problem(401, "key_revoked");
    }
}

#[tokio::test]
async fn a_key_ends_at_its_instant() {
    let app = TestApp::init().await;
    let ends = app.clock.now().plus(Duration::from_secs(60)).to_system_time();
    let key = app.with_key_like(&["read_metrics"], |key| key.expires_at = Some(ends)).await;
    app.clock.advance(Duration::from_micros(59_999_999));
    key.get(SYNC).await.expect(200);
    app.clock.advance(Duration::from_micros(1));
    key.get(SYNC).await.problem(401, "key_expired");
}

#[tokio::test]
async fn a_key_begins_at_its_instant() {
    let app = TestApp::init().await;
    let begins = app.clock.now().plus(Duration::from_secs(60)).to_system_time();
    let key = app.with_key_like(&["read_metrics"], |key| key.not_before = Some(begins)).await;
    key.get(SYNC).await.problem(401, "key_not_yet_valid");
    app.clock.advance(Duration::from_secs(60));
    key.get(SYNC).await.expect(200);
}

/// The same, asked for over HTTP: given, moved, taken away, and never behind the key's end.
#[tokio::test]
async fn a_beginning_is_given_moved_and_taken_away() {
    const NEW: &str = "/api/devops/generate-key";
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let wish = |start: &str, end: Value| json!({"not_before": start, "expires_at": end});
    let (noon, one, two) = ("2026-01-15T12:00:00Z", "2026-01-15T13:00:00Z", "2026-01-15T14:00:00Z");
    for (body, pointer) in [
        (wish("soon", json!(null)), "/not_before"),
        (wish(two, json!(one)), "/not_before"),
        (wish(one, json!(one)), "/not_before"),
        (json!({"not_before": "2027-01-15T12:00:00Z", "expires_in_days": 365}), "/not_before"),
    ] {
        let problem = admin.post(NEW, &body).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    admin.post(NEW, &wish(noon, json!(null))).await.expect(200);

    let made = admin.post(NEW, &wish(one, json!(two))).await.json();
    let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
    let path = format!("/api/devops/keys/{}", made["key_id"].as_str().unwrap());
    let shown = admin.get(&path).await.json();
    assert_eq!((&shown["not_before"], &shown["status"]), (&json!(one), &json!("not_yet_valid")));
    key.get(SYNC).await.problem(401, "key_not_yet_valid");

    for (change, pointer) in [
        (json!({"not_before": two}), "/not_before"),
        (json!({"not_before": "nonsense"}), "/not_before"),
        (json!({"expires_at": one}), "/expires_at"),
        (json!({"expires_at": one, "not_before": two}), "/not_before"),
    ] {
        let problem = admin.patch(&path, &change).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{change}");
    }
    assert_eq!(admin.get(&path).await.json(), shown, "a refused change changes nothing");
    let moved = admin.patch(&path, &json!({"not_before": noon})).await.json();
    assert_eq!((&moved["not_before"], &moved["status"]), (&json!(noon), &json!("active")));
    key.get(SYNC).await.expect(200);
    admin.patch(&path, &json!({"not_before": one})).await.expect(200);
    key.get(SYNC).await.problem(401, "key_not_yet_valid");
    let free = admin.patch(&path, &json!({"not_before": null})).await.json();
    assert_eq!(free.get("not_before"), None);
    key.get(SYNC).await.expect(200);
}

#[tokio::test]
async fn each_permission_opens_its_own_doors_and_no_others() {
    let app = TestApp::init().await;
    let webhook = json!({"event_type": "x"});
    for permission in [
        "read_metrics",
        "write_webhooks",
        "read_users",
        "read_events",
        "manage_keys",
        "manage_webhooks",
        "write_data",
    ] {
        let key = app.with_key(&[permission]).await;
        for (needs, answer) in [
            ("read_metrics", key.get(SYNC).await),
            ("read_metrics", key.get("/api/devops/sync/revenue").await),
            ("read_metrics", key.get("/api/devops/sync/commissions").await),
            ("read_metrics", key.get("/api/devops/dashboard").await),
            ("read_metrics", key.get("/metrics").await),
            ("read_users", key.get("/api/devops/users").await),
            ("read_events", key.get("/api/devops/events").await),
            ("manage_keys", key.get("/api/devops/keys").await),
            ("write_webhooks", key.post("/api/devops/webhook", &webhook).await),
        ] {
            if needs == permission {
                answer.expect(200);
            } else {
                let problem = answer.problem(403, "insufficient_scope");
                assert_eq!(problem["required"], needs);
                assert_eq!(problem["missing"], json!([needs]));
            }
        }
    }
    let nothing = app.with_key(&[]).await;
    nothing.get(SYNC).await.problem(403, "insufficient_scope");
}

/// A proxy that asks for a password before the panel has the browser send it with every request.
#[tokio::test]
async fn the_password_of_a_proxy_is_no_credential_of_ours() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let basic = ("authorization", "Basic b3BzOm9wcw==");
    let admin = app.as_admin().await.with_header(basic.0, basic.1);
    admin.get(SYNC).await.expect(200);
    admin.get("/api/auth/me").await.expect(200);
    let alone = app.get(SYNC).header(basic.0, basic.1).await;
    alone.problem(401, "unauthenticated");
    assert_eq!(alone.header("www-authenticate"), Some(r#"Bearer realm="revenue-ripple""#));
    app.get("/healthz").header(basic.0, basic.1).await.expect(200);
    let beside = app.get(SYNC).header("x-api-key", &key.secret);
    beside.header(basic.0, basic.1).await.problem(400, "conflicting_credentials");
}

#[tokio::test]
async fn a_key_may_come_in_either_header_but_not_with_another() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let other = app.with_key(&["read_metrics"]).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = format!("{scheme} {}", key.secret);
        app.get(SYNC).header("authorization", &value).await.expect(200);
    }
    let both = app.get(SYNC).header("x-api-key", &key.secret);
    both.header("authorization", &format!("Bearer {}", other.secret))
        .await
        .problem(400, "conflicting_credentials");
    let admin = app.as_admin().await;
    admin.get(SYNC).header("x-api-key", &key.secret).await.problem(400, "conflicting_credentials");
    for query in ["api_key", "x-api-key", "key", "access_token"] {
        let answer = app.get(&format!("{SYNC}?{query}={}", key.secret)).await;
        assert!([400, 401].contains(&answer.code()), "{query}: {}", answer.code());
    }
}

#[tokio::test]
async fn a_key_of_the_old_server_works_by_its_hash_alone() {
    let app = TestApp::init().await;
    let old = concat!("rr_", "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE");
    assert_eq!(old.len(), 3 + 43);
    let hash: [u8; 32] = Sha256::digest(old).into();
    let issued = app.with_key(&["read_metrics"]).await;
    let mut record = app.store().key(issued.id).await.unwrap().unwrap().record;
    record.id = uuid::Uuid::from_u128(7);
    let key = rr_store::NewKey {
        record,
        hash: rr_store::SecretHash::plain(KeyHash::from_bytes(hash)),
        hint: old[..7].to_owned(),
        created_by: "the old server".to_owned(),
        last_used_at: None,
    };
    let audit = rr_store::Audit {
        at: app.clock.now(),
        actor: rr_store::Actor::CommandLine,
        request_id: None,
        address: None,
    };
    app.store().create_key(key, None, audit).await.unwrap();
    app.with_header("x-api-key", old).get(SYNC).await.expect(200);
    let bearer = format!("Bearer {old}");
    app.with_header("authorization", &bearer).get(SYNC).await.expect(200);
}

#[tokio::test]
async fn a_key_with_a_limit_is_told_to_wait() {
    let app = TestApp::init().await;
    let limit = RateLimit { limit: 3.try_into().unwrap(), window: Duration::from_secs(60) };
    let key = app.with_key_like(&["read_metrics"], |key| key.rate_limits = limit.into()).await;
    for _ in 0..3 {
        let answer = key.get(SYNC).await.expect(200);
        assert!(answer.header("ratelimit").is_some(), "{:?}", answer.headers);
        assert!(answer.header("ratelimit-policy").is_some(), "{:?}", answer.headers);
    }
    let refused = key.get(SYNC).await;
    refused.problem(429, "rate_limited");
    assert!(refused.header("ratelimit").is_some() && refused.header("ratelimit-policy").is_some());
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    app.clock.advance(Duration::from_secs(wait));
    key.get(SYNC).await.expect(200);
}

/// (i) A client-set X-Forwarded-For is ignored unless the proxy is trusted.
#[tokio::test]
async fn the_address_of_a_key_is_the_one_a_trusted_proxy_names() {
    let allow = |key: &mut rr_keys::KeyRecord| {
        key.allowed_ips = rr_keys::AllowList::parse(["203.0.113.0/24"]).unwrap();
    };
    let trusting = TestApp::with_settings(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let key = trusting.with_key_like(&["read_metrics"], allow).await;
    key.get(SYNC).await.problem(403, "address_not_allowed");
    key.get(SYNC).header("x-forwarded-for", "203.0.113.9").await.expect(200);
    // What the client itself wrote stands left of what our proxy saw.
    key.get(SYNC)
        .header("x-forwarded-for", "203.0.113.9, 198.51.100.1")
        .await
        .problem(403, "address_not_allowed");

    let trusting_nobody = TestApp::init().await;
    let key = trusting_nobody.with_key_like(&["read_metrics"], allow).await;
    key.get(SYNC)
        .header("x-forwarded-for", "203.0.113.9")
        .await
        .problem(403, "address_not_allowed");
}

#[tokio::test]
async fn uses_are_counted_and_written_down_in_one_go() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let version = app.store().key_changes(None).await.unwrap().version;
    for _ in 0..50 {
        key.get(SYNC).await.expect(200);
    }
    let before = app.store().key(key.id).await.unwrap().unwrap();
    assert_eq!(before.use_count, 0, "no write on the request path");
    app.state.flush_usage().await;
    let after = app.store().key(key.id).await.unwrap().unwrap();
    assert_eq!(after.use_count, 50);
    assert_eq!(after.last_used_at, Some(app.clock.now()));
    assert_eq!(
        app.store().key_changes(None).await.unwrap().version,
        version,
        "usage is no change of the key"
    );
    assert!(KeyFormat::REVENUE_RIPPLE.parse(&key.secret).is_ok());
}

/// Revoked is for good: nothing of such a key changes any more but the name in the list.
#[tokio::test]
async fn a_revoked_key_is_not_changed_back_to_life() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let path = format!("/api/devops/keys/{}", key.id);
    admin.delete(&path).await.expect(204);
    let before = app.counts().await;
    for change in [
        serde_json::json!({"enabled": true}),
        serde_json::json!({"enabled": false}),
        serde_json::json!({"expires_at": null}),
        serde_json::json!({"permissions": ["read_metrics"]}),
        serde_json::json!({"rate_limit": null}),
        serde_json::json!({"rate_limits": []}),
        serde_json::json!({"allowed_ips": []}),
        serde_json::json!({"name": "kept", "enabled": true}),
    ] {
        let problem = admin.patch(&path, &change).await.problem(409, "key_not_changeable");
        assert_eq!(problem["key_id"], key.id.to_string(), "{change}");
    }
    assert_eq!(app.counts().await, before);
    let renamed =
        admin.patch(&path, &serde_json::json!({"name": "the one that leaked"})).await.json();
    assert_eq!(renamed["name"], "the one that leaked");
    assert_eq!(renamed["status"], "revoked");
    key.get("/api/devops/sync/users").await.problem(401, "key_revoked");
}
