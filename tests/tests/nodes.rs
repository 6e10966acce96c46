//! (f) Several servers on one database: what is revoked on one is refused by all, and what one records all
//! count, whatever happens between them. What a silent network does stands with the outages of PostgreSQL.

use std::time::Duration;

use rr_http::{AppState, HttpSettings};
use rr_keys::{Request, VerifyError};
use rr_tests::app::{Key, TestApp};
use rr_tests::clock::seeded_random;
use rr_tests::database::{TestDatabase, open_store};
use rr_tests::process::{Program, make_key};
use rr_tests::proxy::eventually;
use serde_json::json;

const SYNC: &str = "/api/devops/sync/users";

/// Two real servers. The command line waits as long as the documentation says that servers need, so when it
/// returns the other server refuses.
#[tokio::test]
async fn what_is_revoked_here_is_refused_there_within_the_stated_bound() {
    let database = TestDatabase::migrated().await;
    let one = Program::new(database.url(), ["serve"]).serve().await;
    let two = Program::new(database.url(), ["serve"]).serve().await;
    let (manager, by) = make_key(database.url(), &["manage_keys"]);
    for over_http in [true, false] {
        let (id, secret) = make_key(database.url(), &["read_metrics"]);
        for server in [&one, &two] {
            server.client().with_key(&secret).get(SYNC).await.expect(200);
        }
        if over_http {
            one.client().with_key(&by).delete(&format!("/api/devops/keys/{id}")).await.expect(204);
            one.client().with_key(&secret).get(SYNC).await.problem(401, "key_revoked");
            let there = two.client().with_key(&secret);
            eventually("it is refused there", Duration::from_secs(20), || async {
                there.get(SYNC).await.code() == 401
            })
            .await;
        } else {
            Program::new(database.url(), ["keys", "revoke", &id]).run().expect(0);
        }
        for server in [&one, &two] {
            server.client().with_key(&secret).get(SYNC).await.problem(401, "key_revoked");
        }
    }
    assert_ne!(manager, "");
}

/// Two real servers and a third process that writes: whoever asks a second later counts it.
#[tokio::test]
async fn what_one_process_records_every_other_counts_within_a_second() {
    let database = TestDatabase::migrated().await;
    let servers = [
        Program::new(database.url(), ["serve"]).serve().await,
        Program::new(database.url(), ["serve"]).serve().await,
    ];
    let (_, secret) = make_key(database.url(), &["read_metrics"]);
    for round in 0..=3 {
        if round > 0 {
            let email = format!("user{round}@example.com");
            let create = ["admin", "create", "--email", &email, "--password-stdin"];
            Program::new(database.url(), create).run_with_input("a long password\n").expect(0);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        for server in &servers {
            let answer = server.client().with_key(&secret).get(SYNC).await.json();
            assert_eq!(answer["total_users"], round, "{answer}");
        }
    }
}

/// A caller that is sent now here and now there, or comes back after a restart, is not sent what it has.
#[tokio::test]
async fn a_tag_is_as_good_at_another_server_and_after_a_restart() {
    let database = TestDatabase::migrated().await;
    Program::new(database.url(), ["seed", "--demo"]).run().expect(0);
    let (_, secret) = make_key(database.url(), &["read_metrics"]);
    let mut known: Vec<String> = Vec::new();
    let paths = [
        SYNC,
        "/api/devops/sync/revenue",
        "/api/devops/dashboard",
        "/api/devops/metrics",
        "/api/devops/metrics/mrr",
        "/api/devops/metrics/nrr",
        "/api/devops/metrics/signups?from=2024-01-01T00:00:00Z&step=month",
        "/api/devops/restatements",
    ];
    let mut one = Program::new(database.url(), ["serve"]).serve().await;
    let asks = one.client().with_key(&secret);
    for path in paths {
        known.push(asks.get(path).await.expect(200).header("etag").expect("an ETag").to_owned());
    }
    let two = Program::new(database.url(), ["serve"]).serve().await;
    one.kill();
    let three = Program::new(database.url(), ["serve"]).serve().await;
    for server in [&two, &three] {
        let asks = server.client().with_key(&secret);
        for (path, tag) in paths.iter().zip(&known) {
            let answer = asks.get(path).header("if-none-match", tag).await;
            assert_eq!(answer.code(), 304, "{path}: {:?} is not {tag}", answer.header("etag"));
        }
    }
}

/// A write is in the next read of the server that took it, however little time there is between.
#[tokio::test]
async fn what_this_process_records_it_counts_at_once() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    for round in 1..=20 {
        app.create_user(&format!("user{round}@example.com"), "member", None).await;
        let answer = key.get(SYNC).await.json();
        assert_eq!(answer["total_users"], round, "{answer}");
        assert_eq!(answer["seq"], round, "{answer}");
    }
}

/// A second server's parts on the database of the first, which nobody tells anything.
fn second(app: &TestApp, url: &str) -> std::sync::Arc<AppState> {
    AppState::new(open_store(url), app.clock.clock(), seeded_random(2), HttpSettings::default())
}

async fn asks(state: &AppState, app: &TestApp, key: &Key) -> &'static str {
    let now = app.clock.now().to_system_time();
    match state.verifier.verify(&key.secret, &Request::any(), now).await {
        Ok(_) => "granted",
        Err(VerifyError::Denied(denial)) => denial.code(),
        Err(VerifyError::Store(_)) => "unavailable",
    }
}

/// A new secret goes to several machines at once, and each asks another server: all get in, and one grace
/// begins. (That it counts from the earliest is the store's to prove.)
#[tokio::test]
async fn simultaneous_first_uses_on_two_servers_all_get_in_and_start_one_grace() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for grace_s in [60, 0, 60] {
        let other = second(&app, app.database.url());
        let key = app.with_key(&["read_metrics"]).await;
        let path = format!("/api/devops/keys/{}", key.id);
        let wanted = json!({"grace_s": grace_s, "start": "first_use"});
        let made = admin.post(&format!("{path}/rotate"), &wanted).await.expect(200).json();
        let secret = made["api_key"].as_str().unwrap();
        let start = app.clock.now();
        let nodes = [&*app.state, &*other];
        let now = start.to_system_time();
        let uses = (0..8).map(|n| async move {
            nodes[n % 2].verifier.verify(secret, &Request::any(), now).await.is_ok()
        });
        assert_eq!(futures_util::future::join_all(uses).await, [true; 8]);
        let row = app.store().key(key.id).await.unwrap().unwrap();
        assert_eq!(row.pending, None);
        assert_eq!(row.grace_until, Some(start.plus(Duration::from_secs(grace_s))));
        other.store.close().await;
    }
}

/// The change of one key costs its own place in memory, here and there; what was refused costs nothing.
#[tokio::test]
async fn a_changed_key_is_forgotten_and_no_other() {
    let app = TestApp::init().await;
    let other = second(&app, app.database.url());
    let manager = app.with_key(&["manage_keys"]).await;
    let (changed, kept) = (app.with_key(&[]).await, app.with_key(&["read_metrics"]).await);
    let stronger = app.with_key(&["read_users"]).await;
    let nodes = [&*app.state, &*other];
    let mut seen = Vec::new();
    for node in nodes {
        seen.push(node.follow_key_changes(None).await);
        for key in [&changed, &kept, &stronger] {
            assert_eq!(asks(node, &app, key).await, "granted");
        }
    }
    // The manager comes into memory with its first request.
    let path = |id: uuid::Uuid| format!("/api/devops/keys/{id}");
    manager.get(&path(changed.id)).await.expect(200);
    let entries = || nodes.map(|node| node.verifier.stats().entries);
    let before = entries();

    let nobody = uuid::Uuid::from_u128(1);
    let name = json!({"name": "another"});
    let rotate = |id| format!("{}/rotate", path(id));
    manager.patch(&path(nobody), &name).await.expect(404);
    manager.patch(&path(stronger.id), &name).await.expect(403);
    manager.post(&rotate(nobody), &json!({})).await.expect(404);
    manager.post(&rotate(stronger.id), &json!({})).await.expect(403);
    manager.delete(&path(nobody)).await.expect(404);
    for (node, seen) in nodes.into_iter().zip(&seen) {
        assert_eq!(node.follow_key_changes(*seen).await, *seen);
    }
    assert_eq!(entries(), before, "nothing was changed");

    manager.patch(&path(changed.id), &json!({"enabled": false})).await.expect(200);
    for (node, seen) in nodes.into_iter().zip(&seen) {
        assert_ne!(node.follow_key_changes(*seen).await, *seen);
    }
    assert_eq!(entries(), before.map(|entries| entries - 1));
    for node in nodes {
        let (hits, misses) = (node.verifier.stats().hits, node.verifier.stats().misses);
        assert_eq!(asks(node, &app, &kept).await, "granted");
        let stats = node.verifier.stats();
        assert_eq!((stats.hits, stats.misses), (hits + 1, misses), "answered from memory");
        assert_eq!(asks(node, &app, &changed).await, "key_disabled");
    }
    other.store.close().await;
}

/// Every message is lost and nobody asks for nine minutes: what is in memory is too old to be believed.
#[tokio::test]
async fn an_idle_server_that_hears_nothing_asks_again() {
    let app = TestApp::init().await;
    let other = second(&app, app.database.url());
    let key = app.with_key(&["read_metrics"]).await;
    assert_eq!(asks(&other, &app, &key).await, "granted");
    app.store().revoke_key(key.id, app.audit()).await.unwrap();
    assert_eq!(asks(&other, &app, &key).await, "granted", "it heard nothing and is in its minute");
    app.clock.advance(Duration::from_secs(9 * 60));
    assert_eq!(asks(&other, &app, &key).await, "key_revoked");
    other.store.close().await;
}

/// One look at the database hears of the change; a look that fails is as good, for it forgets everything.
#[tokio::test]
async fn a_server_that_cannot_hear_believes_nothing() {
    let app = TestApp::init().await;
    let other = second(&app, app.database.url());
    let key = app.with_key(&["read_metrics"]).await;
    assert_eq!(asks(&other, &app, &key).await, "granted");
    let seen = other.follow_key_changes(None).await;
    assert_eq!(asks(&other, &app, &key).await, "granted");
    assert_eq!(other.follow_key_changes(seen).await, seen);
    assert_eq!(other.verifier.stats().entries, 1, "nothing happened, nothing is forgotten");
    app.store().revoke_key(key.id, app.audit()).await.unwrap();
    assert_ne!(other.follow_key_changes(seen).await, seen);
    assert_eq!(asks(&other, &app, &key).await, "key_revoked");

    let key = app.with_key(&["read_metrics"]).await;
    assert_eq!(asks(&other, &app, &key).await, "granted");
    other.store.close().await;
    assert_eq!(other.follow_key_changes(seen).await, None);
    assert_eq!(asks(&other, &app, &key).await, "unavailable");
}
