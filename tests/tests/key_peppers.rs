//! (l) Peppers of our own keys: they come, change and go, and no key that is in use dies of it.

use std::time::Duration;

use rr_keys::HashScheme;
use rr_store::KeySchemes;
use rr_tests::app::TestApp;
use rr_tests::client::Client;
use rr_tests::database::{TestDatabase, open_store, open_store_like};
use rr_tests::follow::Follower;
use rr_tests::process::{Ended, Program, RealServer};
use rr_tests::proxy::eventually;
use serde_json::{Value, json};

const SYNC: &str = "/api/devops/sync/users";
const ONE: &str = "1:aG91c2UgcGVwcGVyIG51bWJlciBvbmU=";
const TWO: &str = "2:aG91c2UgcGVwcGVyIG51bWJlciB0d28";

/// An installation: its database, and the peppers that it is told of at the moment.
struct House {
    database: TestDatabase,
    peppers: String,
    plain: &'static str,
}

impl House {
    async fn new() -> House {
        let database = TestDatabase::migrated().await;
        House { database, peppers: String::new(), plain: "accept" }
    }

    fn told(&mut self, peppers: &[&str]) -> &mut House {
        self.peppers = peppers.join(",");
        self
    }

    fn program(&self, arguments: &[&str]) -> Program {
        Program::new(self.database.url(), arguments)
            .env("RR_KEY_PEPPERS", &self.peppers)
            .env("RR_KEY_PLAIN_HASHES", self.plain)
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.program(arguments).run()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(arguments).expect(0).stdout).unwrap()
    }

    async fn serve(&self) -> RealServer {
        self.program(&["serve"]).serve().await
    }

    /// Makes a key as this installation does now; gives id and secret.
    fn key(&self, permission: &str) -> (String, String) {
        let made = self.json(&["keys", "create", "--json", "--permission", permission]);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("key_id"), text("api_key"))
    }

    /// What `keys peppers` says, as `pepper state keys`.
    fn peppers(&self) -> Vec<String> {
        let told = self.json(&["keys", "peppers", "--json"]);
        let line = |row: &Value| {
            format!("{} {} {}", row["pepper"], row["state"].as_str().unwrap(), row["keys"])
        };
        told["peppers"].as_array().unwrap().iter().map(line).collect()
    }

    /// Moving is nobody's to wait for; it comes soon after a use.
    async fn come_to(&self, expected: &[&str]) {
        eventually(&format!("{expected:?}"), Duration::from_secs(20), || async {
            self.peppers() == expected
        })
        .await;
    }

    fn ids_under(&self, pepper: &str) -> Vec<String> {
        let listed = self.json(&["keys", "list", "--json", "--pepper", pepper]);
        let keys = listed["keys"].as_array().unwrap();
        keys.iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    }

    /// What the doctor says about peppers: how they stand, and in words.
    fn doctor(&self) -> (String, String) {
        let told: Value = serde_json::from_str(&self.run(&["doctor", "--json"]).stdout).unwrap();
        let parts = told["parts"].as_array().unwrap();
        let part = parts.iter().find(|part| part["part"] == "key peppers").unwrap();
        let text = |name: &str| part[name].as_str().unwrap().to_owned();
        (text("standing"), text("state"))
    }
}

async fn works(server: &RealServer, secret: &str) {
    server.client().with_key(secret).get(SYNC).await.expect(200);
}

async fn rotate(by: &Client, id: &str, start: &str) -> String {
    let path = format!("/api/devops/keys/{id}/rotate");
    let made = by.post(&path, &json!({"grace_s": 600, "start": start})).await.expect(200).json();
    made["api_key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_changes_of_the_pepper_end_no_key_and_each_old_one_can_go() {
    let mut house = House::new().await;
    let [used, idle] = [house.key("read_metrics"), house.key("read_metrics")];
    assert_eq!(house.peppers(), ["null newest 2"]);
    assert_eq!(house.doctor().0, "off");

    // With the first pepper, keys from before work, and move when they are used.
    house.told(&[ONE]);
    let lazy = house.key("read_metrics");
    assert_eq!(house.peppers(), ["1 newest 1", "null older 2"]);
    let server = house.serve().await;
    for _ in 0..3 {
        works(&server, &used.1).await;
    }
    house.come_to(&["1 newest 2", "null older 1"]).await;
    works(&server, &used.1).await;
    assert_eq!(house.ids_under("none"), [idle.0.as_str()]);
    drop(server);

    // The second: the same again from either.
    house.told(&[TWO, ONE]);
    let server = house.serve().await;
    works(&server, &used.1).await;
    house.come_to(&["2 newest 1", "1 older 1", "null older 1"]).await;
    assert_eq!(house.ids_under("1"), [lazy.0.as_str()]);
    let (standing, state) = house.doctor();
    assert_eq!(standing, "ok");
    assert!(state.contains("1 under pepper 1, 1 under none"), "{state}");
    works(&server, &idle.1).await;
    house.come_to(&["2 newest 2", "1 older 1", "null older 0"]).await;
    drop(server);

    // The first goes, although something is left under it: named, and refused.
    house.told(&[TWO]);
    assert_eq!(house.peppers(), ["2 newest 2", "null older 0", "1 not_configured 1"]);
    let (standing, state) = house.doctor();
    assert_eq!(standing, "broken");
    assert!(state.contains("1 under pepper 1"), "{state}");
    let table = house.run(&["keys", "peppers"]).expect(0).stdout;
    assert!(table.contains("refused"), "{table}");
    let server = house.serve().await;
    server.client().with_key(&lazy.1).get(SYNC).await.problem(401, "invalid_key");
    for secret in [&used.1, &idle.1] {
        works(&server, secret).await;
    }
    eventually("the log says so", Duration::from_secs(20), || async {
        server.output().contains("pepper is not configured here: 1 under pepper 1")
    })
    .await;
    drop(server);

    // Named again, it was not lost; and what was never used can be given a new secret.
    house.told(&[TWO, ONE]);
    let server = house.serve().await;
    let (_, manager) = house.key("manage_keys,read_metrics");
    let renewed = rotate(&server.client().with_key(&manager), &lazy.0, "now").await;
    works(&server, &renewed).await;
    works(&server, &lazy.1).await;
    house.come_to(&["2 newest 4", "1 older 0", "null older 0"]).await;
    drop(server);

    // Now nothing but the pepper is taken any more, also if somebody writes a hash into the table.
    house.told(&[TWO]).plain = "refuse";
    assert_eq!(house.peppers(), ["2 newest 4"]);
    let planting = ["keys", "create", "--json", "--permission", "read_metrics"];
    let planted = Program::new(house.database.url(), planting).run().expect(0);
    let warning = "warning: this database has keys under pepper 2";
    assert!(planted.stderr.contains(warning), "{}", planted.stderr);
    let planted: Value = serde_json::from_str(&planted.stdout).unwrap();
    let planted = planted["api_key"].as_str().unwrap();
    assert_eq!(house.peppers(), ["2 newest 4", "null not_configured 1"]);
    let server = house.serve().await;
    server.client().with_key(planted).get(SYNC).await.problem(401, "invalid_key");
    for secret in [&used.1, &idle.1, &renewed, &lazy.1] {
        works(&server, secret).await;
    }
}

/// Each server is told of the new pepper before any uses it for new keys, and until then none moves a key to and fro.
/// The first pepper: whoever makes it known on all servers first has none on which a key dies.
#[tokio::test]
async fn several_servers_get_their_first_pepper_one_after_the_other() {
    let mut house = House::new().await;
    let before = house.key("read_metrics");
    let behind = house.told(&["none", ONE]).serve().await;
    let ahead = house.told(&[ONE]).serve().await;
    works(&ahead, &before.1).await;
    house.come_to(&["1 newest 1", "null older 0"]).await;
    let after = house.told(&[ONE]).key("read_metrics");
    house.run(&["keys", "change", &before.0, "--name", "renamed"]).expect(0);
    for _ in 0..3 {
        works(&behind, &before.1).await;
        works(&behind, &after.1).await;
    }
    let meanwhile = house.told(&["none", ONE]).key("read_metrics");
    works(&behind, &meanwhile.1).await;
    assert_eq!(
        house.peppers(),
        ["null newest 1", "1 older 2"],
        "nothing moves by who only knows it"
    );
    works(&ahead, &meanwhile.1).await;
}

#[tokio::test]
async fn several_servers_change_the_pepper_one_after_the_other() {
    let mut house = House::new().await;
    let before = house.told(&[ONE]).key("read_metrics");
    let behind = house.told(&[ONE, TWO]).serve().await;
    let ahead = house.told(&[TWO, ONE]).serve().await;
    works(&behind, &before.1).await;
    works(&ahead, &before.1).await;
    house.come_to(&["2 newest 1", "1 older 0", "null older 0"]).await;
    let meanwhile = house.told(&[ONE, TWO]).key("read_metrics");
    // What the one behind has in memory is forgotten, so that it asks anew.
    house.run(&["keys", "change", &before.0, "--name", "renamed"]).expect(0);
    for _ in 0..3 {
        for server in [&behind, &ahead] {
            works(server, &before.1).await;
        }
    }
    works(&behind, &meanwhile.1).await;
    assert_eq!(house.peppers(), ["1 newest 1", "2 older 1", "null older 0"], "none went back");
    works(&ahead, &meanwhile.1).await;
    house.come_to(&["1 newest 0", "2 older 2", "null older 0"]).await;
}

#[tokio::test]
async fn secrets_that_wait_or_drain_survive_a_change_of_the_pepper() {
    let mut house = House::new().await;
    let [draining, waiting] = [house.key("read_metrics"), house.key("read_metrics")];
    let (_, manager) = house.key("manage_keys,read_metrics");
    let server = house.told(&[ONE]).serve().await;
    let by = server.client().with_key(&manager);
    let next = rotate(&by, &draining.0, "now").await;
    let pending = rotate(&by, &waiting.0, "first_use").await;
    drop(server);

    let server = house.told(&[TWO, ONE]).serve().await;
    works(&server, &draining.1).await;
    works(&server, &next).await;
    works(&server, &waiting.1).await;
    works(&server, &pending).await;
    let by = server.client().with_key(&manager);
    for (id, hint) in [(&draining.0, &next), (&waiting.0, &pending)] {
        let shown = by.get(&format!("/api/devops/keys/{id}")).await.json();
        assert_eq!(shown["hint"], hint[..7]);
        assert!(shown["grace_until"].is_string(), "{shown}");
        assert!(shown.get("pending").is_none(), "{shown}");
    }
    house.come_to(&["2 newest 3", "1 older 0", "null older 0"]).await;
}

#[tokio::test]
async fn a_leak_is_known_under_whatever_pepper_its_secret_stands() {
    let mut house = House::new().await;
    let plain = house.key("read_metrics");
    let older = house.told(&[ONE]).key("read_metrics");
    let newest = house.told(&[TWO, ONE]).key("read_metrics");
    let by_command = house.told(&[ONE]).key("read_metrics");
    let server = house.told(&[TWO, ONE]).serve().await;
    for (_, secret) in [&plain, &older, &newest] {
        let report = json!({"secret": secret});
        server.client().post("/api/devops/keys/report-leak", &report).await.expect(200);
        server.client().with_key(secret).get(SYNC).await.problem(401, "key_disabled");
    }
    let report = || Program::new(house.database.url(), ["keys", "report-leak"]);
    // Told of no pepper, it cannot know, and says so.
    let unknown = report().run_with_input(&by_command.1).expect(1).stderr;
    assert!(unknown.contains("no key has") && unknown.contains("under pepper 1"), "{unknown}");
    let told = report().env("RR_KEY_PEPPERS", &house.peppers).run_with_input(&by_command.1);
    assert!(told.expect(0).stdout.contains(&by_command.0));
    server.client().with_key(&by_command.1).get(SYNC).await.problem(401, "key_disabled");
}

#[tokio::test]
async fn an_answer_that_goes_on_outlives_the_move_of_its_key() {
    let mut house = House::new().await;
    let (id, secret) = house.key("read_events");
    let server = house.told(&[ONE]).serve().await;
    let (_, sender) = house.key("write_webhooks");
    let reader = server.client().with_key(&secret);
    let mut stream = Follower::open(reader.get("/api/devops/stream")).await;
    house.come_to(&["1 newest 2", "null older 0"]).await;
    // With a change of the key the database is asked for it again.
    house.run(&["keys", "change", &id, "--name", "renamed"]).expect(0);
    let event = json!({"event_type": "alert"});
    server.client().with_key(&sender).post("/api/devops/webhook", &event).await.expect(200);
    assert!(stream.next_of("event").await.is_some());
}

#[tokio::test]
async fn a_pepper_that_cannot_be_one_stops_the_start_and_is_not_shown() {
    let mut house = House::new().await;
    let text = ONE.split_once(':').unwrap().1;
    let (twice, same) = (format!("1:{text}"), format!("3:{text}"));
    let short = format!("1:{}", &text[..12]);
    for (peppers, reason) in [
        (vec![text], "NUMBER:BASE64"),
        (vec![short.as_str()], "at least 16 bytes"),
        (vec![ONE, twice.as_str()], "two peppers 1"),
        (vec![ONE, same.as_str()], "are the same"),
        (vec!["1:%%%"], "base64"),
    ] {
        let refused = house.told(&peppers).run(&["serve"]).expect(78);
        let said = refused.stderr + &refused.stdout;
        assert!(said.contains("RR_KEY_PEPPERS") && said.contains(reason), "{said}");
        assert!(!said.contains(&text[..12]), "{said}");
    }
}

/// One write for all who come with a key at a time, and none of them waits for it.
#[tokio::test]
async fn a_key_is_moved_once_however_many_come_with_it() {
    let database = TestDatabase::migrated().await;
    let before = open_store(database.url());
    let pepper = HashScheme::hmac_sha256(&[1; 32]).unwrap();
    let schemes = KeySchemes::with_peppers(vec![(1, pepper)], true);
    let store = open_store_like(database.url(), |options| options.key_schemes = schemes);
    let app = TestApp::with_store(database, store, |_| {});
    let keys = [
        app.with_key_of(&before, &["read_metrics"], |_| {}).await,
        app.with_key_of(&before, &["read_metrics"], |_| {}).await,
    ];
    let writes = app.store().stats().jobs;
    for _ in 0..3 {
        let uses = keys.iter().cycle().take(32).map(|key| async { key.get(SYNC).await.code() });
        assert_eq!(futures_util::future::join_all(uses).await, [200; 32]);
    }
    eventually("both are moved", Duration::from_secs(20), || async {
        let uses = app.store().pepper_uses(app.clock.now()).await.unwrap();
        uses.iter().map(|left| left.keys).eq([2, 0])
    })
    .await;
    for key in &keys {
        key.get(SYNC).await.expect(200);
    }
    assert_eq!(app.store().stats().jobs - writes, 2);
}
