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

/// Who asks for the past must not be given the present for it; what old clients append to get round caches says
/// nothing about the figures.
#[tokio::test]
async fn both_ways_refuse_an_instant_and_pass_over_what_gets_round_caches() {
    for app in [demo(false).await, demo(true).await] {
        let key = app.with_key(&["read_metrics"]).await;
        for path in PATHS.into_iter().chain(["/your-existing-api/dashboard"]) {
            let present = ask(&key, "GET", path, &[]).await.expect(200).text();
            for query in ["?", "?_=1704067200", "?t=1&t=2", "?past=as_of"] {
                let answer = ask(&key, "GET", &format!("{path}{query}"), &[]).await.expect(200);
                assert_eq!(answer.text(), present, "{path}{query}");
            }
            for query in ["?as_of=2024-01-01T00:00:00Z", "?_=1&as_of", "?as%5Fof=x"] {
                let answer = ask(&key, "GET", &format!("{path}{query}"), &[]).await;
                let problem = answer.problem(400, "invalid_parameter");
                assert_eq!(problem["errors"][0]["pointer"], "as_of", "{path}{query}");
                let detail = problem["errors"][0]["detail"].as_str().unwrap();
                assert!(detail.contains("/api/devops/metrics/{name}?as_of="), "{detail}");
            }
        }
        let stranger = app.with_header("x-api-key", "rr_no_key");
        stranger.get("/api/devops/sync/users?as_of=2024-01-01").await.expect(401);
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
