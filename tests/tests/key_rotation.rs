//! A new secret for the same key: until when the old one works, and what rotation never does.

use std::time::Duration;

use rr_keys::RateLimit;
use rr_tests::app::{Key, TestApp};
use rr_tests::client::Client;
use serde_json::{Value, json};

const SYNC: &str = "/api/devops/sync/users";
const SECOND: Duration = Duration::from_secs(1);

fn path(key: &Key) -> String {
    format!("/api/devops/keys/{}/rotate", key.id)
}

/// Rotates and gives the answer, with a caller that shows the new secret.
async fn rotate(app: &TestApp, by: &Client, key: &Key, grace_s: u64) -> (Value, Client) {
    let answer = by.post(&path(key), &json!({"grace_s": grace_s})).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["key_id"], key.id.to_string());
    let caller = app.with_header("x-api-key", body["api_key"].as_str().unwrap());
    (body, caller)
}

#[tokio::test]
async fn the_old_secret_works_until_the_grace_ends_and_not_after() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    key.get(SYNC).await.expect(200);
    let shown = format!("/api/devops/keys/{}", key.id);
    let before = admin.get(&shown).await.json();
    assert!(before.get("grace_until").is_none());

    let (body, new) = rotate(&app, &admin, &key, 60).await;
    assert_eq!(body["grace_until"], "2026-01-15T12:01:00Z");
    assert_eq!(body.as_object().unwrap().len(), 3);
    let secret = body["api_key"].as_str().unwrap();
    assert_ne!(secret, key.secret);
    let mut after = admin.get(&shown).await.json();
    assert_eq!(after["grace_until"], "2026-01-15T12:01:00Z");
    assert_eq!(after["hint"], secret[..7]);
    let listed = admin.get("/api/devops/keys").await.json();
    assert_eq!(listed["keys"][0], after);
    assert!(!listed.to_string().contains(&secret[7..]));
    for changed in ["hint", "grace_until"] {
        after[changed] = before.get(changed).cloned().unwrap_or_default();
    }
    after.as_object_mut().unwrap().remove("grace_until");
    assert_eq!(after, before, "nothing else is different");

    app.clock.advance(Duration::from_micros(59_999_999));
    key.get(SYNC).await.expect(200);
    new.get(SYNC).await.expect(200);
    app.clock.advance(Duration::from_micros(1));
    key.get(SYNC).await.problem(401, "key_superseded");
    new.get(SYNC).await.expect(200);
    assert!(admin.get(&shown).await.json().get("grace_until").is_none());
}

#[tokio::test]
async fn a_grace_of_zero_ends_the_old_secret_before_the_answer() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for _ in 0..5 {
        let key = app.with_key(&["read_metrics"]).await;
        // In memory, so that there is something to forget.
        key.get(SYNC).await.expect(200);
        let readers = (0..4).map(|_| async { key.get(SYNC).await.code() });
        let ((body, new), statuses) =
            tokio::join!(rotate(&app, &admin, &key, 0), futures_util::future::join_all(readers));
        assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
        assert_eq!(body["grace_until"], app.clock.now().to_string());
        key.get(SYNC).await.problem(401, "key_superseded");
        new.get(SYNC).await.expect(200);
    }
}

#[tokio::test]
async fn a_grace_is_a_day_unless_given_and_never_outlives_the_key() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let endless = app.with_key(&["read_metrics"]).await;
    let answer = admin.call("POST", &path(&endless)).await.expect(200);
    assert_eq!(answer.json()["grace_until"], "2026-01-16T12:00:00Z");

    let ends = app.clock.now().plus(60 * SECOND).to_system_time();
    let key = app.with_key_like(&["read_metrics"], |key| key.expires_at = Some(ends)).await;
    let (body, new) = rotate(&app, &admin, &key, 604_800).await;
    assert_eq!(body["grace_until"], "2026-01-15T12:01:00Z");
    app.clock.advance(59 * SECOND);
    key.get(SYNC).await.expect(200);
    app.clock.advance(SECOND);
    // A new secret is no new life: the key ends with both.
    key.get(SYNC).await.problem(401, "key_expired");
    new.get(SYNC).await.problem(401, "key_expired");
}

#[tokio::test]
async fn a_second_rotation_keeps_the_earlier_end_of_the_first() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let first = app.with_key(&["read_metrics"]).await;
    let (_, second) = rotate(&app, &admin, &first, 100).await;
    app.clock.advance(10 * SECOND);
    let (_, third) = rotate(&app, &admin, &first, 200).await;
    app.clock.advance(89 * SECOND);
    first.get(SYNC).await.expect(200);
    app.clock.advance(SECOND);
    first.get(SYNC).await.problem(401, "key_superseded");
    second.get(SYNC).await.expect(200);
    // And zero ends whatever still runs.
    let (_, fourth) = rotate(&app, &admin, &first, 0).await;
    for old in [&second, &third] {
        old.get(SYNC).await.problem(401, "key_superseded");
    }
    fourth.get(SYNC).await.expect(200);
}

#[tokio::test]
async fn a_key_that_does_not_work_is_not_rotated() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let [revoked, disabled, expired] = [
        app.with_key(&["read_metrics"]).await,
        app.with_key(&["read_metrics"]).await,
        app.with_key_like(&["read_metrics"], |key| key.expires_at = Some(key.created_at)).await,
    ];
    let shown = |key: &Key| format!("/api/devops/keys/{}", key.id);
    admin.delete(&shown(&revoked)).await.expect(204);
    admin.patch(&shown(&disabled), &json!({"enabled": false})).await.expect(200);
    let before = app.counts().await;
    for (key, why, code) in [
        (&revoked, "revoked", "key_revoked"),
        (&disabled, "disabled", "key_disabled"),
        (&expired, "expired", "key_expired"),
    ] {
        for grace_s in [0, 60] {
            let answer = admin.post(&path(key), &json!({"grace_s": grace_s})).await;
            let problem = answer.problem(409, "key_not_rotatable");
            assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
            assert_eq!(problem["key_id"], key.id.to_string());
            key.get(SYNC).await.problem(401, code);
        }
    }
    assert_eq!(app.counts().await, before);
    // Its secret was left alone: switched on again, the key works as before.
    admin.patch(&shown(&disabled), &json!({"enabled": true})).await.expect(200);
    disabled.get(SYNC).await.expect(200);
}

#[tokio::test]
async fn both_secrets_count_as_one_key() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let limit = RateLimit { limit: 4.try_into().unwrap(), window: 60 * SECOND };
    let key = app.with_key_like(&["read_metrics"], |key| key.rate_limits = limit.into()).await;
    let (_, new) = rotate(&app, &admin, &key, 30).await;
    for caller in [&*key, &new, &*key, &*key] {
        caller.get(SYNC).await.expect(200);
    }
    for caller in [&*key, &new] {
        caller.get(SYNC).await.problem(429, "rate_limited");
    }
    let usage = app.state.verifier.take_usage();
    assert_eq!((usage.len(), usage[0].count), (1, 4));
    assert_eq!(usage[0].superseded.unwrap().count, 3);
    app.state.verifier.restore_usage(usage);
    app.state.flush_usage().await;
    assert_eq!(app.store().key(key.id).await.unwrap().unwrap().use_count, 4);
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_without_a_second_secret() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let [key, other] = [app.with_key(&["read_metrics"]).await, app.with_key(&[]).await];
    let send = |key: &Key, grace_s: u64| {
        admin.post(&path(key), &json!({"grace_s": grace_s})).header("idempotency-key", "once")
    };
    let made = send(&key, 60).await.expect(200).json();
    let before = app.counts().await;
    for grace_s in [60, 0] {
        let again = send(&key, grace_s).await.problem(409, "already_rotated");
        assert_eq!(again["key_id"], key.id.to_string());
        assert!(!again.to_string().contains(&made["api_key"].as_str().unwrap()[7..]));
    }
    assert_eq!(app.counts().await, before);
    key.get(SYNC).await.expect(200);
    // The id belongs to the key: another one is rotated.
    send(&other, 60).await.expect(200);
}

#[tokio::test]
async fn a_key_rotates_only_what_it_could_have_made() {
    let app = TestApp::init().await;
    let manager = app.with_key(&["manage_keys", "read_metrics"]).await;
    let [within, beyond] = [
        app.with_key(&["read_metrics"]).await,
        app.with_key(&["read_metrics", "read_users"]).await,
    ];
    let before = app.counts().await;
    let problem = manager.post(&path(&beyond), &json!({})).await.problem(403, "insufficient_scope");
    assert_eq!(problem["missing"], json!(["read_users"]));
    within.post(&path(&within), &json!({})).await.problem(403, "insufficient_scope");
    assert_eq!(app.counts().await, before);
    beyond.get(SYNC).await.expect(200);
    rotate(&app, &manager, &within, 60).await;
    // It can replace its own secret, and is told so the next time it shows the old one.
    let (_, renewed) = rotate(&app, &manager, &manager, 0).await;
    manager.post(&path(&within), &json!({})).await.problem(401, "key_superseded");
    rotate(&app, &renewed, &within, 60).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_rotation_is_named() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let before = app.counts().await;
    for grace_s in [json!(-1), json!(604_801), json!(1.5), json!("60"), json!(null), json!(1e12)] {
        let problem = admin.post(&path(&key), &json!({"grace_s": grace_s})).await;
        let problem = problem.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/grace_s", "{grace_s}");
    }
    for id in ["018f2b5e-0000-7000-8000-000000000001", "nothing"] {
        let path = format!("/api/devops/keys/{id}/rotate");
        admin.post(&path, &json!({"grace_s": 0})).await.problem(404, "not_found");
    }
    assert_eq!(app.counts().await, before);
}

#[tokio::test]
async fn the_log_says_who_rotated_and_what_became_of_it() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let (first, _) = rotate(&app, &admin, &key, 60).await;
    let (second, _) = rotate(&app, &admin, &key, 0).await;
    let log = admin.get("/api/devops/activity").await.json();
    let text = log.to_string();
    for secret in [&key.secret[7..], &first["api_key"].as_str().unwrap()[7..]] {
        assert!(!text.contains(secret));
    }
    let hint = |body: &Value| body["api_key"].as_str().unwrap()[..7].to_owned();
    let entry = &log["activity"][0];
    assert_eq!(entry["action"], "key.rotated", "{log}");
    assert_eq!(
        entry["detail"],
        json!({
            "before": {"hint": hint(&first), "grace_until": "2026-01-15T12:01:00Z"},
            "after": {"hint": hint(&second), "grace_until": "2026-01-15T12:00:00Z"},
        })
    );
}

/// Rotates so that the grace starts with the first use; gives a caller that shows the new secret.
async fn prepare(app: &TestApp, by: &Client, key: &Key, grace_s: u64) -> Client {
    let wanted = json!({"grace_s": grace_s, "start": "first_use"});
    let body = by.post(&path(key), &wanted).await.expect(200).json();
    assert_eq!(body["grace_until"], Value::Null);
    app.with_header("x-api-key", body["api_key"].as_str().unwrap())
}

#[tokio::test]
async fn an_unused_secret_leaves_the_old_one_alone_and_its_first_use_starts_the_grace() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    key.get(SYNC).await.expect(200);
    let new = prepare(&app, &admin, &key, 60).await;
    let shown = format!("/api/devops/keys/{}", key.id);
    let waits = admin.get(&shown).await.json();
    assert_eq!(waits["pending"]["since"], "2026-01-15T12:00:00Z");
    assert_eq!((&waits["pending"]["grace_s"], waits.get("grace_until")), (&json!(60), None));
    assert_eq!(waits["hint"], key.secret[..7]);
    app.clock.advance(7 * 86_400 * SECOND);
    let admin = app.as_admin().await;
    key.get(SYNC).await.expect(200);
    // What it may not do is no use of it.
    new.get("/api/devops/events").await.problem(403, "insufficient_scope");
    assert!(admin.get(&shown).await.json().get("grace_until").is_none());

    new.get(SYNC).await.expect(200);
    let drains = admin.get(&shown).await.json();
    assert_eq!(drains["grace_until"], "2026-01-22T12:01:00Z");
    assert!(drains.get("pending").is_none());
    assert_eq!(drains["hint"], waits["pending"]["hint"]);
    app.clock.advance(59 * SECOND);
    key.get(SYNC).await.expect(200);
    new.get(SYNC).await.expect(200);
    app.clock.advance(SECOND);
    key.get(SYNC).await.problem(401, "key_superseded");
    new.get(SYNC).await.expect(200);
    let log = admin.get("/api/devops/activity").await.json();
    assert_eq!(log["activity"][0]["action"], "key.rotated", "{log}");
    assert_eq!(log["activity"][0]["actor"], format!("key:{}", key.id));
}

#[tokio::test]
async fn a_first_use_with_no_grace_ends_the_old_secret_before_its_answer() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let new = prepare(&app, &admin, &key, 0).await;
    key.get(SYNC).await.expect(200);
    let both = futures_util::future::join_all((0..4).map(|_| async { new.get(SYNC).await.code() }));
    assert_eq!(both.await, [200; 4]);
    key.get(SYNC).await.problem(401, "key_superseded");
}

#[tokio::test]
async fn a_second_rotation_replaces_a_secret_that_nobody_has_used() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let lost = prepare(&app, &admin, &key, 60).await;
    let new = prepare(&app, &admin, &key, 60).await;
    lost.get(SYNC).await.problem(401, "key_superseded");
    key.get(SYNC).await.expect(200);
    new.get(SYNC).await.expect(200);
    app.clock.advance(60 * SECOND);
    key.get(SYNC).await.problem(401, "key_superseded");
}

#[tokio::test]
async fn a_key_that_ended_is_not_revived_by_a_pending_secret() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let ends = app.clock.now().plus(60 * SECOND).to_system_time();
    let key = app.with_key_like(&["read_metrics"], |key| key.expires_at = Some(ends)).await;
    let new = prepare(&app, &admin, &key, 600).await;
    app.clock.advance(60 * SECOND);
    for caller in [&new, &*key] {
        caller.get(SYNC).await.problem(401, "key_expired");
    }
}
