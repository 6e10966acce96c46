//! Keys with several rate limits that hold together.

use std::time::Duration;

use rr_tests::app::TestApp;
use serde_json::{Value, json};

const GENERATE: &str = "/api/devops/generate-key";
const SYNC: &str = "/api/devops/sync/users";

fn window(name: &str, limit: u32, window_s: u32) -> Value {
    json!({"name": name, "limit": limit, "window_s": window_s})
}

#[tokio::test]
async fn a_request_must_fit_into_every_window_and_a_refused_one_uses_up_none() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let windows = json!([window("burst", 2, 10), window("sustained", 5, 3600)]);
    let body = json!({"rate_limits": windows, "quotas": {"day": 100}});
    let made = admin.post(GENERATE, &body).await.expect(200).json();
    let kept = admin.get(&format!("/api/devops/keys/{}", made["key_id"].as_str().unwrap())).await;
    assert_eq!(kept.json()["rate_limits"], windows);
    assert_eq!(kept.json().get("rate_limit"), None, "no window is called default");

    let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
    key.get(SYNC).await.expect(200);
    let last = key.get(SYNC).await.expect(200);
    let told = |burst: &str, sustained: &str, day: u32| {
        format!("\"burst\";{burst}, \"sustained\";{sustained}, \"quota-day\";r={day};t=43200")
    };
    assert_eq!(last.header("ratelimit").unwrap(), told("r=0;t=10", "r=3;t=1440", 98));
    let policy = "\"burst\";q=2;w=10, \"sustained\";q=5;w=3600, \"quota-day\";q=100;w=86400";
    assert_eq!(last.header("ratelimit-policy"), Some(policy));
    for _ in 0..20 {
        let refused = key.get(SYNC).await;
        refused.problem(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), Some("5"));
        assert_eq!(refused.header("ratelimit").unwrap(), told("r=0;t=10", "r=3;t=1440", 98));
        assert_eq!(refused.header("ratelimit-policy"), Some(policy));
    }
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(5));
        key.get(SYNC).await.expect(200);
    }
    // The burst has room again; now it is the other that refuses, and for longer.
    app.clock.advance(Duration::from_secs(5));
    let refused = key.get(SYNC).await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("700"));
}

#[tokio::test]
async fn windows_are_set_changed_and_taken_away() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let body = json!({"rate_limit": {"limit": 3, "window_s": 3600}});
    let made = admin.post(GENERATE, &body).await.expect(200).json();
    let path = format!("/api/devops/keys/{}", made["key_id"].as_str().unwrap());
    let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
    let left = async || key.get(SYNC).await.header("ratelimit").map(str::to_owned);
    assert_eq!(left().await.unwrap(), "\"default\";r=2;t=1200");

    let both = json!({"rate_limits": [window("burst", 9, 1), window("default", 3, 3600)]});
    let shown = admin.patch(&path, &both).await.expect(200).json();
    assert_eq!(shown["rate_limits"], both["rate_limits"]);
    assert_eq!(shown["rate_limit"], body["rate_limit"], "the one called default");
    assert_eq!(left().await.unwrap(), "\"burst\";r=8;t=1, \"default\";r=1;t=2400");
    admin.patch(&path, &json!({"name": "another"})).await.expect(200);
    assert_eq!(left().await.unwrap(), "\"burst\";r=7;t=1, \"default\";r=0;t=3600");
    key.get(SYNC).await.problem(429, "rate_limited");

    let one = json!({"rate_limit": {"limit": 4, "window_s": 3600}});
    let shown = admin.patch(&path, &one).await.expect(200).json();
    assert_eq!(shown["rate_limits"], json!([window("default", 4, 3600)]), "all that it has now");
    assert_eq!(left().await.unwrap(), "\"default\";r=0;t=3600", "three are outstanding");
    for none in
        [json!({"rate_limit": null}), json!({"rate_limits": null}), json!({"rate_limits": []})]
    {
        admin.patch(&path, &both).await.expect(200);
        let shown = admin.patch(&path, &none).await.expect(200).json();
        assert_eq!((shown.get("rate_limit"), shown.get("rate_limits")), (None, None), "{none}");
        assert_eq!(left().await, None);
    }
    let log = admin.get("/api/devops/activity?limit=1").await.json();
    let detail = &log["activity"][0]["detail"];
    assert_eq!(detail["before"]["rate_limits"], both["rate_limits"]);
    assert_eq!(detail["after"]["rate_limits"], json!([]));
}

#[tokio::test]
async fn an_answer_that_got_lost_makes_no_second_key_with_windows() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await.with_header("idempotency-key", "windows-1");
    let body = json!({"rate_limits": [window("burst", 9, 1)]});
    let made = admin.post(GENERATE, &body).await.expect(200).json();
    let again = admin.post(GENERATE, &body).await.problem(409, "already_created");
    assert_eq!(again["key_id"], made["key_id"]);
}

#[tokio::test]
async fn windows_that_cannot_be_name_their_fault() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics"]).await;
    let change = format!("/api/devops/keys/{}", key.id);
    let before = app.counts().await;
    let (a, b) = (window("a", 1, 1), window("b", 1, 1));
    let five = ["a", "b", "c", "d", "e"].map(|name| window(name, 1, 1));
    for (body, pointer) in [
        (json!({"rate_limits": 5}), "/rate_limits"),
        (json!({"rate_limits": [5]}), "/rate_limits/0"),
        (json!({"rate_limits": [{"limit": 1, "window_s": 1}]}), "/rate_limits/0/name"),
        (json!({"rate_limits": [a, window("A", 1, 1)]}), "/rate_limits/1/name"),
        (json!({"rate_limits": [window("quota-day", 1, 1)]}), "/rate_limits/0/name"),
        (json!({"rate_limits": [window("", 1, 1)]}), "/rate_limits/0/name"),
        (json!({"rate_limits": [window("seventeen-letters", 1, 1)]}), "/rate_limits/0/name"),
        (json!({"rate_limits": [a, b, a]}), "/rate_limits/2/name"),
        (json!({"rate_limits": [a, window("b", 0, 1)]}), "/rate_limits/1/limit"),
        (json!({"rate_limits": [window("a", 1, 2_678_401)]}), "/rate_limits/0/window_s"),
        (json!({"rate_limits": five}), "/rate_limits"),
        (json!({"rate_limits": [a], "rate_limit": {"limit": 1, "window_s": 1}}), "/rate_limits"),
    ] {
        for path in [GENERATE, &change] {
            let method = if path == GENERATE { "POST" } else { "PATCH" };
            let answer = admin.call(method, path).json(&body).await;
            let problem = answer.problem(422, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{method} {body}: {problem}");
        }
    }
    assert_eq!(app.counts().await, before);
}
