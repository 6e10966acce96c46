//! `GET /api/devops/config`, which the DevOps module's script reads, and the users page.

use std::time::Duration;

use rr_tests::app::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn the_script_gets_its_switches_and_addresses_and_no_secrets() {
    let app = TestApp::with_settings(|settings| {
        settings.public_url = Some("https://devops.example.com".to_owned());
        settings.webhook_secrets =
            vec![rr_webhooks::WebhookSecret::parse("never to be shown to anyone").unwrap()];
    })
    .await;
    let key = app.with_key(&["read_metrics", "write_webhooks"]).await;
    let answer = key.get("/api/devops/config").await;
    assert!(!answer.text().contains("never to be shown"));
    let body = answer.json();
    assert_eq!(body["status"], "success");
    let data = &body["data"];
    assert_eq!(data["enabled"], true);
    let agents = json!({
        "revenue_tracking": true, "ab_testing": true, "kpi_monitoring": true,
        "deployment": true, "analytics": true,
    });
    assert_eq!(data["agents"], agents);
    assert!(data["site_url"].as_str().unwrap().starts_with("https://devops.example.com"));
    assert!(data["admin_url"].as_str().unwrap().starts_with("https://devops.example.com/admin"));
    assert_eq!(data.as_object().unwrap().len(), 4, "nothing else is handed out: {data}");
}

/// The address is the one listened on, whatever a caller calls the server.
#[tokio::test]
async fn without_a_public_address_it_is_the_one_listened_on() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    for host in [None, Some("evil.example"), Some("evil.example/<script>")] {
        let call = key.get("/api/devops/config");
        let call = match host {
            Some(host) => call.header("host", host),
            None => call,
        };
        let data = call.await.json()["data"].clone();
        assert_eq!(data["site_url"], app.base(), "{host:?}");
        assert_eq!(data["admin_url"], format!("{}/admin/embedded-widget", app.base()));
    }
}

#[tokio::test]
async fn an_administrator_throws_the_switches() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let key = app.with_key(&["read_metrics", "manage_keys"]).await;
    let path = "/api/devops/config";
    let change = json!({"agents": {"analytics": false, "ab_testing": false}});
    let now = admin.patch(path, &change).await.json();
    assert_eq!(now["data"]["agents"]["analytics"], false);
    let change = json!({"agents": {"ab_testing": true}});
    admin.patch(path, &change).await.expect(200);
    let agents = key.get(path).await.json()["data"]["agents"].clone();
    let expected = json!({
        "revenue_tracking": true, "ab_testing": true, "kpi_monitoring": true,
        "deployment": true, "analytics": false,
    });
    assert_eq!(agents, expected);
    key.patch(path, &change).await.problem(403, "not_administrator");
}

#[tokio::test]
async fn who_did_what_is_written_down() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let made = admin
        .post("/api/devops/generate-key", &json!({"name": "noted"}))
        .header("x-request-id", "the-request-that-made-it")
        .await
        .json();
    admin.delete(&format!("/api/devops/keys/{}", made["key_id"].as_str().unwrap())).await;
    let log = admin.get("/api/devops/activity").await.json();
    let rows = log["activity"].as_array().unwrap();
    let made = rows
        .iter()
        .find(|row| row["request_id"] == "the-request-that-made-it")
        .expect("a row of the request");
    assert!(made["actor"].as_str().unwrap().starts_with("administrator:"), "{made}");
    assert_eq!(made["at"], app.clock.now().to_string());
    assert_eq!(made["address"], "127.0.0.1");
    let actions: Vec<&str> = rows.iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert!(actions.iter().any(|action| action.contains("revoke")), "{actions:?}");
    assert!(actions.iter().any(|action| action.contains("session")), "{actions:?}");
}

#[tokio::test]
async fn users_are_listed_newest_first_in_pages() {
    let app = TestApp::init().await;
    for number in 0..5 {
        app.create_user(&format!("User{number}@Example.com"), "member", None).await;
        app.clock.advance(Duration::from_secs(1));
    }
    let reader = app.with_key(&["read_users"]).await;
    let mut seen = Vec::new();
    let mut path = "/api/devops/users?limit=2".to_owned();
    loop {
        let page = reader.get(&path).await.json();
        for user in page["users"].as_array().unwrap() {
            assert_eq!(user["role"], "member");
            assert_eq!(user["status"], "active");
            assert!(user.get("password_hash").is_none(), "{user}");
            seen.push(user["email"].as_str().unwrap().to_owned());
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/devops/users?limit=2&cursor={cursor}");
    }
    let expected: Vec<String> =
        (0..5).rev().map(|number| format!("user{number}@example.com")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn users_can_be_narrowed() {
    let app = TestApp::demo().await;
    let reader = app.with_key(&["read_users"]).await;
    for (query, count) in [("", 2), ("?role=admin", 1), ("?status=active", 2), ("?role=none", 0)] {
        let page = reader.get(&format!("/api/devops/users{query}")).await.json();
        assert_eq!(page["users"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(page["next_cursor"], Value::Null);
    }
}
