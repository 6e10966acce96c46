//! What operators and tools ask: alive, ready, figures of the server itself, its own description.

use std::time::Duration;

use rr_tests::app::TestApp;
use rr_tests::database::TestDatabase;
use serde_json::json;

#[tokio::test]
async fn it_says_that_it_is_there() {
    let app = TestApp::init().await;
    let root = app.get("/").await.json();
    for member in ["status", "message", "version"] {
        assert!(root[member].is_string(), "{root}");
    }
    app.get("/healthz").await.expect(200);
    app.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn it_is_not_ready_before_its_tables_are_there() {
    let app = TestApp::on(TestDatabase::empty().await, |_| {});
    app.get("/healthz").await.expect(200);
    app.get("/readyz").await.problem(503, "not_migrated");
    app.store().migrate().await.unwrap();
    app.get("/readyz").await.expect(200);
}

#[tokio::test]
async fn it_counts_what_it_does() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics", "write_webhooks"]).await;
    key.get("/api/devops/sync/users").await.expect(200);
    key.post("/api/devops/webhook", &json!({})).await.expect(200);
    app.get("/api/devops/sync/users").await.expect(401);
    app.get("/nowhere-at-all").await.expect(404);
    let answer = key.get("/metrics").await.expect(200);
    let media_type = answer.header("content-type").unwrap();
    assert!(
        media_type.starts_with("text/plain") || media_type.starts_with("application/openmetrics"),
        "{media_type}"
    );
    let text = answer.text();
    for part in ["# TYPE", "route=\"/api/devops/sync/users\"", "status=\"401\"", "_bucket{"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    for family in ["queue", "batch", "cache", "request"] {
        assert!(text.contains(family), "nothing about {family} in\n{text}");
    }
    assert!(!text.contains("nowhere-at-all"), "a path that anyone may invent is no label");
    assert!(!text.contains(&key.secret));
    app.get("/metrics").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn it_describes_itself() {
    let app = TestApp::init().await;
    let document = app.get("/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    assert_eq!(document, serde_json::to_value(rr_http::openapi()).unwrap());

    // The page of the documentation loads nothing from elsewhere.
    let mut page = app.get("/docs").await;
    if page.status.is_redirection() {
        let there = page.header("location").unwrap().to_owned();
        page = app.get(&there).await;
    }
    let page = page.expect(200).text();
    assert!(page.contains("<html"), "{page}");
    assert!(!page.contains("//cdn") && !page.contains("https://"), "{page}");
}

#[tokio::test]
async fn while_it_stops_it_is_not_ready_and_takes_nothing_new() {
    let mut app = TestApp::init().await;
    let address = app.address().to_owned();
    assert!(app.stop(Duration::from_secs(5)).await);
    assert!(tokio::net::TcpStream::connect(&address).await.is_err(), "it still listens");
}
