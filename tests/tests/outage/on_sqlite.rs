//! A file that is damaged, read-only, locked, moved, or on a full disk.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use rr_tests::database::TestDatabase;
use rr_tests::load::{Load, stored_names};
use rr_tests::process::{Program, binary, make_key};
use rr_tests::proxy::eventually;
use serde_json::json;
use tempfile::TempDir;

use super::*;

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
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
    let database = TestDatabase::migrated_sqlite().await;
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
    // Two servers, one of them stopped in the middle of whatever it does: the other goes on or
    // says 503, and goes on when it can.
    let database = TestDatabase::migrated_sqlite().await;
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

/// Under load, the file is moved away and back: nothing that was acknowledged is missing from it, and
/// nothing is acknowledged while it is away.
#[tokio::test]
async fn a_file_that_is_moved_away_takes_nothing_until_it_is_back() {
    let database = TestDatabase::migrated_sqlite().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let client = server.client().with_key(&key);
    let load = Load::start(&client, 4);
    eventually("events are taken", LIMIT, || async { load.acknowledged() > 20 }).await;

    let path = database.folder().unwrap().join("test.db");
    let elsewhere = path.with_extension("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    server.client().get("/readyz").await.problem(503, "unavailable");
    server.client().get("/healthz").await.expect(200);
    let refused = send(&client, "while it is away").await;
    let problem = refused.problem(503, "unavailable").to_string();
    assert!(!problem.contains("test.db") && !problem.contains("moved"), "{problem}");
    assert!(refused.header("retry-after").is_some());
    let during = load.acknowledged();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(load.acknowledged(), during, "acknowledged into a file that is not there");
    assert!(!path.exists(), "a new file hides that the old one is gone");
    assert!(server.output().contains("moved or deleted"), "{}", server.output());

    std::fs::rename(&elsewhere, &path).unwrap();
    eventually("it is ready", LIMIT, || async {
        server.client().get("/readyz").await.code() == 200
    })
    .await;
    eventually("events are taken again", LIMIT, || async { load.acknowledged() > during + 20 })
        .await;
    let acknowledged = load.stop().await.acknowledged;
    drop(server);
    let stored = stored_names(database.url()).await;
    for (name, id) in &acknowledged {
        assert_eq!(stored.get(name), Some(&vec![id.clone()]), "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_deleted_takes_nothing_more() {
    let database = TestDatabase::migrated_sqlite().await;
    let (_, key) = make_key(database.url(), &["write_webhooks"]);
    let mut server = Program::new(database.url(), ["serve"]).serve().await;
    let client = server.client().with_key(&key);
    send(&client, "before").await.expect(200);
    let path = database.folder().unwrap().join("test.db");
    std::fs::remove_file(&path).unwrap();
    for _ in 0..5 {
        send(&client, "after").await.problem(503, "unavailable");
        server.client().get("/readyz").await.problem(503, "unavailable");
    }
    assert!(!path.exists());
    server.signal("TERM");
    let ended = server.wait(LIMIT).await.expect("it does not end");
    assert_eq!(ended.code(), Some(0), "{}", server.output());
}

/// What ails a file is told apart, and the advice fits.
#[test]
fn the_doctor_says_what_to_do_about_a_file() {
    let folder = TempDir::new().unwrap();
    let report = |name: &str| {
        let url = format!("sqlite://{}", folder.path().join(name).display());
        Program::new(&url, ["doctor"]).run()
    };
    std::fs::write(folder.path().join("noise.db"), "no database at all ".repeat(500)).unwrap();
    std::fs::create_dir(folder.path().join("folder.db")).unwrap();
    for (name, advice) in [("noise.db", "backup"), ("folder.db", "path of a file")] {
        let said = report(name).expect(1).stdout;
        assert!(said.contains(advice), "{name}: {said}");
        assert!(!said.contains("PostgreSQL runs"), "{name}: {said}");
    }
    let said = report("missing.db").expect(0).stdout;
    assert!(said.contains("no such file yet"), "{said}");
    assert!(!folder.path().join("missing.db").exists());
}
