//! Secrets that became public: who may report them, what becomes of the key, and what nobody learns.

mod github;

use rr_store::LeakPolicy;
use rr_tests::app::{Key, TestApp};
use rr_tests::client::{Answer, Client};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const REPORT: &str = "/api/devops/keys/report-leak";
const SYNC: &str = "/api/devops/sync/users";

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn shown(admin: &Client, key: &Key) -> Value {
    admin.get(&format!("/api/devops/keys/{}", key.id)).await.json()
}

async fn rotate(admin: &Client, key: &Key, grace_s: u64) -> String {
    let path = format!("/api/devops/keys/{}/rotate", key.id);
    let answer = admin.post(&path, &json!({"grace_s": grace_s})).await.json();
    answer["api_key"].as_str().unwrap().to_owned()
}

/// What the log says about leaks, newest first: who and what.
async fn told(admin: &Client) -> Vec<(String, Value)> {
    let log = admin.get("/api/devops/activity?limit=1000").await.json();
    let leaks =
        log["activity"].as_array().unwrap().iter().filter(|row| row["action"] == "key.leaked");
    leaks.map(|row| (row["actor"].as_str().unwrap().to_owned(), row["detail"].clone())).collect()
}

#[tokio::test]
async fn whoever_knows_a_secret_ends_it_before_the_answer() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    key.get(SYNC).await.expect(200);
    app.state.flush_usage().await;
    let url = format!("https://paste.example.com/1?key={}#x", key.secret);
    let body = json!({"secret": key.secret, "url": url});
    let answer = app.post(REPORT, &body).await.expect(200);
    assert_eq!(answer.json(), json!({"status": "received"}));
    key.get(SYNC).await.problem(401, "key_disabled");

    let view = shown(&admin, &key).await;
    assert_eq!((&view["status"], &view["is_active"]), (&json!("disabled"), &json!(false)));
    assert_eq!(
        view["leak"],
        json!({
            "reported_at": "2026-01-15T12:00:00Z",
            "url": "https://paste.example.com/1?key=…#x",
            "works": false,
            "uses_since": 0,
            "last_used_since": null,
            "refused_since": 0,
        })
    );
    let listed = admin.get("/api/devops/keys").await.json();
    assert_eq!(listed["keys"][0], view);
    let told = told(&admin).await;
    assert_eq!(
        told,
        [(
            "anyone".to_owned(),
            json!({
                "url": "https://paste.example.com/1?key=…#x",
                "before": {"enabled": true, "secret_ends_at": null},
                "after": {"enabled": false, "secret_ends_at": "2026-01-15T12:00:00Z"},
            })
        )]
    );
    // Nothing is left of the secret but its hash.
    let stored = app.database.everything_stored().await;
    assert!(!String::from_utf8_lossy(&stored).contains(&key.secret[7..]));
}

#[tokio::test]
async fn a_leaked_secret_is_dead_for_good_and_its_key_lives_on_under_a_new_one() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    app.post(REPORT, &json!({"secret": key.secret})).await.expect(200);
    let path = format!("/api/devops/keys/{}", key.id);
    admin.post(&format!("{path}/rotate"), &json!({})).await.problem(409, "key_not_rotatable");
    let on = admin.patch(&path, &json!({"enabled": true})).await.json();
    assert_eq!((&on["status"], &on["is_active"]), (&json!("leaked"), &json!(false)));
    key.get(SYNC).await.problem(401, "key_superseded");
    let renewed = rotate(&admin, &key, 604_800).await;
    key.get(SYNC).await.problem(401, "key_superseded");
    app.with_header("x-api-key", &renewed).get(SYNC).await.expect(200);
    let view = shown(&admin, &key).await;
    assert_eq!((&view["status"], &view["leak"]["works"]), (&json!("active"), &json!(false)));
}

/// The newest secret leaks while the one before it drains: that one says nothing about the leak. Until the owner
/// enables the key both are refused, and then the view says what works and until when.
#[tokio::test]
async fn a_secret_that_drains_is_told_when_the_one_after_it_leaks() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let renewed = rotate(&admin, &key, 3_600).await;
    app.post(REPORT, &json!({"secret": renewed})).await.expect(200);
    key.get(SYNC).await.problem(401, "key_disabled");
    let path = format!("/api/devops/keys/{}", key.id);
    let on = admin.patch(&path, &json!({"enabled": true})).await.json();
    assert_eq!((&on["status"], &on["is_active"]), (&json!("active"), &json!(true)));
    assert_eq!(
        (&on["grace_until"], &on["leak"]["works"]),
        (&json!("2026-01-15T13:00:00Z"), &json!(false))
    );
    key.get(SYNC).await.expect(200);
    let told =
        app.with_header("x-api-key", &renewed).get(SYNC).await.problem(401, "key_superseded");
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.contains("public"), "it was not rotated: {detail}");

    app.clock.advance(std::time::Duration::from_secs(3_600));
    key.get(SYNC).await.problem(401, "key_superseded");
    let over = shown(&app.as_admin().await, &key).await;
    assert_eq!((&over["status"], &over["is_active"]), (&json!("leaked"), &json!(false)));
}

#[tokio::test]
async fn a_replaced_secret_counts_and_takes_nobody_along() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let renewed = rotate(&admin, &key, 3_600).await;
    let new = app.with_header("x-api-key", &renewed);
    key.get(SYNC).await.expect(200);
    app.post(REPORT, &json!({"secret": key.secret})).await.expect(200);
    key.get(SYNC).await.problem(401, "key_superseded");
    new.get(SYNC).await.expect(200);
    let view = shown(&admin, &key).await;
    assert_eq!((&view["status"], &view["leak"]["works"]), (&json!("active"), &json!(false)));
    assert!(view.get("grace_until").is_none(), "the grace of a public secret is over: {view}");
}

#[tokio::test]
async fn a_key_of_the_old_server_counts() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let secret = format!("rr_{}", "aZ0-_".repeat(9).get(..43).unwrap());
    let hash = sha256_hex(&secret);
    let program =
        rr_tests::process::Program::new(app.database.url(), ["import", "--dir", "exports"]);
    std::fs::create_dir(program.folder().join("exports")).unwrap();
    let row = format!(
        "id,api_key,user_id,name,permissions,created_at,expires_at,last_used,is_active,created_by\n\
         1,{hash},7,old,\"{{read_metrics,write_webhooks}}\",2025-01-01T00:00:00Z,,,true,\n"
    );
    program.file("exports/api_keys.csv", &row).run().expect(0);
    let old = app.with_header("x-api-key", &secret);
    old.get(SYNC).await.expect(200);
    let answer = admin.post(REPORT, &json!({"secret": secret})).await.json();
    assert_eq!(answer["key"]["name"], "old");
    old.get(SYNC).await.problem(401, "key_disabled");
}

#[tokio::test]
async fn under_the_policy_notify_the_uses_since_are_told() {
    let app = TestApp::with_settings(|settings| settings.leak_policy = LeakPolicy::Notify).await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    // Used and not yet written down when the report comes.
    for _ in 0..3 {
        key.get(SYNC).await.expect(200);
    }
    app.clock.advance(std::time::Duration::from_secs(60));
    app.post(REPORT, &json!({"secret": key.secret})).await.expect(200);
    app.clock.advance(std::time::Duration::from_secs(60));
    let leak = shown(&admin, &key).await["leak"].clone();
    assert_eq!((&leak["uses_since"], &leak["last_used_since"]), (&json!(0), &Value::Null));
    for _ in 0..2 {
        key.get(SYNC).await.expect(200);
    }
    app.state.flush_usage().await;
    let view = shown(&admin, &key).await;
    assert_eq!((&view["status"], &view["is_active"]), (&json!("active"), &json!(true)));
    assert_eq!(
        view["leak"],
        json!({
            "reported_at": "2026-01-15T12:01:00Z",
            "url": null,
            "works": true,
            "uses_since": 2,
            "refused_since": 0,
            "last_used_since": "2026-01-15T12:02:00Z",
        })
    );
}

#[tokio::test]
async fn a_repeat_changes_nothing() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let body = json!({"secret": key.secret, "url": "https://example.com/1"});
    app.post(REPORT, &body).await.expect(200);
    let (view, before) = (shown(&admin, &key).await, app.counts().await);
    for by in [&app as &Client, &admin] {
        for url in ["https://example.com/1", "https://example.com/2"] {
            by.post(REPORT, &json!({"secret": key.secret, "url": url})).await.expect(200);
        }
    }
    assert_eq!(app.counts().await, before);
    assert_eq!(shown(&admin, &key).await, view);
}

#[tokio::test]
async fn an_answer_without_a_credential_tells_nothing() {
    let app = TestApp::init().await;
    let [live, revoked, expired] = [
        app.with_key(&["read_metrics"]).await,
        app.with_key(&["read_metrics"]).await,
        app.with_key_like(&[], |key| key.expires_at = Some(key.created_at)).await,
    ];
    let admin = app.as_admin().await;
    admin.delete(&format!("/api/devops/keys/{}", revoked.id)).await.expect(204);
    let unknown = ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat();
    let headers = |answer: &Answer| -> Vec<(String, String)> {
        let all =
            answer.headers.iter().filter(|(name, _)| *name != "x-request-id" && *name != "date");
        all.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    };
    let mut answers = Vec::new();
    for secret in [&live.secret, &revoked.secret, &expired.secret, &unknown, "no key at all"] {
        let began = std::time::Instant::now();
        let answer = app.post(REPORT, &json!({"secret": secret})).await.expect(200);
        assert!(began.elapsed().as_millis() >= 100, "no secret is answered before the others");
        answers.push((answer.text(), headers(&answer)));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(answers[0].0, r#"{"status":"received"}"#);
}

#[tokio::test]
async fn reports_without_a_credential_are_slowed_down_whatever_they_report() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let report = |by: &Client, secret: &str| by.post(REPORT, &json!({"secret": secret}));
    let all = (0..20)
        .map(|n| report(&app, if n % 2 == 0 { &key.secret } else { "nothing" }).into_future());
    for answer in futures_util::future::join_all(all).await {
        answer.expect(200);
    }
    for secret in [&key.secret, "nothing"] {
        report(&app, secret).await.problem(429, "too_many_attempts");
    }
    // Whoever may manage keys is not slowed down, and waiting helps.
    report(&admin, "nothing").await.expect(200);
    app.clock.advance(std::time::Duration::from_secs(1));
    report(&app, "nothing").await.expect(200);
}

#[tokio::test]
async fn whoever_may_manage_keys_is_shown_the_key() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let manager = app.with_key(&["manage_keys"]).await;
    for by in [&admin, &manager as &Client] {
        let key = app.with_key(&["read_users"]).await;
        let answer = by.post(REPORT, &json!({"secret": key.secret})).await.json();
        assert_eq!(answer["status"], "received");
        assert_eq!(answer["key"], shown(&admin, &key).await);
        let nothing = by.post(REPORT, &json!({"secret": "nobody's"})).await.json();
        assert_eq!(nothing, json!({"status": "received", "key": null}));
    }
    let actors: Vec<String> = told(&admin).await.into_iter().map(|(actor, _)| actor).collect();
    assert!(actors[0].starts_with("key:") && actors[1].starts_with("administrator:"));
    // A credential that is shown has to be good.
    let key = app.with_key(&["read_metrics"]).await;
    let body = json!({"secret": key.secret});
    key.post(REPORT, &body).await.problem(403, "insufficient_scope");
    app.with_header("x-api-key", "rr_nonsense")
        .post(REPORT, &body)
        .await
        .problem(401, "invalid_key");
    key.get(SYNC).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_report_is_named() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let before = app.counts().await;
    let long = "u".repeat(2_049);
    for (body, pointer) in [
        (json!({}), "/secret"),
        (json!({"secret": ""}), "/secret"),
        (json!({"secret": 5}), "/secret"),
        (json!({"secret": "x".repeat(257)}), "/secret"),
        (json!({"secret": key.secret, "url": 5}), "/url"),
        (json!({"secret": key.secret, "url": "a\nb"}), "/url"),
        (json!({"secret": key.secret, "url": long}), "/url"),
        (json!({"secret": key.secret, "key_id": "x"}), "/key_id"),
        (json!([{"token": key.secret, "type": "t", "url": ""}]), ""),
    ] {
        let answer = app.post(REPORT, &body).await;
        let problem = answer.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        assert!(!answer.text().contains(&key.secret[7..]));
    }
    assert_eq!(app.counts().await, before);
}
