//! The three sync endpoints and the dashboard, with the figures that the old server gave.

use std::time::{Duration, Instant};

use rr_domain::{Fact, FactKind, Label, Timestamp, new_id};
use rr_store::{Actor, Audit};
use rr_tests::app::TestApp;
use rr_tests::database::TestDatabase;
use rr_tests::process::{Program, make_key};
use serde_json::{Value, json};

const PATHS: [&str; 5] = [
    "/api/devops/sync/users",
    "/api/devops/sync/revenue",
    "/api/devops/sync/commissions",
    "/api/devops/dashboard",
    "/your-existing-api/dashboard",
];

/// Asserts that `whole` has at least the members of `part`, with the same values.
#[track_caller]
fn assert_has(whole: &Value, part: &Value) {
    for (name, value) in part.as_object().unwrap() {
        assert_eq!(&whole[name], value, "{name} in {whole}");
    }
}

#[tokio::test]
async fn the_demo_figures_are_those_of_the_old_server() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let now = app.clock.now().to_string();

    let users = key.get("/api/devops/sync/users").await.json();
    assert_has(
        &users,
        &json!({
            "timestamp": now,
            "total_users": 2,
            "users_by_role": {"admin": 1, "member": 1},
            "users_by_status": {"active": 2},
            "recent_signups": 0,
        }),
    );
    assert!(users.get("users").is_none(), "rows with personal data are elsewhere: {users}");

    let revenue = key.get("/api/devops/sync/revenue").await.json();
    assert_has(
        &revenue,
        &json!({
            "timestamp": now,
            "currency": "USD",
            "total_revenue": 47,
            "subscription_revenue": 47,
            "tripwire_revenue": 0,
            "monthly_recurring_revenue": 47,
            "active_subscriptions": 1,
        }),
    );
    let membership = &revenue["subscription_breakdown"]["membership"];
    assert_has(membership, &json!({"count": 1, "revenue": 47, "mrr": 47}));
    assert_eq!(revenue["subscription_breakdown"].as_object().unwrap().len(), 1);
    assert_eq!(revenue["recent_transactions"].as_array().unwrap().len(), 1);

    let commissions = key.get("/api/devops/sync/commissions").await.json();
    assert_has(
        &commissions,
        &json!({"timestamp": now, "total_commissions": 23.5, "total_transactions": 1}),
    );
    let top = commissions["top_performers"].as_array().unwrap();
    assert_eq!(top.len(), 1);
    assert_has(
        &top[0],
        &json!({"username": "affiliate1", "total_commission": 23.5, "transaction_count": 1}),
    );
    assert_eq!(commissions["recent_commissions"].as_array().unwrap().len(), 1);
    let tiers = commissions["commission_by_tier"].as_object().unwrap();
    assert_eq!(tiers.len(), 1);
    assert_has(tiers.values().next().unwrap(), &json!({"count": 1, "total": 23.5}));
}

#[tokio::test]
async fn money_is_written_without_trailing_zeros_or_fractions() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    for (path, exact) in [
        ("/api/devops/sync/revenue", r#""total_revenue":47,"#),
        ("/api/devops/sync/commissions", r#""total_commissions":23.5,"#),
    ] {
        let text = key.get(path).await.expect(200).text();
        assert!(text.contains(exact), "{path}: {text}");
    }
}

#[tokio::test]
async fn both_dashboards_say_the_same() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let admin = app.as_admin().await;
    let expected = |users: u32, growth: Value, trend: &str| {
        json!({
            "users": {"total": users, "growthRate": growth, "trend": trend},
            "revenue": {"total": 47, "growthRate": 0, "trend": "stable"},
        })
    };
    for path in ["/your-existing-api/dashboard", "/api/devops/dashboard"] {
        // The administrator of this test is the third user and new today: half as many again.
        let by_key = key.get(path).await.json();
        assert_has(&by_key, &expected(3, json!(50), "up"));
        assert_eq!(by_key, admin.get(path).await.json(), "{path}");
    }
}

#[tokio::test]
async fn an_empty_installation_has_zeros_and_nulls() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let users = key.get("/api/devops/sync/users").await.json();
    assert_has(
        &users,
        &json!({"total_users": 0, "users_by_role": {}, "users_by_status": {}, "recent_signups": 0}),
    );
    let revenue = key.get("/api/devops/sync/revenue").await.json();
    assert_has(
        &revenue,
        &json!({"total_revenue": 0, "subscription_breakdown": {}, "recent_transactions": []}),
    );
    let dashboard = key.get("/api/devops/dashboard").await.json();
    assert_eq!(dashboard["users"], json!({"total": 0, "growthRate": 0, "trend": "stable"}));
}

#[tokio::test]
async fn an_answer_that_would_be_the_same_is_not_sent_again() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    for path in PATHS {
        let first = key.get(path).await.expect(200);
        let etag = first.header("etag").expect("an ETag").to_owned();
        for matching in [etag.clone(), format!("\"other\", {etag}"), "*".to_owned()] {
            let again = key.get(path).header("if-none-match", &matching).await.expect(304);
            assert!(again.body.is_empty(), "{path}");
            assert_eq!(again.header("etag"), Some(etag.as_str()), "{path}");
        }
        key.get(path).header("if-none-match", "\"other\"").await.expect(200);
    }
}

/// What callers of the first server read is where it was; what is new stands behind it.
#[tokio::test]
async fn every_answer_says_of_when_it_speaks_and_from_which_version() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let seq = app.store().facts_version().await.unwrap();
    app.clock.advance(Duration::from_secs(90));
    for path in PATHS {
        let answer = key.get(path).await.expect(200);
        let end = format!(r#","as_of":"{}","seq":{seq}}}"#, app.clock.now());
        assert!(answer.text().ends_with(&end), "{path}: {}", answer.text());
    }
}

/// The present figures are in memory, so asking for them reads no table: what the server reads meanwhile are
/// the looks that it takes anyway.
#[tokio::test]
async fn the_present_figures_are_told_without_a_look_at_the_database() {
    /// How often the server looks for what other processes changed: keys, sources and the ledger. On a machine
    /// so busy that the last comes too late, whoever asks takes that look, and no more often.
    const LOOKS: u128 = 4;
    const EVERY_MS: u128 = 250;
    /// What begins with the server or comes round by the minute: sweeping, a day of the ledger compared, the
    /// key looked up again.
    const CHORES: u128 = 20;
    let database = TestDatabase::migrated().await;
    Program::new(database.url(), ["seed", "--demo"]).run().expect(0);
    let (_, secret) = make_key(database.url(), &["read_metrics"]);
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let key = server.client().with_key(&secret);
    let reads = async || -> u128 {
        let text = key.get("/metrics").await.expect(200).text();
        let line = text.lines().find_map(|line| line.strip_prefix("rr_store_reads_total "));
        line.expect("the number of reads").parse().unwrap()
    };
    let before = reads().await;
    let begin = Instant::now();
    for path in PATHS.iter().cycle().take(1_000) {
        key.get(path).await.expect(200);
    }
    let added = reads().await - before;
    let bound = LOOKS * (begin.elapsed().as_millis() / EVERY_MS + 2) + CHORES;
    assert!(
        added <= bound,
        "1,000 answers and {added} reads; without them there are {bound} at most"
    );
}

/// The tag holds as long as the figures do, and is another after every fact and when time has moved a figure.
#[tokio::test]
async fn a_tag_lasts_until_something_has_changed() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let tag = async || {
        let answer = key.get("/api/devops/sync/users").await.expect(200);
        answer.header("etag").expect("an ETag").to_owned()
    };
    let mut tags = vec![tag().await];
    app.clock.advance(Duration::from_secs(59));
    assert_eq!(tag().await, tags[0]);
    app.create_user("new@example.com", "member", None).await;
    tags.push(tag().await);
    app.clock.advance(Duration::from_secs(7 * 24 * 3600));
    assert_eq!(tag().await, tags[1], "still one of the last seven days");
    app.clock.advance(Duration::from_secs(61));
    tags.push(tag().await);
    app.store().rebuild(app.audit(), |_| {}).await.unwrap();
    tags.push(tag().await);
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
}

#[tokio::test]
async fn a_new_fact_changes_the_figures_and_their_etag() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let before = key.get("/api/devops/sync/users").await.expect(200);
    app.create_user("new@example.com", "member", None).await;
    let after = key
        .get("/api/devops/sync/users")
        .header("if-none-match", before.header("etag").unwrap())
        .await
        .json();
    assert_has(&after, &json!({"total_users": 3, "recent_signups": 1}));
    assert_eq!(after["users_by_role"], json!({"admin": 1, "member": 2}));

    app.clock.advance(Duration::from_secs(8 * 24 * 3600));
    let later = key.get("/api/devops/sync/users").await.json();
    assert_has(&later, &json!({"total_users": 3, "recent_signups": 0}));
}

#[tokio::test]
async fn a_fact_dated_ahead_counts_from_its_date() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let ahead = app.clock.now().plus(Duration::from_secs(3600));
    append(&app, user_created(&app, ahead)).await;
    let total = async || key.get("/api/devops/sync/users").await.json()["total_users"].clone();
    assert_eq!(total().await, 0);
    app.clock.advance(Duration::from_secs(3599));
    assert_eq!(total().await, 0);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(total().await, 1);
}

fn user_created(app: &TestApp, at: Timestamp) -> Fact {
    let id = new_id(at, &app.state.random);
    Fact {
        id,
        occurred_at: at,
        kind: FactKind::UserCreated { user: id, role: Label::MEMBER, status: Label::ACTIVE },
    }
}

async fn append(app: &TestApp, fact: Fact) {
    let audit =
        Audit { at: app.clock.now(), actor: Actor::System, request_id: None, address: None };
    assert_eq!(app.store().append_facts(vec![fact], audit).await.unwrap(), 1);
}
