//! Figures for keys are answered by a way of their own. It says what the handlers say, to the byte.

use rr_tests::app::{Key, TestApp};
use rr_tests::client::Answer;
use rr_tests::database::TestDatabase;
use rr_tests::process::Program;
use serde_json::json;

const PATHS: [&str; 4] = [
    "/api/devops/sync/users",
    "/api/devops/sync/revenue",
    "/api/devops/sync/commissions",
    "/api/devops/dashboard",
];

/// The demo. Where pages of other origins are let in, every request goes through the application.
async fn demo(lets_origins_in: bool) -> TestApp {
    let database = TestDatabase::migrated().await;
    Program::new(database.url(), ["seed", "--demo"]).run().expect(0);
    TestApp::on(database, |settings| {
        if lets_origins_in {
            settings.cors_origins = vec!["https://tools.example.com".to_owned()];
        }
    })
}

/// What was answered, but for the time of sending and for what only the long way has to say.
fn said(answer: &Answer) -> (u16, Vec<(&str, &str)>, String) {
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value));
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !["date", "vary", "access-control-expose-headers"].contains(name))
        .map(|(name, value)| (name, value.to_str().unwrap()))
        .collect();
    headers.sort_unstable();
    (answer.code(), headers, answer.text())
}

/// Asks twice and gives the second answer: by then key and figures are in memory.
async fn ask(key: &Key, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let call = || {
        let call = key.call(method, path).header("x-request-id", "the-same");
        headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    };
    call().await;
    call().await
}

#[tokio::test]
async fn both_ways_say_the_same() {
    let (short, long) = (demo(false).await, demo(true).await);
    for permissions in [&["read_metrics"][..], &["read_users"], &[]] {
        let (one, other) = (short.with_key(permissions).await, long.with_key(permissions).await);
        let tag = ask(&one, "GET", PATHS[0], &[]).await.header("etag").unwrap_or("none").to_owned();
        for path in PATHS {
            for (method, headers) in [
                ("GET", &[][..]),
                ("GET", &[("if-none-match", tag.as_str())]),
                ("GET", &[("cookie", "theme=dark"), ("accept", "text/csv")]),
                ("GET", &[("authorization", "Bearer another")]),
                ("HEAD", &[]),
                ("POST", &[]),
                ("OPTIONS", &[]),
            ] {
                let answers = [
                    ask(&one, method, path, headers).await,
                    ask(&other, method, path, headers).await,
                ];
                let [one, other] = answers.each_ref().map(said);
                assert_eq!(one, other, "{method} {path} {headers:?} {permissions:?}");
            }
        }
    }
}

#[tokio::test]
async fn both_ways_keep_to_the_limits_and_tell_them() {
    let mut told = Vec::new();
    for app in [demo(false).await, demo(true).await] {
        let admin = app.as_admin().await;
        let body = json!({"rate_limit": {"limit": 3, "window_s": 60}, "quotas": {"day": 100}});
        let made = admin.post("/api/devops/generate-key", &body).await.expect(200).json();
        let key = app.with_header("x-api-key", made["api_key"].as_str().unwrap());
        let mut answers = Vec::new();
        for path in PATHS {
            let answer = key.get(path).header("x-request-id", "the-same").await;
            let (code, headers, text) = said(&answer);
            answers.push(format!("{code} {headers:?} {text}"));
        }
        assert!(answers[3].starts_with("429"), "{}", answers[3]);
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
}
