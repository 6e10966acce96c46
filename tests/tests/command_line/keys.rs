//! `revenue-ripple keys`, beside a server that runs.

use std::collections::BTreeSet;
use std::time::Duration;

use rr_domain::Timestamp;
use rr_store::{Actor, Audit, KeyPatch, UpdateKey};
use rr_tests::database::{TestDatabase, open_store};
use rr_tests::process::{Program, make_key};
use serde_json::{Value, json};

use super::json_of;

#[tokio::test]
async fn keys_are_made_listed_and_revoked_and_a_running_server_sees_it() {
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let (id, secret) = make_key(database.url(), &["read_metrics"]);
    let client = server.client().with_key(&secret);
    client.get("/api/devops/sync/users").await.expect(200);

    let listed = Program::new(database.url(), ["keys", "list", "--json"]).run().expect(0);
    assert!(!listed.stdout.contains(&secret[7..]));
    let key = json_of(&listed.stdout)["keys"][0].clone();
    assert_eq!(key["id"], id.as_str());
    assert_eq!(key["status"], "active");
    assert_eq!(key["permissions"], json!(["read_metrics"]));
    let table = Program::new(database.url(), ["keys", "list"]).run().expect(0);
    assert!(table.stdout.contains(&id) && !table.stdout.contains(&secret[7..]));

    let revoked = Program::new(database.url(), ["keys", "revoke", &id, "--json"]).run().expect(0);
    assert_eq!(json_of(&revoked.stdout)["revoked"], true);
    // The command says that no server accepts it any more, so none does.
    client.get("/api/devops/sync/users").await.problem(401, "key_revoked");

    // Without --json the key alone is on standard output, so that a shell can catch it.
    let plain = Program::new(database.url(), ["keys", "create", "--name", "CI"]).run().expect(0);
    server.client().with_key(plain.stdout.trim()).get("/api/devops/sync/users").await.expect(200);
}

#[tokio::test]
async fn a_key_is_made_with_an_owner_quotas_and_notes() {
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let words = ["--owner", "42", "--metadata", "team=sales", "--metadata", "why=a=b"];
    let bounds = ["--quota", "day=2,total=9", "--permission", "read_metrics,manage_keys"];
    let arguments = [&["keys", "create", "--json"][..], &words, &bounds].concat();
    let made = json_of(&Program::new(database.url(), arguments).run().expect(0).stdout);
    let key = server.client().with_key(made["api_key"].as_str().unwrap());
    let path = format!("/api/devops/keys/{}", made["key_id"].as_str().unwrap());
    let kept = key.get(&path).await.json();
    assert_eq!(kept["user_id"], "42");
    assert_eq!(kept["metadata"], json!({"team": "sales", "why": "a=b"}));
    let limits = |period: usize| kept["usage"]["quotas"][period]["limit"].clone();
    assert_eq!([limits(0), limits(1)], [json!(2), json!(9)]);
    key.get("/api/devops/sync/users").await.expect(200);
    key.get("/api/devops/sync/users").await.problem(429, "quota_exceeded");
}

#[tokio::test]
async fn a_key_is_made_for_later() {
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let create = |start: &'static str, more: &[&'static str]| {
        let arguments = ["keys", "create", "--json", "--not-before", start];
        Program::new(database.url(), [&arguments[..], more].concat()).run()
    };
    let made = json_of(&create("2999-01-01T00:00:00Z", &["--never-expires"]).expect(0).stdout);
    let key = server.client().with_key(made["api_key"].as_str().unwrap());
    key.get("/api/devops/sync/users").await.problem(401, "key_not_yet_valid");
    let listed = Program::new(database.url(), ["keys", "list", "--json"]).run().expect(0);
    let listed = json_of(&listed.stdout)["keys"][0].clone();
    assert_eq!(listed["not_before"], "2999-01-01T00:00:00Z");
    assert_eq!(listed["status"], "not_yet_valid");
    let table = Program::new(database.url(), ["keys", "list"]).run().expect(0).stdout;
    assert!(table.contains("not yet valid"), "words for people: {table}");
    for (start, more) in [("tomorrow", &["--never-expires"][..]), ("2999-01-01T00:00:00Z", &[])] {
        let refused = create(start, more).expect(2);
        assert!(refused.stderr.contains("--not-before"), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn a_key_is_made_with_rate_limits() {
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let permissions = ["--permission", "read_metrics,manage_keys"];
    let window = |name: &str, limit: u32, window_s: u32| json!({"name": name, "limit": limit, "window_s": window_s});
    let single = ["--rate-limit", "3/2678400s"];
    let several = ["--rate-limit", "wide=1000/1h", "--rate-limit", "narrow=3/31d"];
    for (limits, windows, text) in [
        (&single[..], json!([window("default", 3, 2_678_400)]), "3/31d"),
        (
            &several,
            json!([window("wide", 1_000, 3_600), window("narrow", 3, 2_678_400)]),
            "wide=1000/1h narrow=3/31d",
        ),
    ] {
        let arguments = [&["keys", "create", "--json"][..], &permissions, limits].concat();
        let made = json_of(&Program::new(database.url(), arguments).run().expect(0).stdout);
        let key = server.client().with_key(made["api_key"].as_str().unwrap());
        let path = format!("/api/devops/keys/{}", made["key_id"].as_str().unwrap());
        let kept = key.get(&path).await.json();
        assert_eq!(kept["rate_limits"], windows);
        for _ in 0..2 {
            key.get("/api/devops/sync/users").await.expect(200);
        }
        key.get("/api/devops/sync/users").await.problem(429, "rate_limited");

        let list = |more: &[&str]| {
            Program::new(database.url(), [&["keys", "list"], more].concat()).run().expect(0).stdout
        };
        assert_eq!(json_of(&list(&["--json"]))["keys"][0]["rate_limits"], windows);
        assert!(list(&[]).lines().nth(1).unwrap().contains(text), "{}", list(&[]));
    }
}

#[tokio::test]
async fn a_key_is_rotated_and_a_running_server_sees_it() {
    const SYNC: &str = "/api/devops/sync/users";
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let (id, first) = make_key(database.url(), &["read_metrics"]);
    let calls = |secret: &str| server.client().with_key(secret);
    calls(&first).get(SYNC).await.expect(200);
    let rotate = |more: &[&str]| {
        let arguments = [&["keys", "rotate", &id], more].concat();
        Program::new(database.url(), arguments).run()
    };

    let rotated = json_of(&rotate(&["--json"]).expect(0).stdout);
    assert_eq!(rotated["key_id"], id.as_str());
    assert!(rotated["grace_until"].as_str().is_some_and(|end| end.ends_with('Z')));
    let second = rotated["api_key"].as_str().unwrap();
    for secret in [&first, second] {
        calls(secret).get(SYNC).await.expect(200);
    }

    // The new key alone is on standard output, and the server has heard of it by now.
    let rotated = rotate(&["--grace-seconds", "0"]).expect(0);
    for old in [&first, second] {
        calls(old).get(SYNC).await.problem(401, "key_superseded");
    }
    let third = rotated.stdout.trim();
    assert!(!rotated.stderr.contains(third));
    calls(third).get(SYNC).await.expect(200);

    Program::new(database.url(), ["keys", "revoke", &id]).run().expect(0);
    let refused = rotate(&[]).expect(1);
    assert!(refused.stderr.contains("revoked") && refused.stdout.is_empty());
}

#[tokio::test]
async fn a_key_is_changed_and_a_running_server_sees_it() {
    const SYNC: &str = "/api/devops/sync/users";
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let (id, secret) = make_key(database.url(), &["read_metrics"]);
    let key = server.client().with_key(&secret);
    key.get(SYNC).await.expect(200);
    let run = |command: &str, more: &[&str]| {
        Program::new(database.url(), [&["keys", command, &id], more].concat()).run()
    };
    let changed =
        |more: &[&str]| json_of(&run("change", &[more, &["--json"]].concat()).expect(0).stdout);

    assert_eq!(changed(&["--disable"])["status"], "disabled");
    key.get(SYNC).await.problem(401, "key_disabled");
    // What a refused command advises is there.
    let advice = run("rotate", &[]).expect(1).stderr;
    assert!(advice.contains("keys change KEY_ID --enable"), "{advice}");
    let on = run("change", &["--enable"]).expect(0).stdout;
    assert!(on.contains(&id) && on.contains("active"), "{on}");
    key.get(SYNC).await.expect(200);

    let view = changed(&[
        "--name",
        " CI ",
        "--permission",
        "read_metrics,write_webhooks",
        "--never-expires",
        "--rate-limit",
        "1000/1h",
        "--quota",
        "day=5,total=9",
        "--allow-ip",
        "127.0.0.0/8,10.0.0.0/8",
        "--not-before",
        "2020-01-01T00:00:00Z",
        "--metadata",
        "team=sales",
        "--metadata",
        "why=a=b",
    ]);
    assert_eq!(view["name"], "CI");
    assert_eq!(view["not_before"], "2020-01-01T00:00:00Z");
    assert_eq!(view["metadata"], json!({"team": "sales", "why": "a=b"}));
    assert_eq!(view["permissions"], json!(["read_metrics", "write_webhooks"]));
    assert_eq!(view["expires_at"], Value::Null);
    assert_eq!(view["rate_limit"], json!({"limit": 1000, "window_s": 3600}));
    assert_eq!(view["quotas"], json!({"day": 5, "total": 9}));
    assert_eq!(view["allowed_ips"], json!(["10.0.0.0/8", "127.0.0.0/8"]));
    let none =
        ["--no-rate-limits", "--no-quotas", "--allow-anywhere", "--at-once", "--no-metadata"];
    let bare = changed(&[&none[..], &["--expires-in-days", "3"]].concat());
    for gone in ["rate_limits", "quotas", "allowed_ips", "not_before", "metadata"] {
        assert_eq!(bare.get(gone), None, "{bare}");
    }
    assert!(
        bare["expires_at"].is_string() && bare["name"] == "CI",
        "what is not named stays: {bare}"
    );

    for wrong in [
        &[][..],
        &["--enable", "--disable"],
        &["--name", " "],
        &["--permission", "fly"],
        &["--rate-limit", "often"],
        &["--quota", "week=1"],
        &["--allow-ip", "here"],
        &["--not-before", "tomorrow"],
        &["--not-before", "2020-01-01T00:00:00Z", "--at-once"],
        &["--metadata", "team"],
    ] {
        run("change", wrong).expect(2);
    }
    run("revoke", &[]).expect(0);
    assert!(run("change", &["--enable"]).expect(1).stderr.contains("revoked"));
    let store = open_store(database.url());
    let log = store.activity(rr_store::PageRequest { limit: 100, cursor: None }).await.unwrap();
    let rows = log.items.iter().filter(|row| row.action == "key.updated");
    assert_eq!(rows.clone().count(), 4, "each change is in the log");
    store.close().await;
}

#[tokio::test]
async fn a_leak_is_reported_and_a_running_server_sees_it() {
    const SYNC: &str = "/api/devops/sync/users";
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let (id, secret) = make_key(database.url(), &["read_metrics"]);
    let (spared, other) = make_key(database.url(), &["read_metrics"]);
    let report = |input: &str, policy: &str, more: &[&str]| {
        let arguments = [&["keys", "report-leak"], more].concat();
        let program = Program::new(database.url(), arguments).env("RR_LEAK_POLICY", policy);
        program.run_with_input(input)
    };
    let status = |id: &str| {
        let listed = Program::new(database.url(), ["keys", "list"]).run().expect(0);
        listed.stdout.lines().find(|line| line.contains(id)).unwrap().to_owned()
    };
    let link = format!("https://example.com/?key={secret}");
    let told = report(&format!("{secret}\n"), "disable", &["--url", &link]).expect(0);
    assert!(told.stdout.contains(&id) && !told.stdout.contains(&secret[7..]), "{}", told.stdout);
    server.client().with_key(&secret).get(SYNC).await.problem(401, "key_disabled");
    assert!(status(&id).contains("disabled, leaked"));
    let again = json_of(&report(&secret, "disable", &["--json"]).expect(0).stdout);
    assert_eq!((&again["id"], &again["status"]), (&json!(id), &json!("disabled")));
    assert_eq!(again["leak"]["url"], "https://example.com/?key=…");

    report(&other, "notify", &[]).expect(0);
    server.client().with_key(&other).get(SYNC).await.expect(200);
    assert!(status(&spared).contains("active, leaked"));

    let unknown = ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat();
    for (input, code) in [(unknown.as_str(), 1), ("nothing like a key", 2), ("", 2)] {
        let refused = report(input, "disable", &[]).expect(code);
        assert!(refused.stdout.is_empty() && !refused.stderr.contains(&unknown[7..]));
    }
}

/// In whatever state a key is, the command line says of it what the server says, and who made it.
#[tokio::test]
async fn a_key_is_listed_as_over_http() {
    let database = TestDatabase::empty().await;
    let mut server = Program::new(database.url(), ["serve"]).serve().await;
    let run = |arguments: &[&str]| {
        json_of(
            &Program::new(database.url(), [arguments, &["--json"]].concat()).run().expect(0).stdout,
        )
    };
    let create = |more: &[&str]| {
        let made = run(&[&["keys", "create"], more].concat());
        (text_of(&made["key_id"]), text_of(&made["api_key"]))
    };
    let bounds =
        ["--rate-limit", "5/1m", "--rate-limit", "wide=100/1h", "--quota", "day=100,total=200"];
    let words = ["--owner", "42", "--metadata", "team=sales", "--allow-ip", "127.0.0.1,::1"];
    let (_, used) = create(&[&bounds[..], &words].concat());
    server.client().with_key(&used).get("/api/devops/sync/users").await.expect(200);
    create(&["--not-before", "2999-01-01T00:00:00Z", "--never-expires"]);
    let (draining, _) = create(&[]);
    run(&["keys", "rotate", &draining]);
    let (pending, _) = create(&[]);
    run(&["keys", "rotate", &pending, "--on-first-use"]);
    let (revoked, _) = create(&[]);
    run(&["keys", "rotate", &revoked]);
    run(&["keys", "revoke", &revoked]);
    let (_, public) = create(&[]);
    for (secret, policy) in [(&public, "notify"), (&create(&[]).1, "disable")] {
        let report = Program::new(database.url(), ["keys", "report-leak", "--json"]);
        report.env("RR_LEAK_POLICY", policy).run_with_input(secret).expect(0);
    }
    server.client().with_key(&public).get("/api/devops/sync/users").await.expect(200);
    // Whoever stops writes down what was used, so nothing moves between the two looks.
    server.signal("TERM");
    server.wait(Duration::from_secs(20)).await.expect("it does not end");
    // Its grace would go on, but the key itself is over.
    let (over, _) = create(&[]);
    run(&["keys", "rotate", &over]);
    let store = open_store(database.url());
    let at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let past = KeyPatch { expires_at: Some(Some(at)), ..KeyPatch::default() };
    let audit = Audit { at, actor: Actor::CommandLine, request_id: None, address: None };
    let ended = store.update_key(over.parse().unwrap(), past, audit).await.unwrap();
    assert!(matches!(ended, UpdateKey::Updated(_)), "{ended:?}");
    store.close().await;

    let (manager, secret) = create(&["--permission", "manage_keys"]);
    let server = Program::new(database.url(), ["serve"]).serve().await;
    let there = server.client().with_key(&secret).get("/api/devops/keys").await.json();
    let here = run(&["keys", "list"]);
    let [there, here] = [there, here].map(|listed| {
        let keys = listed["keys"].as_array().unwrap().clone();
        keys.into_iter().filter(|key| key["id"] != manager.as_str()).collect::<Vec<_>>()
    });
    let statuses: BTreeSet<String> = there.iter().map(|key| text_of(&key["status"])).collect();
    assert_eq!(statuses.len(), 5, "{statuses:?}");
    assert_eq!(here.len(), there.len());
    for (mut here, there) in here.into_iter().zip(there) {
        let made_by = here.as_object_mut().unwrap().remove("created_by");
        assert_eq!(made_by, Some(json!("command-line")));
        assert_eq!(here, there);
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn keys_that_end_soon_are_listed() {
    let database = TestDatabase::empty().await;
    Program::new(database.url(), ["migrate", "up"]).run().expect(0);
    let make = |name: &str, days: &str| {
        let arguments = ["keys", "create", "--name", name, "--expires-in-days", days];
        Program::new(database.url(), arguments).run().expect(0);
    };
    for (name, days) in [("far", "365"), ("near", "13"), ("next", "2")] {
        make(name, days);
    }
    let names = |more: &[&str]| -> Vec<String> {
        let arguments = [&["keys", "list", "--json"], more].concat();
        let listed = json_of(&Program::new(database.url(), arguments).run().expect(0).stdout);
        let keys = listed["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["--expiring"]), ["next", "near"]);
    assert_eq!(names(&["--expiring", "3"]), ["next"]);
    assert_eq!(names(&["--expiring", "365"]), ["next", "near", "far"]);
    let table = Program::new(database.url(), ["keys", "list"]).run().expect(0).stdout;
    assert_eq!(table.lines().filter(|line| line.contains("active, ends soon")).count(), 2);
}
