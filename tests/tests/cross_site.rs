//! A change made with a cookie must come from our own pages; one made with a key may come from
//! anywhere.

use rr_tests::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn only_our_own_pages_change_things_with_a_cookie() {
    let app = TestApp::init().await;
    app.as_admin().await;
    let cookie = app.login(rr_tests::app::ADMIN_EMAIL, rr_tests::app::ADMIN_PASSWORD).await;
    let key = app.with_key(&["read_metrics"]).await;
    let own = app.base().to_owned();
    let before = app.counts().await;
    for (headers, allowed) in [
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("origin", own.as_str())], true),
        (vec![("sec-fetch-site", "same-origin"), ("origin", own.as_str())], true),
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "cross-site"), ("origin", own.as_str())], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "none")], false),
        (vec![("origin", "https://evil.example")], false),
        (vec![("origin", "http://127.0.0.1:1")], false),
        (vec![("origin", "null")], false),
    ] {
        for (method, path) in [
            ("POST", "/api/devops/generate-key".to_owned()),
            ("PATCH", format!("/api/devops/keys/{}", key.id)),
            ("DELETE", "/api/devops/keys/018f2b5e-0000-7000-8000-000000000001".to_owned()),
        ] {
            let mut call = app.call(method, &path).header("cookie", &cookie);
            for (name, value) in &headers {
                call = call.header(name, value);
            }
            if method != "DELETE" {
                call = call.json(&json!({"name": "by cookie"}));
            }
            let answer = call.await;
            if allowed {
                assert_ne!(answer.code(), 403, "{method} {headers:?}: {}", answer.text());
            } else {
                answer.problem(403, "cross_site_request");
            }
        }
        if !allowed {
            // Reading changes nothing, and the browser does not show it to another site.
            let mut call = app.get("/api/auth/me").header("cookie", &cookie);
            for (name, value) in &headers {
                call = call.header(name, value);
            }
            call.await.expect(200);
        }
    }
    // The three that were allowed made a key each and renamed one; the rest left no trace.
    let listed = app.store().keys(rr_store::PageRequest { limit: 100, cursor: None }).await;
    assert_eq!(listed.unwrap().items.len(), 1 + 3);
    assert_ne!(app.counts().await, before);
}

#[tokio::test]
async fn a_form_of_another_site_signs_nobody_in_or_out() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"] {
        let body = r#"{"email":"boss@example.com","password":"correct horse battery staple"}"#;
        let answer = app
            .call("POST", "/api/auth/login")
            .body(content_type, body)
            .header("sec-fetch-site", "cross-site")
            .await;
        assert!([403, 415].contains(&answer.code()), "{content_type}: {}", answer.code());
        assert!(answer.header("set-cookie").is_none());
    }
    admin
        .call("POST", "/api/auth/logout")
        .header("sec-fetch-site", "cross-site")
        .await
        .problem(403, "cross_site_request");
    admin.get("/api/auth/me").await.expect(200);
}

#[tokio::test]
async fn a_key_needs_no_origin() {
    let app = TestApp::init().await;
    let key = app.with_key(&["write_webhooks"]).await;
    key.post("/api/devops/webhook", &json!({}))
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .await
        .expect(200);
}

#[tokio::test]
async fn no_get_changes_anything() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let before = app.counts().await;
    for route in rr_http::routes() {
        if route.method == "GET" {
            let path = crate::samples::fill(route.path, "018f2b5e-0000-7000-8000-000000000001");
            admin.get(&path).await;
            admin.call("HEAD", &path).await;
        }
    }
    assert_eq!(app.counts().await, before);
}
