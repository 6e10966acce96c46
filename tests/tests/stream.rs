//! `GET /api/devops/stream`: every event once and in order, whenever one comes, goes and comes back.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rr_http::Limits;
use rr_tests::app::{Key, TestApp};
use rr_tests::client::Client;
use rr_tests::database::TestDatabase;
use rr_tests::follow::{Follower, Frame, number};
use rr_tests::load::Load;
use rr_tests::process::{Program, make_key};
use rr_tests::proxy::eventually;
use rr_tests::raw::Raw;
use rr_tests::sql::rows;
use serde_json::{Value, json};

const STREAM: &str = "/api/devops/stream";
const READERS: &str = "rr_stream_readers";

async fn send(client: &Client, event_type: &str) -> String {
    let body = json!({"event_type": event_type});
    let answer = client.post("/api/devops/webhook", &body).await.json();
    answer["webhook_id"].as_str().unwrap().to_owned()
}

fn id_of(frame: &Frame) -> String {
    frame.json()["id"].as_str().unwrap().to_owned()
}

/// Everything stored, oldest first, by the numbers of the commits.
async fn stored(url: &str) -> Vec<(i64, String)> {
    let store = rr_tests::database::open_store(url);
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let rows = store.events_after(after).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.seq;
        all.extend(rows.iter().map(|row| (row.seq, row.id.to_string())));
    }
    store.close().await;
    all
}

fn numbered(frames: &[Frame]) -> Vec<(i64, String)> {
    let number = |frame: &Frame| frame.id.as_ref().unwrap().parse().unwrap();
    frames.iter().map(|frame| (number(frame), id_of(frame))).collect()
}

#[tokio::test]
async fn an_event_is_shown_as_in_the_list_as_soon_as_it_is_stored() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    let before = send(&key, "before").await;
    let mut follower = Follower::open(key.get(STREAM)).await;
    let body = "{\"event_type\":\"alert\",\r\n \"amount\": 1250.00, \"text\": \"a\\nb\"}";
    key.call("POST", "/api/devops/webhook").body("application/json", body).await.expect(200);
    let frame = follower.next_of("event").await.unwrap();
    assert_ne!(id_of(&frame), before, "what was before is not asked for");
    let list = key.get("/api/devops/events?limit=1").await;
    assert_eq!(frame.json(), list.json()["events"][0]);
    assert!(frame.data.as_ref().unwrap().contains("1250.00"), "as it was sent");

    let mut from_the_start = Follower::open(key.get(&format!("{STREAM}?after=0"))).await;
    assert_eq!(id_of(&from_the_start.next_news().await.unwrap()), before);
    assert_eq!(from_the_start.next_news().await.unwrap(), frame);
}

/// The property: while several write, one reads, loses the connection anywhere, comes back with the last id
/// that it saw, and has in the end every event exactly once and in the order of the commits.
#[tokio::test]
async fn whoever_comes_back_misses_nothing_and_sees_nothing_twice() {
    let app = TestApp::with_settings(|settings| {
        settings.workers = Some(2);
        // So little is kept in memory that most returns begin in the store.
        settings.limits = Limits { stream_tail_bytes: 8 << 10, ..settings.limits };
    })
    .await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    for seed in 0..4 {
        let mut dice = ChaCha20Rng::seed_from_u64(seed);
        let begin = stored(app.database.url()).await.last().map_or(0, |(seq, _)| *seq);
        let load = Load::start(&key, 6);
        let (mut seen, mut last_id) = (Vec::new(), begin.to_string());
        let mut visits = 0;
        while seen.len() < 300 {
            let call = match dice.random_range(0..3) {
                0 => key.get(STREAM).header("last-event-id", &last_id),
                1 => key.get(&format!("{STREAM}?Last-Event-ID={last_id}")),
                // The header goes before the address, which a browser keeps from the beginning.
                _ => key.get(&format!("{STREAM}?after={begin}")).header("last-event-id", &last_id),
            };
            let mut follower = Follower::open(call).await;
            for _ in 0..dice.random_range(0..40) {
                // A reader this slow is let go now and then, which is one more way to lose it.
                let Some(frame) = follower.next_news().await else { break };
                seen.push(frame);
            }
            last_id = follower.last_id.clone().unwrap();
            visits += 1;
            if dice.random_range(0..4) == 0 {
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        }
        let acknowledged = load.stop().await.acknowledged.len();
        let mut all = stored(app.database.url()).await;
        all.retain(|(seq, _)| *seq > begin);
        assert!(all.len() >= acknowledged);
        let rest = all.len().saturating_sub(seen.len());
        let mut follower = Follower::open(key.get(STREAM).header("last-event-id", &last_id)).await;
        while seen.len() < all.len() {
            match follower.next_news().await {
                Some(frame) => seen.push(frame),
                None => {
                    let id = follower.last_id.clone().unwrap();
                    follower = Follower::open(key.get(STREAM).header("last-event-id", &id)).await;
                }
            }
        }
        assert_eq!(numbered(&seen), all, "{visits} visits, {rest} at the end");
    }
}

/// Two real servers: an event that one takes is seen at both, and a reader goes on at the other.
#[tokio::test]
async fn every_server_shows_everything_also_after_a_restart() {
    let database = TestDatabase::migrated().await;
    let serve = || Program::new(database.url(), ["serve"]).serve();
    let (one, mut two) = (serve().await, serve().await);
    let (_, secret) = make_key(database.url(), &["write_webhooks", "read_events"]);
    let at = |client: Client| client.with_key(&secret);
    let mut here = Follower::open(at(one.client()).get(STREAM)).await;
    let mut there = Follower::open(at(two.client()).get(STREAM)).await;
    for number in 0..20 {
        let server = if number % 3 == 0 { &two } else { &one };
        let id = send(&at(server.client()), "everywhere").await;
        assert_eq!(id_of(&here.next_news().await.unwrap()), id);
        assert_eq!(id_of(&there.next_news().await.unwrap()), id);
    }
    two.kill();
    assert_eq!(there.next().await, None);
    let missed = [send(&at(one.client()), "meanwhile").await, send(&at(one.client()), "too").await];
    let last = there.last_id.unwrap();
    let again = serve().await;
    let mut there =
        Follower::open(at(again.client()).get(STREAM).header("last-event-id", &last)).await;
    for id in missed {
        assert_eq!(id_of(&there.next_news().await.unwrap()), id);
    }
}

#[tokio::test]
async fn filters_leave_out_the_rest_and_the_place_moves_on() {
    let app = TestApp::with_settings(|settings| {
        settings.limits = Limits { stream_beat: Duration::from_millis(100), ..settings.limits };
    })
    .await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    for query in ["type=alert", "source=pager", "type=alert&source=pager"] {
        let mut follower = Follower::open(key.get(&format!("{STREAM}?{query}"))).await;
        let body = json!({"event_type": "alert", "source": "pager"});
        send(&key, "deployment").await;
        key.post("/api/devops/webhook", &body).await.expect(200);
        send(&key, "deployment").await;
        let frame = follower.next_news().await.unwrap();
        assert_eq!(frame.json()["event_type"], "alert", "{query}");
        // The last event was left out. Coming back, one need not look through it again.
        let beyond = frame.id.as_ref().unwrap().parse::<i64>().unwrap() + 1;
        let sign = loop {
            let sign = follower.next().await.unwrap();
            assert_eq!(sign.data, None);
            if sign.id.is_some() {
                break sign;
            }
        };
        assert_eq!(sign.id, Some(beyond.to_string()));
        assert_eq!(follower.next().await.unwrap(), Frame::default(), "a mere sign of life");
    }
}

/// What is left out is no sign of life, however much of it there is: a reader hears all the while that the
/// server lives and how far it has looked, and the server notices that a reader is gone.
#[tokio::test]
async fn a_reader_is_given_signs_of_life_while_everything_is_left_out() {
    let app = TestApp::with_settings(|settings| {
        settings.limits = Limits { stream_beat: Duration::from_millis(500), ..settings.limits };
    })
    .await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    let meter = app.with_key(&["read_metrics"]).await;
    let mut follower = Follower::open(key.get(&format!("{STREAM}?type=never"))).await;
    let load = Load::start(&key, 2);
    let mut places: Vec<i64> = Vec::new();
    while places.len() < 3 {
        let sign = follower.next().await.unwrap();
        assert_eq!((&sign.event, &sign.data), (&None, &None));
        places.extend(sign.id.map(|id| id.parse::<i64>().unwrap()));
    }
    assert!(places.is_sorted_by(|one, next| one < next), "{places:?}");
    drop(follower);
    eventually("its place is free", Duration::from_secs(20), async || {
        number(&meter, READERS).await == 0
    })
    .await;
    load.stop().await;
}

/// Who follows the events while the database is in trouble begins anew afterwards, and the figures that
/// changed meanwhile are told to everybody who was shown others.
#[tokio::test]
async fn figures_that_changed_while_nobody_looked_are_told() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_events", "read_metrics"]).await;
    let mut follower = Follower::open(key.get(STREAM)).await;
    let first = follower.next_of("figures").await.unwrap().json();
    assert_eq!(first["users"]["total_users"], 0);
    let url = app.database.url();
    rows(url, "ALTER TABLE events RENAME TO events_elsewhere").await;
    // Time enough to stumble over it, and to begin anew with the changed figures.
    let second = Duration::from_secs(1);
    tokio::time::sleep(second).await;
    app.create_user("unseen@example.com", "member", None).await;
    tokio::time::sleep(second).await;
    rows(url, "ALTER TABLE events_elsewhere RENAME TO events").await;
    let change = follower.next_of("figures").await.unwrap().json();
    assert_eq!(change["users"]["total_users"], 1);
}

#[tokio::test]
async fn figures_come_whole_at_first_and_then_what_changed() {
    let app = TestApp::init().await;
    let blind = app.with_key(&["read_events", "write_webhooks"]).await;
    let key = app.with_key(&["read_events", "read_metrics"]).await;
    for credential in [&*key, &app.as_admin().await] {
        let mut follower = Follower::open(credential.get(STREAM)).await;
        let all = follower.next_news().await.unwrap();
        assert_eq!(all.event.as_deref(), Some("figures"));
        for name in ["users", "revenue", "commissions"] {
            let body = key.get(&format!("/api/devops/sync/{name}")).await.json();
            assert_eq!(all.json()[name], body);
        }
        assert_eq!(all.json()["dashboard"], key.get("/api/devops/dashboard").await.json());
        let total = all.json()["users"]["total_users"].as_u64().unwrap();
        app.create_user(&format!("user-{total}@example.com"), "member", None).await;
        let change = follower.next_of("figures").await.unwrap().json();
        assert_eq!(change["users"]["total_users"], total + 1);
        let names: Vec<_> = change.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["dashboard", "users"]);
    }
    let mut follower = Follower::open(blind.get(STREAM)).await;
    app.create_user("one-more@example.com", "member", None).await;
    let id = send(&blind, "an event").await;
    assert_eq!(id_of(&follower.next_news().await.unwrap()), id, "and no figures");
}

/// What ends a key ends what it is following, before the change is answered: no later event is shown.
#[tokio::test]
async fn the_end_of_a_credential_is_the_end_of_its_stream() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let sender = app.with_key(&["write_webhooks"]).await;
    let neighbour = app.with_key(&["read_events"]).await;
    let mut bystander = Follower::open(neighbour.get(STREAM)).await;
    let change =
        |key: &Key, body: Value| admin.patch(&format!("/api/devops/keys/{}", key.id), &body);
    for end in 0..5 {
        let key = app.with_key(&["read_events"]).await;
        let path = format!("/api/devops/keys/{}", key.id);
        let mut follower = Follower::open(key.get(STREAM)).await;
        let first = send(&sender, "before").await;
        assert_eq!(id_of(&follower.next_news().await.unwrap()), first);
        match end {
            0 => admin.delete(&path).await.expect(204),
            1 => change(&key, json!({"enabled": false})).await.expect(200),
            2 => change(&key, json!({"permissions": ["read_metrics"]})).await.expect(200),
            3 => admin.post(&format!("{path}/rotate"), &json!({"grace_s": 0})).await.expect(200),
            _ => {
                let body = json!({"secret": key.secret, "url": "https://example.com/"});
                app.post("/api/devops/keys/report-leak", &body).await.expect(200)
            }
        };
        let second = send(&sender, "after").await;
        assert_eq!(follower.next_news().await, None, "case {end}");
        for id in [first, second] {
            assert_eq!(id_of(&bystander.next_news().await.unwrap()), id, "others go on");
        }
    }

    let mut follower = Follower::open(admin.get(STREAM)).await;
    let other = app.as_admin().await;
    let mut still = Follower::open(other.get(STREAM)).await;
    assert!(follower.next_of("figures").await.is_some());
    admin.call("POST", "/api/auth/logout").await.expect(204);
    let id = send(&sender, "after").await;
    assert_eq!(follower.next_of("event").await, None);
    assert_eq!(id_of(&still.next_of("event").await.unwrap()), id);
}

#[tokio::test]
async fn a_key_that_expires_ends_its_stream() {
    let app = TestApp::init().await;
    let hour = Duration::from_secs(3600);
    let end = app.clock.now().plus(hour).to_system_time();
    let key = app.with_key_like(&["read_events"], |record| record.expires_at = Some(end)).await;
    let mut follower = Follower::open(key.get(STREAM)).await;
    app.clock.advance(hour);
    assert_eq!(follower.next().await, None);
    key.get(STREAM).await.problem(401, "key_expired");
}

/// A client that takes nothing is cut, one that is too far behind is let go, and neither is noticed by
/// the others.
#[tokio::test]
async fn a_slow_reader_is_dropped_and_the_others_are_not() {
    let app = TestApp::with_settings(|settings| {
        let second = Duration::from_secs(1);
        settings.limits = Limits { write_stall: second, write_rate: 1 << 20, ..settings.limits };
    })
    .await;
    let key = app.with_key(&["read_events", "write_webhooks"]).await;
    let meter = app.with_key(&["read_metrics"]).await;
    let mut stalled = Raw::connect(app.address()).await;
    let head =
        format!("GET {STREAM} HTTP/1.1\r\nHost: localhost\r\nx-api-key: {}\r\n\r\n", key.secret);
    stalled.send(head).await;
    let mut follower = Follower::open(key.get(STREAM)).await;
    let short = Duration::from_secs(5);
    eventually("both follow", short, async || number(&meter, READERS).await == 2).await;
    let body = json!({"event_type": "large", "text": "x".repeat(250_000)});
    let mut sent = Vec::new();
    for _ in 0..64 {
        let answer = key.post("/api/devops/webhook", &body).await.json();
        sent.push(answer["webhook_id"].as_str().unwrap().to_owned());
        assert_eq!(&id_of(&follower.next_news().await.unwrap()), sent.last().unwrap());
    }
    let limit = Duration::from_secs(60);
    eventually("it is dropped", limit, async || number(&meter, READERS).await == 1).await;
    let id = send(&key, "small").await;
    assert_eq!(id_of(&follower.next_news().await.unwrap()), id);
}

/// One that is further behind than what is kept in memory is let go, and goes on from where it was.
#[tokio::test]
async fn who_falls_behind_is_let_go_and_comes_back() {
    let app = TestApp::with_settings(|settings| {
        // A slow machine must not make it a client that takes nothing.
        let write_stall = Duration::from_secs(60);
        settings.limits = Limits { stream_tail_bytes: 8 << 10, write_stall, ..settings.limits };
    })
    .await;
    let key = app.with_key(&["read_events", "write_webhooks"]).await;
    let meter = app.with_key(&["read_metrics"]).await;
    let mut slow = Follower::open(key.get(STREAM)).await;
    let first = send(&key, "first").await;
    assert_eq!(id_of(&slow.next_news().await.unwrap()), first);
    let body = json!({"event_type": "large", "text": "x".repeat(250_000)});
    let mut sent = Vec::new();
    for _ in 0..64 {
        let answer = key.post("/api/devops/webhook", &body).await.json();
        sent.push(answer["webhook_id"].as_str().unwrap().to_owned());
    }
    // The server may still be reading what came, and then go too fast for one that is back as well.
    let (mut seen, mut let_go) = (Vec::new(), 0);
    while seen.len() < sent.len() {
        match slow.next_news().await {
            Some(frame) => seen.push(id_of(&frame)),
            None => {
                let_go += 1;
                let last_id = slow.last_id.unwrap();
                slow = Follower::open(key.get(STREAM).header("last-event-id", &last_id)).await;
            }
        }
    }
    assert_eq!(seen, sent);
    assert!(let_go > 0, "it was not let go");
    assert_eq!(number(&meter, "rr_stream_dropped_total").await, let_go);
}

#[tokio::test]
async fn there_are_only_so_many_places() {
    let app = TestApp::with_settings(|settings| {
        settings.limits =
            Limits { stream_readers: 3, stream_readers_per_caller: 2, ..settings.limits };
    })
    .await;
    let one = app.with_key(&["read_events"]).await;
    let two = app.with_key(&["read_events"]).await;
    let first = Follower::open(one.get(STREAM)).await;
    let _second = Follower::open(one.get(STREAM)).await;
    let refused = one.get(STREAM).await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit"), Some(r#""streams";r=0;t=5"#));
    let policy = refused.header("ratelimit-policy").unwrap();
    assert_eq!(policy, r#""streams";q=2;qu="concurrent-requests""#);
    let _third = Follower::open(two.get(STREAM)).await;
    two.get(STREAM).await.problem(503, "busy");
    drop(first);
    // The server notices at the latest with the next sign of life; an event makes it sooner.
    let sender = app.with_key(&["write_webhooks"]).await;
    eventually("its place is free", Duration::from_secs(20), async || {
        send(&sender, "a knock").await;
        Follower::try_open(two.get(STREAM)).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn streams_end_in_order_when_the_server_stops() {
    let mut app = TestApp::init().await;
    let key = app.with_key(&["read_events", "write_webhooks"]).await;
    let mut follower = Follower::open(key.get(STREAM)).await;
    let id = send(&key, "the last").await;
    assert_eq!(id_of(&follower.next_news().await.unwrap()), id);
    assert!(app.stop(Duration::from_secs(10)).await, "all that was accepted was finished");
    assert_eq!(follower.next().await, None);
}

#[tokio::test]
async fn a_place_that_does_not_exist_is_refused() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_events"]).await;
    for (query, name) in [
        ("after=1", "after"),
        ("Last-Event-ID=1", "Last-Event-ID"),
        ("after=-1", "after"),
        ("after=x", "after"),
        ("Last-Event-ID=x", "Last-Event-ID"),
        ("after=0&after=0", "after"),
        ("type=%00", "type"),
        ("limit=5", "limit"),
    ] {
        let answer = key.get(&format!("{STREAM}?{query}")).await;
        let problem = answer.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["pointer"], name, "{query}: {problem}");
    }
    for (sent, why) in [
        ("abc", "Last-Event-ID must be the id of an event of this stream."),
        ("1", "Last-Event-ID is later than the last event of this server."),
    ] {
        let answer = key.get(STREAM).header("last-event-id", sent).await;
        assert_eq!(answer.problem(400, "invalid_header")["detail"], why);
    }
    let head = key.call("HEAD", STREAM).await.expect(200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("cache-control"), Some("no-store"));
    let elsewhere = app.as_admin().await.get(STREAM).header("sec-fetch-site", "cross-site").await;
    elsewhere.problem(403, "cross_site_request");
}
