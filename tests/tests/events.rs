//! `GET /api/devops/events`: order, pages, filters; `POST /api/devops/metrics` writes into the same.

use std::time::Duration;

use rr_tests::app::TestApp;
use serde_json::{Value, json};

const EVENTS: &str = "/api/devops/events";

fn types(page: &Value) -> Vec<String> {
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
}

async fn fill(app: &TestApp, names: &[&str]) {
    let key = app.with_key(&["write_webhooks"]).await;
    for name in names {
        key.post("/api/devops/webhook", &json!({"event_type": name})).await.expect(200);
        app.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn events_come_newest_first_in_pages_that_neither_skip_nor_repeat() {
    let app = TestApp::init().await;
    let names: Vec<String> = (0..7).map(|number| format!("e{number}")).collect();
    fill(&app, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let reader = app.with_key(&["read_events"]).await;
    let mut expected = names.clone();
    expected.reverse();

    let mut seen = Vec::new();
    let mut path = format!("{EVENTS}?limit=3");
    loop {
        let page = reader.get(&path).await.json();
        seen.extend(types(&page));
        // An event that arrives while somebody pages belongs to no later page.
        fill(&app, &["late"]).await;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{EVENTS}?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn events_of_one_instant_page_without_loss() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    for number in 0..5 {
        key.post("/api/devops/webhook", &json!({"number": number})).await.expect(200);
    }
    let mut seen = Vec::new();
    let mut path = format!("{EVENTS}?limit=1");
    loop {
        let page = key.get(&path).await.json();
        seen.push(page["events"][0]["data"]["number"].as_u64().unwrap());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{EVENTS}?limit=1&cursor={cursor}");
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let app = TestApp::init().await;
    fill(&app, &["alert", "deployment", "alert"]).await;
    let reader = app.with_key(&["read_events"]).await;
    for (query, expected) in [
        ("", vec!["alert", "deployment", "alert"]),
        ("?type=alert", vec!["alert", "alert"]),
        ("?type=deployment", vec!["deployment"]),
        ("?type=none", vec![]),
        ("?source=none", vec![]),
        ("?from=2026-01-15T12:00:01Z", vec!["alert", "deployment"]),
        ("?to=2026-01-15T12:00:01Z", vec!["alert"]),
        ("?from=2026-01-15T12:00:01Z&to=2026-01-15T12:00:02Z", vec!["deployment"]),
        ("?from=2026-01-15T13:00:01%2B01:00", vec!["alert", "deployment"]),
        ("?limit=1000", vec!["alert", "deployment", "alert"]),
    ] {
        let page = reader.get(&format!("{EVENTS}{query}")).await.json();
        assert_eq!(types(&page), expected, "{query}");
        assert_eq!(page["next_cursor"], Value::Null, "{query}");
    }
}

#[tokio::test]
async fn the_default_page_has_fifty() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    for number in 0..51 {
        key.post("/api/devops/webhook", &json!({"number": number})).await.expect(200);
    }
    let page = key.get(EVENTS).await.json();
    assert_eq!(page["events"].as_array().unwrap().len(), 50);
    assert!(page["next_cursor"].is_string());
}

#[tokio::test]
async fn what_an_event_shows() {
    let app = TestApp::init().await;
    fill(&app, &["alert"]).await;
    let reader = app.with_key(&["read_events"]).await;
    let page = reader.get(EVENTS).await.json();
    let event = page["events"][0].as_object().unwrap();
    for member in ["id", "event_type", "source", "occurred_at", "received_at", "data"] {
        assert!(event.contains_key(member), "{member}");
    }
    assert_eq!(event["data"], json!({"event_type": "alert"}));
}

#[tokio::test]
async fn the_scripts_metrics_are_events() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    let body = r#"{"event":"revenue_generated","data":{"source":"ab_optimizer","amount":1250.00,"details":{}},"timestamp":"2026-01-15T11:00:00Z"}"#;
    let bearer = app.with_header("authorization", &format!("Bearer {}", key.secret));
    let answer =
        bearer.call("POST", "/api/devops/metrics").body("application/json", body).await.json();
    assert_eq!(answer["status"], "success");
    let page = key.get(EVENTS).await.expect(200);
    assert_eq!(types(&page.json()), ["revenue_generated"]);
    assert!(page.text().contains("1250.00"), "the amount is shown as it was sent");
}
