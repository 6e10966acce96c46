//! Making, listing, reading and changing keys.

use std::time::Duration;

use rr_tests::app::TestApp;
use serde_json::{Value, json};

const GENERATE: &str = "/api/devops/generate-key";
const KEYS: &str = "/api/devops/keys";

#[tokio::test]
async fn a_new_key_is_shown_once_and_works() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let answer = admin.post(GENERATE, &json!({})).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let made = answer.json();
    let secret = made["api_key"].as_str().unwrap();
    assert_eq!(secret.len(), 39);
    assert!(secret.starts_with("rr_"));
    assert_eq!(made["name"], "DevOps Integration Key");
    assert_eq!(made["permissions"], json!(["read_metrics", "write_webhooks"]));
    assert_eq!(made["created_at"], "2026-01-15T12:00:00Z");
    assert_eq!(made["expires_at"], "2027-01-15T12:00:00Z");
    app.with_header("x-api-key", secret).get("/api/devops/sync/users").await.expect(200);

    let listed = admin.get(KEYS).await.expect(200);
    assert!(!listed.text().contains(&secret[7..]), "nothing past the hint is ever shown again");
    let id = made["key_id"].as_str().unwrap();
    let one = admin.get(&format!("{KEYS}/{id}")).await.expect(200);
    assert!(!one.text().contains(&secret[7..]));
    assert_eq!(one.json()["hint"], secret[..7]);
}

#[tokio::test]
async fn a_key_is_made_as_asked() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for (body, member, expected) in [
        (json!({"name": "CI"}), "name", json!("CI")),
        (json!({"name": "é".repeat(100)}), "name", json!("é".repeat(100))),
        (json!({"permissions": []}), "permissions", json!([])),
        (json!({"permissions": ["read_events"]}), "permissions", json!(["read_events"])),
        (json!({"expires_in_days": 1}), "expires_at", json!("2026-01-16T12:00:00Z")),
        (json!({"expires_at": null}), "expires_at", Value::Null),
        (
            json!({"expires_at": "2026-02-01T01:00:00+01:00"}),
            "expires_at",
            json!("2026-02-01T00:00:00Z"),
        ),
        (json!({"user_id": "7"}), "name", json!("DevOps Integration Key")),
        (json!({"metadata": {"team": "growth"}}), "name", json!("DevOps Integration Key")),
        (json!({"allowed_ips": ["127.0.0.1", "10.0.0.0/8"]}), "api_key", Value::Null),
        (json!({"rate_limit": {"limit": 5, "window_s": 60}}), "api_key", Value::Null),
        (
            json!({"rate_limits": [{"name": "burst", "limit": 5, "window_s": 1}]}),
            "api_key",
            Value::Null,
        ),
    ] {
        let made = admin.post(GENERATE, &body).await.expect(200).json();
        if member != "api_key" {
            assert_eq!(made[member], expected, "{body}");
        }
        let id = made["key_id"].as_str().unwrap();
        let kept = admin.get(&format!("{KEYS}/{id}")).await.json();
        for (name, value) in body.as_object().unwrap() {
            if !name.starts_with("expires") && name != "allowed_ips" {
                assert_eq!(&kept[name], value, "{name} in {kept}");
            }
        }
        assert_eq!(kept["is_active"], true);
        assert_eq!(kept["status"], "active");
    }
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_without_a_second_key() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let send = |name: &str| {
        admin.post(GENERATE, &json!({"name": name})).header("idempotency-key", "first-try")
    };
    let made = send("CI").await.json();
    let before = app.counts().await;
    let again = send("CI").await.problem(409, "already_created");
    assert_eq!(again["key_id"], made["key_id"]);
    assert!(!again.to_string().contains(made["api_key"].as_str().unwrap()));
    send("another").await.expect(409);
    assert_eq!(app.counts().await, before);

    let listed = admin.get(KEYS).await.json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn keys_are_listed_newest_first_in_pages() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let mut names = Vec::new();
    for number in 0..5 {
        app.clock.advance(Duration::from_millis(10));
        let name = format!("key {number}");
        admin.post(GENERATE, &json!({"name": name})).await.expect(200);
        names.insert(0, name);
    }
    let mut seen = Vec::new();
    let mut path = format!("{KEYS}?limit=2");
    loop {
        let page = admin.get(&path).await.json();
        let keys = page["keys"].as_array().unwrap();
        seen.extend(keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert_eq!(keys.len(), 2);
        path = format!("{KEYS}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, names);
}

#[tokio::test]
async fn listing_shows_what_the_old_server_showed_and_changes_nothing() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    key.get("/api/devops/sync/users").await.expect(200);
    app.state.flush_usage().await;
    let before = app.counts().await;
    let listed = admin.get(KEYS).await.json();
    let shown = &listed["keys"][0];
    for member in [
        "id",
        "name",
        "user_id",
        "permissions",
        "created_at",
        "expires_at",
        "last_used",
        "is_active",
        "hint",
        "status",
    ] {
        assert!(shown.get(member).is_some(), "{member} is missing: {shown}");
    }
    assert_eq!(shown["id"], key.id.to_string());
    assert_eq!(shown["last_used"], "2026-01-15T12:00:00Z");
    assert!(!listed.to_string().contains("hash"), "{listed}");
    assert_eq!(app.counts().await, before);
    key.get("/api/devops/sync/users").await.expect(200);
}

#[tokio::test]
async fn a_change_holds_from_the_next_request_on() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let path = format!("{KEYS}/{}", key.id);
    let sync = "/api/devops/sync/users";
    key.get(sync).await.expect(200);

    let changed = admin.patch(&path, &json!({"name": "renamed"})).await.json();
    assert_eq!(changed["name"], "renamed");
    admin.patch(&path, &json!({"permissions": ["read_events"]})).await.expect(200);
    key.get(sync).await.problem(403, "insufficient_scope");
    admin.patch(&path, &json!({"permissions": ["read_metrics"]})).await.expect(200);
    key.get(sync).await.expect(200);

    admin.patch(&path, &json!({"enabled": false})).await.expect(200);
    key.get(sync).await.problem(401, "key_disabled");
    admin.patch(&path, &json!({"enabled": true})).await.expect(200);
    key.get(sync).await.expect(200);

    admin.patch(&path, &json!({"allowed_ips": ["10.0.0.0/8"]})).await.expect(200);
    key.get(sync).await.problem(403, "address_not_allowed");
    admin.patch(&path, &json!({"allowed_ips": []})).await.expect(200);
    key.get(sync).await.expect(200);

    admin.patch(&path, &json!({"expires_at": "2026-01-15T12:00:01Z"})).await.expect(200);
    key.get(sync).await.expect(200);
    app.clock.advance(Duration::from_secs(1));
    key.get(sync).await.problem(401, "key_expired");
    admin.patch(&path, &json!({"expires_at": null})).await.expect(200);
    key.get(sync).await.expect(200);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for path in [
        format!("{KEYS}/018f2b5e-0000-7000-8000-000000000001"),
        format!("{KEYS}/nothing"),
        format!("{KEYS}/%00"),
        format!("{KEYS}/{}", "9".repeat(300)),
    ] {
        admin.get(&path).await.problem(404, "not_found");
        admin.patch(&path, &json!({"name": "x"})).await.problem(404, "not_found");
        admin.delete(&path).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn notes_are_kept_replaced_and_taken_away() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let body = json!({"metadata": {"team": "growth", "ticket": "RR-1 <b>"}});
    let made = admin.post(GENERATE, &body).await.expect(200).json();
    let path = format!("{KEYS}/{}", made["key_id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.json()["metadata"], body["metadata"]);
    let kept = admin.patch(&path, &json!({"name": "renamed"})).await.json();
    assert_eq!(kept["metadata"], body["metadata"]);
    let changed = admin.patch(&path, &json!({"metadata": {"team": "sales"}})).await.json();
    assert_eq!(changed["metadata"], json!({"team": "sales"}));
    let gone = admin.patch(&path, &json!({"metadata": {}})).await.json();
    assert!(gone.get("metadata").is_none());
    for (metadata, pointer) in [
        (json!({"": "x"}), "/metadata"),
        (json!({"a/b": "x".repeat(501)}), "/metadata/a~1b"),
        (json!({"a": 5}), "/metadata/a"),
        (json!(["a"]), "/metadata"),
        (json!("a"), "/metadata"),
    ] {
        let body = json!({"metadata": metadata});
        for answer in [admin.post(GENERATE, &body).await, admin.patch(&path, &body).await] {
            let problem = answer.problem(422, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        }
    }
}

#[tokio::test]
async fn the_log_says_what_a_key_was_before_and_after() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let path = format!("{KEYS}/{}", key.id);
    let body = json!({"name": "renamed", "permissions": ["read_events"], "enabled": false});
    admin.patch(&path, &body).await.expect(200);
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect(204);
    let log = admin.get("/api/devops/activity").await.json();
    let entry =
        |index: usize| (&log["activity"][index]["action"], &log["activity"][index]["detail"]);
    assert_eq!(
        entry(0),
        (
            &json!("key.revoked"),
            &json!({"before": {"revoked_at": null}, "after": {"revoked_at": "2026-01-15T12:00:00Z"}})
        )
    );
    let before = json!({"name": "a test's key", "permissions": ["read_metrics"], "enabled": true});
    assert_eq!(entry(1), (&json!("key.updated"), &json!({"before": before, "after": body})));
}

#[tokio::test]
async fn keys_that_end_within_days_are_listed_soonest_first() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let with_end = async |days: u64| {
        let end = app.clock.now().plus(Duration::from_secs(days * 86_400)).to_system_time();
        app.with_key_like(&["read_metrics"], |key| key.expires_at = Some(end)).await.id.to_string()
    };
    let (later, soon, fortnight) = (with_end(15).await, with_end(3).await, with_end(14).await);
    let (revoked, disabled) = (with_end(5).await, with_end(5).await);
    app.with_key(&["read_metrics"]).await;
    admin.delete(&format!("{KEYS}/{revoked}")).await.expect(204);
    admin.patch(&format!("{KEYS}/{disabled}"), &json!({"enabled": false})).await.expect(200);
    let ids = |page: &Value| -> Vec<String> {
        let keys = page["keys"].as_array().unwrap();
        keys.iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    };
    let list = async |query: &str| admin.get(&format!("{KEYS}?{query}")).await.json();
    assert_eq!(ids(&list("expires_within_days=14").await), [soon.clone(), fortnight.clone()]);
    let page = list("expires_within_days=15&limit=2").await;
    assert_eq!(ids(&page), [soon, fortnight]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let last = list(&format!("expires_within_days=15&limit=2&cursor={cursor}")).await;
    assert_eq!((ids(&last), &last["next_cursor"]), (vec![later], &Value::Null));
    for bad in ["0", "-1", "36501", "soon", "", "1.5"] {
        let answer = admin.get(&format!("{KEYS}?expires_within_days={bad}")).await;
        let problem = answer.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["pointer"], "expires_within_days", "{bad}");
    }
}
