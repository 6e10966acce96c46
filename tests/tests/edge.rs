//! What every answer has in common: request ids, security headers, problems, CORS.

use rr_tests::app::TestApp;
use rr_tests::client::Answer;

/// One answer of every kind.
async fn answers(app: &TestApp) -> Vec<Answer> {
    let key = app.with_key(&["read_metrics"]).await;
    vec![
        app.get("/").await.expect(200),
        app.get("/healthz").await.expect(200),
        app.get("/openapi.json").await.expect(200),
        key.get("/api/devops/sync/users").await.expect(200),
        key.get("/api/devops/users").await.expect(403),
        app.get("/api/devops/sync/users").await.expect(401),
        app.get("/api/nothing").await.expect(404),
        app.get("/nothing").await.expect(404),
        app.call("DELETE", "/api/devops/sync/users").await.expect(405),
        app.call("POST", "/api/auth/login").await,
        app.call("POST", "/create-payment-intent").await.expect(503),
    ]
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let app = TestApp::init().await;
    let mut ids: Vec<String> = Vec::new();
    for answer in answers(&app).await {
        ids.push(answer.header("x-request-id").expect("X-Request-Id").to_owned());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_another_replaced() {
    let app = TestApp::init().await;
    for (sent, kept) in [
        ("a-request-of-ours-42", true),
        ("018f2b5e-0000-7000-8000-000000000001", true),
        ("", false),
        ("has a space", false),
        ("<script>alert(1)</script>", false),
        ("x\"y", false),
        (&*"x".repeat(500), false),
    ] {
        let answer = app.get("/healthz").header("x-request-id", sent).await.expect(200);
        let got = answer.header("x-request-id").unwrap();
        assert_eq!(got == sent, kept, "{sent} became {got}");
    }
}

#[tokio::test]
async fn every_answer_is_closed_to_what_a_browser_could_do_with_it() {
    let app = TestApp::init().await;
    for answer in answers(&app).await {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let policy = answer.header("content-security-policy").expect("a content security policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"));
        assert!(answer.header("server").is_none(), "a banner helps only attackers");
        assert!(answer.header("strict-transport-security").is_none(), "this is plain http");
        if let Some(media_type) = answer.header("content-type")
            && media_type.starts_with("text/")
        {
            assert!(media_type.contains("charset=utf-8"), "{media_type}");
        }
    }
}

#[tokio::test]
async fn served_over_https_it_stays_there() {
    let app = TestApp::with_settings(|settings| {
        settings.public_url = Some("https://devops.example.com".to_owned());
    })
    .await;
    for answer in answers(&app).await {
        let policy = answer.header("strict-transport-security").expect("HSTS");
        assert!(policy.contains("max-age=31536000") || policy.contains("max-age=63072000"));
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_problem() {
    let app = TestApp::init().await;
    for path in
        ["/api/nothing", "/api/", "/api/devops", "/nothing", "/.env", "/api/devops/keys/a/b"]
    {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            app.call(method, path).await.problem(404, "not_found");
        }
    }
    // On a raw connection, because a client would tidy these up before it asks.
    for path in
        ["/api/%2e%2e/healthz", "/api/../healthz", "/../../etc/passwd", "//healthz", "/healthz/"]
    {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let limit = std::time::Duration::from_secs(5);
        let answer = rr_tests::raw::exchange(app.address(), request, limit).await;
        assert_eq!(answer.status(), Some(404), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let app = TestApp::init().await;
    for (path, allowed) in [
        ("/api/devops/sync/users", "GET"),
        ("/api/devops/generate-key", "POST"),
        ("/api/devops/webhook", "POST"),
        ("/api/devops/keys", "GET"),
    ] {
        for method in ["PUT", "TRACE", "BREW", "PROPFIND"] {
            let answer = app.call(method, path).await;
            assert!([405, 501].contains(&answer.code()), "{method} {path}: {}", answer.code());
            if answer.code() == 405 {
                answer.problem(405, "method_not_allowed");
                assert!(answer.header("allow").unwrap().contains(allowed), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let app = TestApp::init().await;
    for path in ["/", "/healthz", "/openapi.json"] {
        let get = app.get(path).await.expect(200);
        let head = app.call("HEAD", path).await.expect(200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn cross_origin_reading_is_off() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let sync = "/api/devops/sync/users";
    for answer in [
        key.get(sync).header("origin", "https://app.example.com").await.expect(200),
        preflight(&app, sync, "https://app.example.com").await,
    ] {
        for name in answer.headers.keys() {
            assert!(!name.as_str().starts_with("access-control-"), "{name}");
        }
    }
}

#[tokio::test]
async fn cross_origin_reading_is_for_the_origins_that_are_configured() {
    let app = TestApp::with_settings(|settings| {
        settings.cors_origins = vec!["https://app.example.com".to_owned()];
    })
    .await;
    let key = app.with_key(&["read_metrics"]).await;
    let sync = "/api/devops/sync/users";
    let friend = key.get(sync).header("origin", "https://app.example.com").await.expect(200);
    assert_eq!(friend.header("access-control-allow-origin"), Some("https://app.example.com"));
    assert!(friend.header("access-control-allow-credentials").is_none(), "cookies stay at home");
    let asked = preflight(&app, sync, "https://app.example.com").await;
    assert!(asked.status.is_success(), "{}", asked.status);
    assert!(asked.header("access-control-allow-headers").unwrap().contains("x-api-key"));
    for stranger in ["https://evil.example", "https://app.example.com.evil.example", "null"] {
        for answer in
            [key.get(sync).header("origin", stranger).await, preflight(&app, sync, stranger).await]
        {
            assert!(answer.header("access-control-allow-origin").is_none(), "{stranger}");
        }
    }
}

async fn preflight(app: &TestApp, path: &str, origin: &str) -> Answer {
    app.call("OPTIONS", path)
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "x-api-key")
        .await
}
