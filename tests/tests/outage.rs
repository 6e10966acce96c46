//! When the database is in trouble: a clear message, 503 while it lasts, recovery without a
//! restart, and nothing acknowledged that was not stored.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rr_tests::app::TestApp;
use rr_tests::client::Client;
use rr_tests::database::{TestDatabase, admin_url, is_postgres};
use rr_tests::process::{Program, binary, make_key};
use rr_tests::proxy::{Proxy, eventually};
use serde_json::json;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

/// The same database through a proxy that can be cut.
async fn behind_proxy(database: &TestDatabase) -> (Proxy, String) {
    let admin = admin_url();
    let (_, server) = admin.split_once('@').unwrap();
    let (server, _) = server.split_once('/').unwrap();
    let proxy = Proxy::start(server).await;
    let url = database.url().replace(server, &format!("127.0.0.1:{}", proxy.port()));
    (proxy, url)
}

async fn send(client: &Client, name: &str) -> rr_tests::client::Answer {
    client.post("/api/devops/webhook", &json!({"event_type": name})).await
}

#[tokio::test]
async fn a_postgres_that_dies_and_comes_back_needs_no_restart() {
    if !is_postgres() {
        return;
    }
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
async fn a_postgres_that_is_down_at_the_start_is_waited_for() {
    if !is_postgres() {
        return;
    }
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
async fn no_answer_names_the_database() {
    if !is_postgres() {
        return;
    }
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

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
    if is_postgres() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("broken.db");
    let garbage = b"this is not a database, and nobody may overwrite it ".repeat(200);
    std::fs::write(&file, &garbage).unwrap();
    let url = format!("sqlite://{}", file.display());
    for command in [vec!["serve"], vec!["migrate", "up"], vec!["keys", "list"]] {
        let ended = Program::new(&url, &command).run().expect(1);
        assert!(ended.stderr.contains("broken.db"), "{command:?}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        assert!(ended.stderr.lines().count() < 12, "{}", ended.stderr);
    }
    assert_eq!(std::fs::read(&file).unwrap(), garbage);
}

/// Root may write anywhere, so root runs this as somebody else.
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    if is_postgres() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("read-only");
    std::fs::create_dir(&place).unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&place, PermissionsExt::from_mode(0o555)).unwrap();
    let url = format!("sqlite://{}", place.join("new.db").display());
    let program = Program::new(&url, ["migrate", "up"]);
    let program = if is_root() {
        // The build folder may be closed to others, so the binary comes along.
        let copy = folder.path().join("revenue-ripple");
        std::fs::copy(binary(), &copy).unwrap();
        std::fs::set_permissions(program.folder(), PermissionsExt::from_mode(0o755)).unwrap();
        let copy = copy.to_str().unwrap().to_owned();
        program.under_other_binary(
            &copy,
            &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
        )
    } else {
        program
    };
    let ended = program.run().expect(1);
    assert!(
        ended.stderr.contains("new.db") || ended.stderr.contains("read-only"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    std::fs::set_permissions(&place, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A limit on the size of files stands for a full disk: it needs no mount, and it can be lifted
/// while the server runs.
#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_reads_and_heals() {
    if is_postgres() {
        return;
    }
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks", "read_events"]);
    // Blocks of 512 bytes: 1 MiB. Ignoring the signal turns the limit into a failing write.
    let shell = r#"trap "" XFSZ; ulimit -S -f 2048; exec "$0" "$@""#;
    let server = Program::new(database.url(), ["serve"]).under(&["sh", "-c", shell]).serve().await;
    let client = server.client().with_key(&key);

    let fill = "x".repeat(50_000);
    let mut acknowledged = 0;
    let refused = loop {
        let body = json!({"event_type": "fill", "number": acknowledged, "fill": fill});
        let answer = client.post("/api/devops/webhook", &body).await;
        if answer.code() != 200 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 200, "the limit does not bite");
    };
    assert!(acknowledged > 3, "full from the start: {}", refused.text());
    refused.problem(503, "unavailable");
    // Reading goes on, and what was acknowledged is there.
    let count = async || {
        let page = client.get("/api/devops/events?type=fill&limit=1000").await.json();
        page["events"].as_array().unwrap().len()
    };
    assert_eq!(count().await, acknowledged);
    server.client().get("/healthz").await.expect(200);

    let lifted = Command::new("prlimit")
        .args(["--pid", &server.pid().to_string(), "--fsize=unlimited:"])
        .status()
        .unwrap();
    assert!(lifted.success());
    eventually("it takes events again", LIMIT, || async {
        let body = json!({"event_type": "after", "fill": fill});
        client.post("/api/devops/webhook", &body).await.code() == 200
    })
    .await;
    assert_eq!(count().await, acknowledged, "a refused event was stored after all");
    assert!(!server.output().contains("panicked"), "{}", server.output());
}

#[tokio::test]
async fn a_file_that_another_program_locks_is_waited_for() {
    if is_postgres() {
        return;
    }
    // Two servers, one of them stopped in the middle of whatever it does: the other goes on or
    // says 503, and goes on when it can.
    let database = TestDatabase::migrated().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let first = Program::new(database.url(), ["serve"]).serve().await;
    let second = Program::new(database.url(), ["serve"]).serve().await;
    let (one, two) = (first.client().with_key(&key), second.client().with_key(&key));
    for _ in 0..5 {
        let load = (0..20).map(|_| async { send(&one, "one").await.code() });
        let load = futures_util::future::join_all(load);
        let stop = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            first.signal("STOP");
            let answer = send(&two, "two").await;
            assert!([200, 503].contains(&answer.code()), "{}", answer.text());
            first.signal("CONT");
        };
        let (statuses, ()) = tokio::join!(load, stop);
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    }
    send(&two, "last").await.expect(200);
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0"
}
