//! How keys are used: counted by permission, written rarely, lost at most a little.

use std::time::Duration;

use futures_util::FutureExt as _;
use rr_tests::app::TestApp;
use rr_tests::database::{TestDatabase, open_store};
use rr_tests::process::{Program, make_key};
use rr_tests::proxy::eventually;
use serde_json::json;

const SYNC: &str = "/api/devops/sync/users";
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_key_shows_which_of_its_permissions_it_needs() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics", "read_events", "write_webhooks"]).await;
    let path = format!("/api/devops/keys/{}", key.id);
    let unused = admin.get(&path).await.json();
    assert_eq!(
        unused["unused_permissions"],
        json!(["read_events", "read_metrics", "write_webhooks"])
    );
    assert_eq!(unused["usage"], json!({"count": 0, "last_address": null, "permissions": []}));
    for _ in 0..3 {
        key.get(SYNC).await.expect(200);
    }
    key.post("/api/devops/webhook", &json!({"event_type": "x"})).await.expect(200);
    // What was refused was no use.
    key.get("/api/devops/users").await.problem(403, "insufficient_scope");
    app.state.flush_usage().await;
    let shown = admin.get(&path).await.json();
    assert_eq!(shown["unused_permissions"], json!(["read_events"]));
    let at = "2026-01-15T12:00:00Z";
    assert_eq!(
        shown["usage"],
        json!({
            "count": 4,
            "last_address": "127.0.0.1",
            "permissions": [
                {"permission": "read_metrics", "count": 3, "last_used": at},
                {"permission": "write_webhooks", "count": 1, "last_used": at},
            ],
        })
    );
    assert_eq!(admin.get("/api/devops/keys").await.json()["keys"][0], shown);

    let listed = Program::new(app.database.url(), ["keys", "list", "--json"]).run().expect(0);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let listed = &listed["keys"][0];
    assert_eq!(listed["unused_permissions"], json!(["read_events"]));
    assert_eq!(listed["usage"]["permissions"], shown["usage"]["permissions"]);
    let table = Program::new(app.database.url(), ["keys", "list"]).run().expect(0).stdout;
    assert!(table.contains("(read_events) read_metrics write_webhooks"), "{table}");
}

/// A permission that opens a part of an answer is needed as well, and not another use.
#[tokio::test]
async fn a_permission_beside_the_required_one_is_in_use_too() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let unused = async |key: &rr_tests::app::Key| {
        app.state.flush_usage().await;
        let shown = admin.get(&format!("/api/devops/keys/{}", key.id)).await.json();
        (shown["unused_permissions"].clone(), shown["usage"]["count"].clone())
    };
    for path in ["/api/devops/commissions/payout", "/api/devops/restatements"] {
        let key = app.with_key(&["read_metrics", "read_users"]).await;
        key.get(path).await.expect(200);
        assert_eq!(unused(&key).await, (json!([]), json!(1)), "{path}");
        key.get(SYNC).await.expect(200);
        assert_eq!(unused(&key).await, (json!([]), json!(2)));
    }
    let key = app.with_key(&["read_events", "read_metrics"]).await;
    let follows = key.get("/api/devops/stream").open().await.unwrap();
    assert_eq!(unused(&key).await, (json!([]), json!(1)), "the figures of the stream");
    drop(follows);
    let key = app.with_key(&["read_metrics", "read_users"]).await;
    key.get(SYNC).await.expect(200);
    assert_eq!(unused(&key).await, (json!(["read_users"]), json!(1)));
}

/// A report of a leak counts uses from its own instant on, so its flush must not come back while another one
/// still holds what was counted before.
#[tokio::test]
async fn a_flush_waits_for_the_one_before_it() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let path = format!("/api/devops/keys/{}", key.id);
    for used in 1..=100 {
        key.get(SYNC).await.expect(200);
        let mut first = Box::pin(app.state.flush_usage());
        // Taken and handed to the database, whose answer may be here already: then once more.
        if first.as_mut().now_or_never().is_some() {
            continue;
        }
        let mut second = Box::pin(app.state.flush_usage());
        assert!(second.as_mut().now_or_never().is_none(), "back before the first has written");
        first.await;
        second.await;
        assert_eq!(admin.get(&path).await.json()["usage"]["count"], used);
        return;
    }
    panic!("the database answered before it was asked, a hundred times");
}

/// Whoever goes on with a dead key is seen: how often, when last and from where.
#[tokio::test]
async fn attempts_with_a_dead_key_are_told_and_are_no_uses() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let path = format!("/api/devops/keys/{}", key.id);
    key.get(SYNC).await.expect(200);
    app.state.flush_usage().await;
    assert_eq!(admin.get(&path).await.json()["usage"].get("refused"), None);
    app.post("/api/devops/keys/report-leak", &json!({"secret": key.secret})).await.expect(200);
    for _ in 0..2 {
        key.get(SYNC).await.problem(401, "key_disabled");
    }
    app.state.flush_usage().await;
    admin.delete(&path).await.expect(204);
    key.get(SYNC).await.problem(401, "key_revoked");
    // Nobody's: it is counted for no key.
    app.with_header("x-api-key", "rr_nonsense").get(SYNC).await.problem(401, "invalid_key");
    app.state.flush_usage().await;

    let shown = admin.get(&path).await.json();
    let told = json!({
        "count": 3,
        "last_used": "2026-01-15T12:00:00Z",
        "last_address": "127.0.0.1",
    });
    assert_eq!((&shown["usage"]["refused"], &shown["usage"]["count"]), (&told, &json!(1)));
    let leak = &shown["leak"];
    assert_eq!((&leak["refused_since"], &leak["uses_since"]), (&json!(3), &json!(0)));
    let listed = Program::new(app.database.url(), ["keys", "list", "--json"]).run().expect(0);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let listed = &listed["keys"][0];
    assert_eq!((&listed["usage"]["refused"], &listed["leak"]["refused_since"]), (&told, &json!(3)));
}

/// (d) 10,000 verifications of one key cause one write, and none while anybody waits.
#[tokio::test]
async fn ten_thousand_requests_with_one_key_are_one_write() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let before = app.store().stats();
    for _ in 0..100 {
        let calls = (0..100).map(|_| async { key.get(SYNC).await.code() });
        let codes = futures_util::future::join_all(calls).await;
        assert!(codes.iter().all(|code| *code == 200));
    }
    let meanwhile = app.store().stats();
    assert_eq!(
        (meanwhile.commits, meanwhile.jobs_committed),
        (before.commits, before.jobs_committed)
    );
    app.state.flush_usage().await;
    app.state.flush_usage().await;
    let after = app.store().stats();
    assert_eq!(
        (after.commits, after.jobs_committed),
        (before.commits + 1, before.jobs_committed + 1)
    );
    let row = app.store().key(key.id).await.unwrap().unwrap();
    assert_eq!((row.use_count, row.permission_uses[0].uses), (10_000, 10_000));
}

/// A crash loses the uses of the last few seconds at most, and nothing else.
#[tokio::test]
async fn sigkill_loses_at_most_what_was_counted_since_the_last_write() {
    let database = TestDatabase::migrated().await;
    let (id, secret) = make_key(database.url(), &["read_metrics", "manage_keys"]);
    let id = id.parse().unwrap();
    let (_, other) =
        make_key(database.url(), &["read_metrics", "manage_keys", "write_webhooks", "read_events"]);
    let (gone_id, gone) = make_key(database.url(), &["read_metrics"]);
    let mut server = Program::new(database.url(), ["serve"]).serve().await;
    let key = server.client().with_key(&secret);
    let path = format!("/api/devops/keys/{id}");
    let changed = json!({"quotas": {"total": 40}, "name": "under test"});
    key.patch(&path, &changed).await.expect(200);
    for _ in 0..8 {
        key.get(SYNC).await.expect(200);
    }
    let store = open_store(database.url());
    let row = async || store.key(id).await.unwrap().unwrap();
    // Its own change of the key is a use too, and one from before it had a quota.
    eventually("the first uses are written", LIMIT, || async { row().await.use_count == 9 }).await;
    for _ in 0..5 {
        key.get(SYNC).await.expect(200);
    }
    let by = server.client().with_key(&other);
    by.delete(&format!("/api/devops/keys/{gone_id}")).await.expect(204);
    let event = by.post("/api/devops/webhook", &json!({"event_type": "kept"})).await.json();
    server.kill();

    let kept = row().await;
    assert!((9..=14).contains(&kept.use_count), "{}", kept.use_count);
    let quota = kept.record.quotas.used().total;
    assert_eq!(i64::try_from(quota).unwrap() + 1, kept.use_count, "written together or not at all");
    assert_eq!(kept.record.name, "under test");
    assert_eq!(kept.record.quotas.limit(rr_keys::QuotaPeriod::Total).unwrap().get(), 40);

    let server = Program::new(database.url(), ["serve"]).serve().await;
    let key = server.client().with_key(&secret);
    let mut granted = 0;
    while key.get(SYNC).await.code() == 200 {
        granted += 1;
        assert!(granted <= 40, "the quota is gone");
    }
    key.get(SYNC).await.problem(429, "quota_exceeded");
    assert_eq!(granted, 40 - quota, "exactly what was not used, as far as it was written");
    server.client().with_key(&gone).get(SYNC).await.problem(401, "key_revoked");
    let events = server.client().with_key(&other).get("/api/devops/events").await.json();
    assert_eq!(events["events"][0]["id"], event["webhook_id"], "{events}");
    store.close().await;
}
