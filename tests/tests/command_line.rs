//! The command line: what it prints, and that exit codes tell usage, configuration and trouble apart.

mod keys;

use std::time::Duration;

use rr_tests::database::TestDatabase;
use rr_tests::process::Program;
use serde_json::{Value, json};

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

#[test]
fn help_is_there_for_every_command() {
    for command in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["demo", "--help"],
        vec!["migrate", "--help"],
        vec!["admin", "create", "--help"],
        vec!["keys", "--help"],
        vec!["keys", "create", "--help"],
        vec!["keys", "rotate", "--help"],
        vec!["keys", "list", "--help"],
        vec!["keys", "revoke", "--help"],
        vec!["keys", "report-leak", "--help"],
        vec!["keys", "peppers", "--help"],
        vec!["import", "--help"],
        vec!["doctor", "--help"],
        vec!["seed", "--help"],
        vec!["verify", "--help"],
        vec!["rebuild", "--help"],
        vec!["--version"],
    ] {
        let ended = Program::new("sqlite://unused.db", &command).run().expect(0);
        assert!(!ended.stdout.is_empty(), "{command:?}");
        let described = command == ["--version"] || ended.stdout.contains("Usage:");
        assert!(described, "{command:?}: {}", ended.stdout);
    }
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    const ID: &str = "018f2b5e-0000-7000-8000-000000000001";
    let good = "sqlite://data/x.db";
    for (program, code, names) in [
        // Wrong usage: 2.
        (Program::new(good, ["frobnicate"]), 2, "frobnicate"),
        (Program::new(good, ["serve", "--nonsense"]), 2, "--nonsense"),
        (Program::new(good, ["keys", "create", "--permission", "fly"]), 2, "fly"),
        (Program::new(good, ["keys", "create", "--quota", "week=5"]), 2, "--quota"),
        (Program::new(good, ["keys", "create", "--quota", "day=1,total=0"]), 2, "--quota"),
        (Program::new(good, ["keys", "create", "--rate-limit", "100"]), 2, "--rate-limit"),
        (Program::new(good, ["keys", "create", "--rate-limit", "0/60s"]), 2, "--rate-limit"),
        (Program::new(good, ["keys", "create", "--rate-limit", "9/0s"]), 2, "--rate-limit"),
        (Program::new(good, ["keys", "create", "--rate-limit", "9/2678401s"]), 2, "--rate-limit"),
        (Program::new(good, ["keys", "create", "--rate-limit", "9/60"]), 2, "100/60s"),
        (Program::new(good, ["keys", "create", "--rate-limit", "A=9/60s"]), 2, "--rate-limit"),
        (Program::new(good, ["keys", "create", "--metadata", "team"]), 2, "NAME=TEXT"),
        (Program::new(good, ["keys", "create", "--metadata", "=x"]), 2, "--metadata"),
        (Program::new(good, ["keys", "create", "--owner", ""]), 2, "--owner"),
        (Program::new(good, ["keys", "revoke", "not-an-id"]), 2, "not-an-id"),
        (Program::new(good, ["keys", "rotate", "not-an-id"]), 2, "not-an-id"),
        (Program::new(good, ["keys", "rotate", ID, "--grace-seconds", "604801"]), 2, "604801"),
        (Program::new(good, ["admin", "create", "--email", "nobody"]), 2, "nobody"),
        (Program::new(good, ["import"]), 2, "--dir"),
        // Wrong configuration: 78, in one line that names it.
        (Program::new("mysql://x/y", ["serve"]), 78, "RR_DATABASE_URL"),
        (Program::new("data/x.db", ["serve"]), 78, "RR_DATABASE_URL"),
        (Program::new(good, ["serve"]).env("RR_BIND", "nonsense"), 78, "RR_BIND"),
        (Program::new(good, ["serve"]).env("RR_LOG_FORMAT", "xml"), 78, "RR_LOG_FORMAT"),
        (
            Program::new(good, ["serve"]).env("RR_WEBHOOK_MAX_BYTES", "lots"),
            78,
            "RR_WEBHOOK_MAX_BYTES",
        ),
        (
            Program::new(good, ["serve"]).env("RR_TRUSTED_PROXIES", "everyone"),
            78,
            "RR_TRUSTED_PROXIES",
        ),
        (Program::new(good, ["serve"]).env("RR_CORS_ORIGINS", "*"), 78, "RR_CORS_ORIGINS"),
        (Program::new(good, ["serve"]).env("RR_PUBLIC_URL", "not a url"), 78, "RR_PUBLIC_URL"),
        (
            Program::new(good, ["serve"]).file("revenue-ripple.toml", "[http]\nbnid = \"x\"\n"),
            78,
            "bnid",
        ),
        (
            Program::new(good, ["serve"]).file("revenue-ripple.toml", "[http\n"),
            78,
            "revenue-ripple.toml",
        ),
        (Program::new(good, ["serve", "--config", "not-there.toml"]), 78, "not-there.toml"),
        // An address that others can reach wants a webhook secret.
        (Program::new(good, ["serve", "--bind", "0.0.0.0:0"]), 78, "DEVOPS_WEBHOOK_SECRET"),
        (
            Program::new(good, ["serve"])
                .env("RR_BIND", "0.0.0.0:0")
                .env("DEVOPS_WEBHOOK_SECRET", "changeme"),
            78,
            "DEVOPS_WEBHOOK_SECRET",
        ),
        // Trouble: 1.
        (Program::new("postgres://nobody@127.0.0.1:1/none", ["keys", "list"]), 1, "database"),
        (Program::new(good, ["keys", "list"]), 1, "no database at sqlite://data/x.db"),
        (Program::new(good, ["keys", "revoke", ID]), 1, "no database at sqlite://data/x.db"),
        (Program::new(good, ["keys", "rotate", ID]), 1, "no database at sqlite://data/x.db"),
        (Program::new(good, ["import", "--dir", "not-there"]), 1, "not-there"),
    ] {
        let ended = program.run();
        let place = format!("{names}: {}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(code), "{place}");
        assert!(ended.stderr.contains(names), "{place}");
        assert!(!ended.stderr.contains("panicked"), "{place}");
        if code == 78 {
            assert_eq!(ended.stderr.lines().count(), 1, "{place}");
        }
    }
}

/// Looking makes nothing: a path that was mistyped stays free.
#[test]
fn commands_that_only_look_make_no_file() {
    const ID: &str = "018f2b5e-0000-7000-8000-000000000001";
    let folder = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite://{}", folder.path().join("data/new.db").display());
    for (command, code) in [
        (vec!["keys", "list"], 1),
        (vec!["keys", "list", "--json"], 1),
        (vec!["keys", "revoke", ID], 1),
        (vec!["keys", "rotate", ID], 1),
        (vec!["migrate"], 0),
        (vec!["migrate", "status", "--json"], 0),
        (vec!["migrate", "down", "--yes"], 0),
        (vec!["doctor"], 0),
    ] {
        let ended = Program::new(&url, &command).run().expect(code);
        if code == 1 {
            assert!(ended.stderr.contains("migrate up"), "{command:?}: {}", ended.stderr);
        }
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 0, "{command:?} has made something");
    }
    // Neither do they change the schema of one that is there.
    let url = format!("sqlite://{}", folder.path().join("empty.db").display());
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    let listed = Program::new(&url, ["keys", "list"]).run().expect(1);
    assert!(listed.stderr.contains("pending migrations"), "{}", listed.stderr);
    let status = Program::new(&url, ["migrate", "status", "--json"]).run().expect(0);
    let status = json_of(&status.stdout);
    let all = status["migrations"].as_array().unwrap();
    assert!(all.iter().all(|migration| migration["applied"] == false), "{status}");
}

#[tokio::test]
async fn an_administrator_is_told_of_a_database_that_is_not_current() {
    let database = TestDatabase::empty().await;
    Program::new(database.url(), ["migrate", "up"]).run().expect(0);
    Program::new(database.url(), ["migrate", "down", "--yes"]).run().expect(0);
    let listed = Program::new(database.url(), ["keys", "list"]).run().expect(1);
    assert!(listed.stderr.contains("migrate up"), "{}", listed.stderr);
    let report = Program::new(database.url(), ["doctor"]).run().expect(1);
    assert!(report.stdout.contains("1 pending"), "{}", report.stdout);
}

#[tokio::test]
async fn an_administrator_is_made_and_signs_in() {
    let database = TestDatabase::empty().await;
    let create = |password: &str| {
        let arguments = ["admin", "create", "--email", "Ann@Example.com", "--password-stdin"];
        Program::new(database.url(), arguments).run_with_input(password)
    };
    create("short\n").expect(2);
    create("").expect(2);
    let made = create("a long enough password\n").expect(0);
    assert!(!made.stdout.contains("a long enough password"));
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let login = async |password: &str| {
        let body = json!({"email": "ann@example.com", "password": password});
        server.client().post("/api/auth/login", &body).await.code()
    };
    assert_eq!(login("a long enough password").await, 200);
    create("another long password\n").expect(0);
    assert_eq!(login("a long enough password").await, 401);
    assert_eq!(login("another long password").await, 200);
}

#[tokio::test]
async fn the_first_administrator_comes_from_the_environment_and_only_once() {
    let database = TestDatabase::empty().await;
    let serve = |password: &str| {
        Program::new(database.url(), ["serve"])
            .env("RR_ADMIN_EMAIL", "first@example.com")
            .env("RR_ADMIN_PASSWORD", password)
            .serve()
    };
    let try_login = async |server: &rr_tests::process::RealServer, password: &str| {
        let body = json!({"email": "first@example.com", "password": password});
        server.client().post("/api/auth/login", &body).await.code()
    };
    let server = serve("the very first password").await;
    assert_eq!(try_login(&server, "the very first password").await, 200);
    drop(server);
    let server = serve("a later password of mine").await;
    assert_eq!(try_login(&server, "a later password of mine").await, 401);
    assert_eq!(try_login(&server, "the very first password").await, 200);
}

#[tokio::test]
async fn migrations_are_shown_taken_back_and_applied() {
    let database = TestDatabase::empty().await;
    let run = |arguments: &[&str]| Program::new(database.url(), arguments).run().expect(0).stdout;
    let states = || {
        let status = json_of(&run(&["migrate", "status", "--json"]));
        let list = status["migrations"].as_array().unwrap().clone();
        list.iter().map(|one| one["applied"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert!(!states().is_empty() && states().iter().all(|applied| !applied));
    run(&["migrate", "up"]);
    assert!(states().iter().all(|applied| *applied));
    run(&["migrate", "up"]);
    // Nobody can be asked here, so it has to be said.
    let refused = Program::new(database.url(), ["migrate", "down"]).run().expect(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert!(states().iter().all(|applied| *applied));
    run(&["migrate", "down", "--yes"]);
    assert_eq!(states().last(), Some(&false));
    run(&["migrate", "up"]);
    assert!(states().iter().all(|applied| *applied));
}

#[tokio::test]
async fn the_doctor_names_every_part_and_what_is_missing() {
    let database = TestDatabase::migrated().await;
    let doctor = |name: &str, value: &str| {
        let program = Program::new(database.url(), ["doctor", "--json"]).env(name, value);
        json_of(&program.run().expect(0).stdout)
    };
    let report = doctor("STRIPE_SECRET_KEY", "sk_of_a_test_that_must_not_show");
    assert!(!report.to_string().contains("must_not_show"), "{report}");
    let parts: Vec<&str> = report["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["part"].as_str().unwrap())
        .collect();
    for part in ["configuration", "database", "migrations", "durability", "Stripe", "OpenAI"] {
        assert!(parts.contains(&part), "{part} is not in {parts:?}");
    }
    let broken = Program::new("postgres://nobody@127.0.0.1:1/none", ["doctor", "--json"]).run();
    assert_eq!(json_of(&broken.expect(1).stdout)["ok"], false);
}

#[test]
fn the_description_on_paper_is_the_one_on_the_wire() {
    let printed = Program::new("sqlite://unused.db", ["openapi"]).run().expect(0);
    assert_eq!(json_of(&printed.stdout), serde_json::to_value(rr_http::openapi()).unwrap());
}

#[tokio::test]
async fn the_demo_is_ready_at_once_and_the_same_the_second_time() {
    let database = TestDatabase::empty().await;
    let first = Program::new(database.url(), ["demo"]).serve().await;
    let said = || first.output();
    rr_tests::proxy::eventually("it says how to begin", Duration::from_secs(10), || async {
        said().contains("curl")
    })
    .await;
    let text = said();
    let key = text
        .split_whitespace()
        .find(|word| word.starts_with("rr_") && word.len() == 39)
        .expect("a demo key is shown")
        .to_owned();
    let users = first.client().with_key(&key).get("/api/devops/sync/users").await.json();
    assert_eq!(users["total_users"], 2);
    let after = |label: &str| {
        let rest = text.split(label).nth(1).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let body = json!({"email": after("Email"), "password": after("Password")});
    first.client().post("/api/auth/login", &body).await.expect(200);
    drop(first);

    let second = Program::new(database.url(), ["demo"]).serve().await;
    let users = second.client().with_key(&key).get("/api/devops/sync/users").await.json();
    assert_eq!(users["total_users"], 2);
    second.client().post("/api/auth/login", &body).await.expect(200);
    rr_tests::proxy::eventually("it says how to begin", Duration::from_secs(10), || async {
        second.output().contains("curl")
    })
    .await;
    assert!(!second.output().contains(&key[7..]), "a key is shown once");
}

#[tokio::test]
async fn an_invented_history_verifies_before_and_after_the_ledger_is_made_anew() {
    let database = TestDatabase::empty().await;
    let run = |arguments: &[&str]| Program::new(database.url(), arguments).run().expect(0);
    let seeded = json_of(&run(&["seed", "--users", "300", "--seed", "3", "--json"]).stdout);
    let facts = seeded["new"]["facts"].as_u64().unwrap();
    let verified = || {
        let report = json_of(&run(&["verify", "--json"]).stdout);
        // Numbers of facts that came twice stay unused.
        assert!(report["seq"].as_u64().unwrap() >= facts, "{report}");
        assert_eq!(report["faults"], json!([]));
        assert!(report["compared"].as_u64().unwrap() > 100, "{report}");
        report["seq"].clone()
    };
    let seq = verified();
    assert_eq!(json_of(&run(&["rebuild", "--json"]).stdout), json!({ "seq": seq }));
    assert_eq!(verified(), seq);
    let text = run(&["verify"]).stdout;
    assert!(text.contains(&format!("agree with the facts up to number {seq}")), "{text}");
}
