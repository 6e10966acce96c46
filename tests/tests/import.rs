//! Moving in from the old server: its CSV exports become users, figures and keys that work.

use std::path::Path;
use std::time::Duration;

use rr_tests::app::TestApp;
use rr_tests::database::TestDatabase;
use rr_tests::process::{Ended, Program};
use rr_tests::proxy::eventually;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const OLD_KEY: &str = concat!("rr_", "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE");

const USERS: &str = "id,email,role,plan,status,created_at,updated_at\n\
    1,Admin@Example.com,admin,,active,2024-01-01T00:00:00Z,2024-01-01T00:00:00Z\n\
    2,member@example.com,member,membership,active,2024-01-02 00:00:00+00,2024-01-02 00:00:00+00\n\
    018f2b5e-0000-7000-8000-000000000003,\"o'hara@example.com\",member,,inactive,2026-01-14T10:00:00.123456+00:00,2026-01-14T10:00:00Z\n";

const SUBSCRIPTIONS: &str = "id,email,amount,tier,referrer_username,subscribed_at\n\
    1,member@example.com,47.00,membership,affiliate1,2024-01-02T00:00:00Z\n\
    2,other@example.com,97,pro_reseller,,2024-02-01T00:00:00Z\n";

const TRIPWIRE: &str = "id,email,amount,referrer_username,purchased_at\n\
    1,someone@example.com,7.5,,2024-03-01T00:00:00Z\n";

const COMMISSIONS: &str = "id,referrer_username,email,tier,amount,commission,created_at\n\
    1,affiliate1,member@example.com,membership,47.00,23.50,2024-01-02T00:00:00Z\n";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

fn exports() -> TempDir {
    let folder = TempDir::new().unwrap();
    let hash: String = Sha256::digest(OLD_KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    let keys = format!(
        "id,api_key,user_id,name,permissions,created_at,expires_at,last_used,is_active,created_by\n\
         7,{hash},1,Old key,\"{{read_metrics,write_webhooks}}\",2024-01-01T00:00:00Z,2030-01-01T00:00:00Z,,true,1\n"
    );
    write(folder.path(), "users.csv", USERS);
    write(folder.path(), "subscriptions.csv", SUBSCRIPTIONS);
    write(folder.path(), "tripwire_purchases.csv", TRIPWIRE);
    write(folder.path(), "commissions.csv", COMMISSIONS);
    write(folder.path(), "api_keys.csv", &keys);
    folder
}

fn import(database: &TestDatabase, folder: &Path, more: &[&str]) -> Ended {
    let mut arguments = vec!["import", "--dir", folder.to_str().unwrap()];
    arguments.extend(more);
    Program::new(database.url(), arguments).run()
}

#[tokio::test]
async fn everything_arrives_and_a_second_time_changes_nothing() {
    let database = TestDatabase::migrated().await;
    let folder = exports();
    import(&database, folder.path(), &[]).expect(0);
    let app = TestApp::on(database, |_| {});
    // A key that the old server gave out opens the new one.
    let old = app.with_header("x-api-key", OLD_KEY);
    let users = old.get("/api/devops/sync/users").await.json();
    assert_eq!(users["total_users"], 3);
    assert_eq!(users["users_by_status"], json!({"active": 2, "inactive": 1}));
    assert_eq!(users["recent_signups"], 1);
    let revenue = old.get("/api/devops/sync/revenue").await.json();
    assert_eq!(revenue["total_revenue"], json!(151.5));
    assert_eq!(revenue["tripwire_revenue"], json!(7.5));
    assert_eq!(revenue["monthly_recurring_revenue"], 144);
    let commissions = old.get("/api/devops/sync/commissions").await.json();
    assert_eq!(commissions["total_commissions"], json!(23.5));

    let before = app.counts().await;
    let again = import(&app.database, folder.path(), &["--json"]).expect(0);
    let again: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    for (what, count) in again["new"].as_object().unwrap() {
        assert_eq!(count, 0, "{what}");
    }
    assert_eq!(app.counts().await.without_activity(), before.without_activity());
    assert_eq!(old.get("/api/devops/sync/revenue").await.json()["total_revenue"], json!(151.5));
}

#[tokio::test]
async fn one_bad_row_and_nothing_is_written() {
    let app = TestApp::on(TestDatabase::migrated().await, |_| {});
    let folder = exports();
    for (file, text, line, column) in [
        ("users.csv", USERS.replace("member@example.com", "no address"), 3, "email"),
        ("users.csv", USERS.replace("2024-01-02 00:00:00+00", "yesterday"), 3, "created_at"),
        ("subscriptions.csv", SUBSCRIPTIONS.replace("97", "97.123"), 3, "amount"),
        ("subscriptions.csv", SUBSCRIPTIONS.replace("47.00", "1e3"), 2, "amount"),
        ("commissions.csv", COMMISSIONS.replace("23.50", ""), 2, "commission"),
    ] {
        let good = std::fs::read_to_string(folder.path().join(file)).unwrap();
        write(folder.path(), file, &text);
        let before = app.counts().await;
        let ended = import(&app.database, folder.path(), &[]).expect(1);
        for part in [file, &format!("line {line}"), column] {
            assert!(ended.stderr.contains(part), "{part} is not in {}", ended.stderr);
        }
        assert_eq!(app.counts().await, before, "{file}");
        write(folder.path(), file, &good);
    }
}

#[tokio::test]
async fn bad_rows_can_be_left_out_and_are_kept_aside() {
    let app = TestApp::on(TestDatabase::migrated().await, |_| {});
    let folder = exports();
    write(folder.path(), "users.csv", &USERS.replace("member@example.com", "no address"));
    import(&app.database, folder.path(), &["--skip-bad"]).expect(0);
    let reader = app.with_key(&["read_metrics"]).await;
    assert_eq!(reader.get("/api/devops/sync/users").await.json()["total_users"], 2);
    let rejects = std::fs::read_to_string(folder.path().join("rejects.csv")).unwrap();
    assert!(rejects.contains("no address") && rejects.contains("email"), "{rejects}");
}

#[tokio::test]
async fn an_invented_history_is_the_same_every_time() {
    let mut figures = Vec::new();
    for _ in 0..2 {
        let database = TestDatabase::migrated().await;
        let arguments = [
            "seed",
            "--users",
            "300",
            "--seed",
            "7",
            "--days",
            "200",
            "--until",
            "2026-01-01T00:00:00Z",
        ];
        Program::new(database.url(), arguments).run().expect(0);
        let app = TestApp::on(database, |_| {});
        let key = app.with_key(&["read_metrics"]).await;
        let mut all = Vec::new();
        for name in ["users", "revenue", "commissions"] {
            all.push(key.get(&format!("/api/devops/sync/{name}")).await.json());
        }
        figures.push(all);
    }
    assert_eq!(figures[0], figures[1]);
    let users = &figures[0][0];
    assert!(users["total_users"].as_u64().unwrap() > 200, "{users}");
    assert!(figures[0][1]["monthly_recurring_revenue"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn a_load_that_is_stopped_while_it_is_posted_is_taken_up_at_the_next_start() {
    const HANGS: Duration = Duration::from_secs(60);
    let database = TestDatabase::migrated().await;
    // Five pieces of facts, and there is a line after each.
    let load = ["seed", "--users", "30000", "--days", "300"];
    let mut load = Program::new(database.url(), load).start();
    eventually("it posts", HANGS, || async { load.output().contains("posting: ") }).await;
    load.signal("INT");
    let ended = load.wait(HANGS).await.expect("it does not end");
    let told = "stopped; all rows are there, and their figures are worked out at the next start";
    eventually("it says why", HANGS, || async { load.output().contains(told) }).await;
    assert_eq!(ended.code(), Some(1), "{}", load.output());

    let server = Program::new(database.url(), ["serve"]).serve().await;
    assert!(server.output().contains("the ledger takes in older facts"), "{}", server.output());
    drop(server);
    let verified = Program::new(database.url(), ["verify"]).run().expect(0);
    assert!(verified.stdout.contains("values agree"), "{}", verified.stdout);
    assert!(!verified.stderr.contains("older facts"), "left to this: {}", verified.stderr);
}
