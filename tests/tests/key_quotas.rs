//! Quotas of keys by day, month and in all.

use std::time::Duration;

use rr_tests::app::TestApp;
use serde_json::{Value, json};

const GENERATE: &str = "/api/devops/generate-key";
const SYNC: &str = "/api/devops/sync/users";
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_quota_is_kept_told_and_begins_anew_with_its_period() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let body = json!({"quotas": {"day": 3, "total": 5}});
    let made = admin.post(GENERATE, &body).await.expect(200).json();
    let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
    for left in [2, 1, 0] {
        let answer = key.get(SYNC).await.expect(200);
        let told = format!("\"quota-day\";r={left};t=43200, \"quota-total\";r={}", left + 2);
        assert_eq!(answer.header("ratelimit"), Some(told.as_str()));
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"quota-day\";q=3;w=86400, \"quota-total\";q=5")
        );
    }
    let refused = key.get(SYNC).await;
    refused.problem(429, "quota_exceeded");
    assert_eq!(refused.header("retry-after"), Some("43200"));
    assert_eq!(refused.header("ratelimit"), Some("\"quota-day\";r=0;t=43200, \"quota-total\";r=2"));
    // It is noon, so the day ends in twelve hours.
    app.clock.advance(12 * HOUR);
    for _ in 0..2 {
        key.get(SYNC).await.expect(200);
    }
    let over = key.get(SYNC).await;
    over.problem(429, "quota_exceeded");
    assert_eq!(over.header("ratelimit"), Some("\"quota-day\";r=1;t=86400, \"quota-total\";r=0"));
    assert_eq!(
        over.header("retry-after"),
        Some("86400"),
        "a day, for nothing comes back by itself"
    );
}

#[tokio::test]
async fn quotas_are_set_changed_and_taken_away() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let body = json!({"quotas": {"day": 2}});
    let made = admin.post(GENERATE, &body).await.expect(200).json();
    let path = format!("/api/devops/keys/{}", made["key_id"].as_str().unwrap());
    let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
    for _ in 0..2 {
        key.get(SYNC).await.expect(200);
    }
    app.state.flush_usage().await;
    let shown = admin.get(&path).await.json();
    assert_eq!(shown["quotas"], json!({"day": 2}));
    let used = |used: u64, remaining: u64, limit: u64| {
        json!([{"period": "day", "limit": limit, "used": used, "remaining": remaining,
            "resets_at": "2026-01-16T00:00:00Z"}])
    };
    assert_eq!(shown["usage"]["quotas"], used(2, 0, 2));
    key.get(SYNC).await.problem(429, "quota_exceeded");

    let raised = admin.patch(&path, &json!({"quotas": {"day": 3}})).await.expect(200).json();
    assert_eq!(raised["usage"]["quotas"], used(2, 1, 3), "editing is no refill");
    key.get(SYNC).await.expect(200);
    key.get(SYNC).await.problem(429, "quota_exceeded");
    admin.patch(&path, &json!({"name": "another"})).await.expect(200);
    key.get(SYNC).await.problem(429, "quota_exceeded");

    let free = admin.patch(&path, &json!({"quotas": null})).await.expect(200).json();
    assert_eq!((free.get("quotas"), free["usage"].get("quotas")), (None, None));
    assert_eq!(key.get(SYNC).await.expect(200).header("ratelimit"), None);

    for (quotas, pointer) in [
        (json!({"day": 0}), "/quotas/day"),
        (json!({"month": -1}), "/quotas/month"),
        (json!({"total": 1.5}), "/quotas/total"),
        (json!({"week": 1}), "/quotas/week"),
    ] {
        for problem in [
            admin.post(GENERATE, &json!({"quotas": quotas})).await.problem(422, "invalid_body"),
            admin.patch(&path, &json!({"quotas": quotas})).await.problem(422, "invalid_body"),
        ] {
            let named = problem["errors"][0]["pointer"].as_str().unwrap();
            assert!(pointer.starts_with(named), "{named} of {pointer}");
        }
    }
}

/// (c) through the front door: of many requests at the same time, exactly what is left gets in.
#[tokio::test]
async fn concurrent_requests_use_a_quota_exactly() {
    let app = TestApp::init().await;
    let quotas = rr_keys::Quotas::new([(rr_keys::QuotaPeriod::Month, 30.try_into().unwrap())]);
    let key = app.with_key_like(&["read_metrics"], |key| key.quotas = quotas).await;
    for _ in 0..10 {
        key.get(SYNC).await.expect(200);
    }
    let calls = (0..60).map(|_| async { key.get(SYNC).await.code() });
    let codes = futures_util::future::join_all(calls).await;
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), 20);
    assert_eq!(codes.iter().filter(|code| **code == 429).count(), 40);
}

/// (e) Rotation shares the quota, and an orderly restart forgets nothing.
#[tokio::test]
async fn a_quota_outlives_rotation_and_restart() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let quotas = rr_keys::Quotas::new([(rr_keys::QuotaPeriod::Day, 5.try_into().unwrap())]);
    let key = app.with_key_like(&["read_metrics"], |key| key.quotas = quotas).await;
    key.get(SYNC).await.expect(200);
    let path = format!("/api/devops/keys/{}", key.id);
    let rotated = admin.post(&format!("{path}/rotate"), &json!({"grace_s": 60})).await.json();
    let new = app.with_header("x-api-key", rotated["api_key"].as_str().unwrap());
    key.get(SYNC).await.expect(200);
    new.get(SYNC).await.expect(200);
    app.state.flush_usage().await;
    let shown = admin.get(&path).await.json();
    assert_eq!(shown["usage"]["quotas"][0]["used"], 3);
    let old = &shown["usage"]["superseded"];
    assert_eq!(old["count"], 1, "one use of the old secret since it was replaced");
    assert_eq!(old["last_used"], "2026-01-15T12:00:00Z");
    assert_eq!(old["last_address"], "127.0.0.1");

    let store = rr_tests::database::open_store(app.database.url());
    let restarted = rr_http::AppState::new(
        store,
        app.clock.clock(),
        rr_tests::clock::seeded_random(2),
        rr_http::HttpSettings::default(),
    );
    let now = app.clock.now().to_system_time();
    let mut codes: Vec<Value> = Vec::new();
    for _ in 0..4 {
        let verified = restarted.verifier.verify(&key.secret, &rr_keys::Request::any(), now).await;
        codes.push(match verified {
            Ok(_) => json!("granted"),
            Err(rr_keys::VerifyError::Denied(denial)) => json!(denial.code()),
            Err(other) => panic!("{other}"),
        });
    }
    assert_eq!(codes, ["granted", "granted", "quota_exceeded", "quota_exceeded"]);
    restarted.store.close().await;
}
