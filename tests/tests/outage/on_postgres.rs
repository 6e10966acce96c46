//! A PostgreSQL that goes away, comes back, or is not there yet. Ignored where there is none; the suite
//! of PostgreSQL in `cargo xtask test` runs them.

use std::time::{Duration, Instant};

use rr_tests::app::TestApp;
use rr_tests::cluster::Cluster;
use rr_tests::database::{TestDatabase, admin_url};
use rr_tests::load::Load;
use rr_tests::process::{Program, make_key};
use rr_tests::proxy::{Proxy, eventually};
use serde_json::json;

use super::*;

/// The same database through a proxy that can be cut.
async fn behind_proxy(database: &TestDatabase) -> (Proxy, String) {
    let admin = admin_url();
    let (_, server) = admin.split_once('@').unwrap();
    let (server, _) = server.split_once('/').unwrap();
    let proxy = Proxy::start(server).await;
    let url = database.url().replace(server, &format!("127.0.0.1:{}", proxy.port()));
    (proxy, url)
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_postgres_that_dies_and_comes_back_needs_no_restart() {
    let database = TestDatabase::migrated().await;
    let (proxy, url) = behind_proxy(&database).await;
    let (_, key) = make_key(database.url(), &["write_webhooks", "read_events"]);
    let server = Program::new(&url, ["serve"]).serve().await;
    let client = server.client().with_key(&key);
    send(&client, "before").await.expect(200);

    for round in 0..2 {
        proxy.cut();
        for _ in 0..3 {
            let started = Instant::now();
            send(&client, "meanwhile").await.problem(503, "unavailable");
            assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
            client.get("/api/devops/events").await.problem(503, "unavailable");
            server.client().get("/readyz").await.problem(503, "unavailable");
            server.client().get("/healthz").await.expect(200);
        }
        proxy.heal();
        eventually("it takes events again", LIMIT, || async {
            send(&client, &format!("after {round}")).await.code() == 200
        })
        .await;
        server.client().get("/readyz").await.expect(200);
    }
    let page = client.get("/api/devops/events?type=meanwhile").await.json();
    assert_eq!(page["events"], json!([]), "what was refused was not stored");
    let output = server.output();
    assert!(!output.contains("panicked"), "{output}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_postgres_that_is_down_at_the_start_is_waited_for() {
    let database = TestDatabase::empty().await;
    let (proxy, url) = behind_proxy(&database).await;
    proxy.cut();
    let server = Program::new(&url, ["serve"]).serve().await;
    server.client().get("/healthz").await.expect(200);
    server.client().get("/readyz").await.problem(503, "unavailable");
    assert!(server.output().contains("database"), "{}", server.output());
    proxy.heal();
    eventually("it is ready", LIMIT, || async {
        server.client().get("/readyz").await.code() == 200
    })
    .await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    send(&server.client().with_key(&key), "after").await.expect(200);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn no_answer_names_the_database() {
    let database = TestDatabase::migrated().await;
    let (proxy, url) = behind_proxy(&database).await;
    let store = rr_tests::database::open_store(&url);
    let port = proxy.port().to_string();
    let app = TestApp::with_store(database, store, |_| {});
    let key = app.with_key(&["write_webhooks", "read_metrics", "read_events"]).await;
    proxy.cut();
    for answer in [
        send(&key, "x").await,
        key.get("/api/devops/events").await,
        key.get("/api/devops/sync/users").await,
        app.post("/api/auth/login", &json!({"email": "a@example.com", "password": "x"})).await,
    ] {
        let problem = answer.problem(503, "unavailable").to_string().to_lowercase();
        for word in ["postgres", "sql", "127.0.0.1", port.as_str(), "connection refused", "rr_test"]
        {
            assert!(!problem.contains(word), "{word} in {problem}");
        }
    }
}

/// `pg_ctl restart` under load, in the manner that ends every session: what was acknowledged before,
/// during and after is there, once, and the server needs no restart of its own.
#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_postgres_that_is_restarted_under_load_loses_nothing() {
    let cluster = Cluster::start("");
    Program::new(&cluster.url(), ["migrate", "up"]).run().expect(0);
    let (_, key) = make_key(&cluster.url(), &["write_webhooks", "read_events"]);
    let server = Program::new(&cluster.url(), ["serve"]).serve().await;
    let client = server.client().with_key(&key);
    let load = Load::start(&client, 8);
    for mode in ["fast", "immediate"] {
        let before = load.acknowledged();
        eventually("events are taken", LIMIT, || async { load.acknowledged() > before + 20 }).await;
        cluster.restart(mode);
        let after = load.acknowledged();
        eventually("events are taken again", LIMIT, || async { load.acknowledged() > after + 20 })
            .await;
    }
    server.client().get("/readyz").await.expect(200);
    let acknowledged = load.stop().await.acknowledged;
    load_is_stored(&cluster.url(), &acknowledged).await;
    assert!(!server.output().contains("panicked"), "{}", server.output());
}

/// Every acknowledged event is stored, once.
async fn load_is_stored(url: &str, acknowledged: &[(String, String)]) {
    let stored = rr_tests::load::stored_names(url).await;
    for (name, id) in acknowledged {
        let ids = stored.get(name).unwrap_or_else(|| panic!("{name} was acknowledged and is lost"));
        assert_eq!(ids, std::slice::from_ref(id), "{name}");
    }
    assert!(stored.values().all(|ids| ids.len() == 1), "an event is there twice");
}

/// What each `sslmode` takes from a server whose certificate names `localhost`.
#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn each_sslmode_checks_what_libpq_says() {
    let cluster = Cluster::start_with_tls();
    let (ours, stranger) = (cluster.file("ca.crt"), cluster.file("stranger.crt"));
    let port = cluster.port();
    for (host, mode, root, works) in [
        ("127.0.0.1", "require", None, true),
        ("127.0.0.1", "require", Some(&ours), true),
        ("127.0.0.1", "require", Some(&stranger), false),
        ("127.0.0.1", "verify-ca", Some(&ours), true),
        ("127.0.0.1", "verify-ca", Some(&stranger), false),
        ("localhost", "verify-full", Some(&ours), true),
        ("127.0.0.1", "verify-full", Some(&ours), false),
        ("localhost", "verify-full", Some(&stranger), false),
        // The cluster takes nobody in without TLS.
        ("127.0.0.1", "disable", None, false),
    ] {
        let root = root.map_or(String::new(), |root| format!("&sslrootcert={}", root.display()));
        let url = format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}{root}");
        let ended = Program::new(&url, ["migrate", "status"]).run();
        let said = format!("{host} {mode} {root}: {}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(if works { 0 } else { 1 }), "{said}");
        if !works && mode != "disable" {
            let report = Program::new(&url, ["doctor"]).run().expect(1);
            assert!(report.stdout.contains("sslrootcert"), "{said}\n{}", report.stdout);
        }
    }
}

/// (f) A network that swallows everything: nothing fails, nothing answers. The server does not go on letting
/// keys in on what it remembers.
#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_server_behind_a_silent_network_lets_nobody_in() {
    let database = TestDatabase::migrated().await;
    let (proxy, url) = behind_proxy(&database).await;
    let (id, secret) = make_key(database.url(), &["write_webhooks"]);
    let server = Program::new(&url, ["serve"]).serve().await;
    let client = server.client().with_key(&secret);
    // Judged from memory and refused for what it is not, so the database takes no part.
    client.get("/api/devops/sync/users").await.problem(403, "insufficient_scope");
    proxy.silence();
    // It returns when every server that lives refuses the key, heard of it or not.
    Program::new(database.url(), ["keys", "revoke", &id]).run().expect(0);
    let answer = tokio::time::timeout(
        Duration::from_secs(2),
        client.get("/api/devops/sync/users").attempt(),
    )
    .await;
    if let Ok(Ok(answer)) = answer {
        assert_eq!(answer.code(), 503, "{}", answer.text());
    }
    proxy.heal();
    eventually("it refuses the key for what it is", Duration::from_secs(60), || async {
        client.get("/api/devops/sync/users").await.code() == 401
    })
    .await;
}
