//! How long a session lasts, and what else ends it.

use std::time::Duration;

use rr_tests::app::{ADMIN_EMAIL, TestApp};

const ME: &str = "/api/auth/me";
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_session_ends_after_half_an_hour_without_a_request() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    app.clock.advance(29 * MINUTE);
    admin.get(ME).await.expect(200);
    app.clock.advance(31 * MINUTE);
    admin.get(ME).await.problem(401, "unauthenticated");
    admin.get("/api/devops/keys").await.expect(401);
}

#[tokio::test]
async fn a_session_in_use_goes_on_and_ends_after_twelve_hours_all_the_same() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for _ in 0..35 {
        app.clock.advance(20 * MINUTE);
        admin.get(ME).await.expect(200);
    }
    // 11 h 40 min so far.
    app.clock.advance(19 * MINUTE);
    admin.get(ME).await.expect(200);
    app.clock.advance(2 * MINUTE);
    admin.get(ME).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn sessions_are_separate() {
    let app = TestApp::init().await;
    let first = app.as_admin().await;
    let second = app.as_admin().await;
    first.call("POST", "/api/auth/logout").await.expect(204);
    first.get(ME).await.expect(401);
    second.get(ME).await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let id = app.create_user(ADMIN_EMAIL, "admin", None).await;
    let hash = rr_http::hash_password("another long password", &app.state.random).unwrap();
    assert!(app.store().set_password(id, hash, app.audit()).await.unwrap());
    admin.get(ME).await.expect(401);
}

#[tokio::test]
async fn a_made_up_cookie_is_nobody() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    admin.get(ME).await.expect(200);
    for value in ["", "x", &"A".repeat(43), &"A".repeat(4000), "%00", "\"\""] {
        let cookie = format!("rr_session={value}");
        app.with_session(&cookie).get(ME).await.expect(401);
    }
}

/// Whoever has shown something is told that it is no good; whoever showed nothing is only asked.
#[tokio::test]
async fn a_session_that_is_over_is_an_invalid_token() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let over = app.as_admin().await;
    app.clock.advance(31 * MINUTE);
    let gone = app.as_admin().await;
    gone.call("POST", "/api/auth/logout").await.expect(204);
    let nonsense = app.with_session("rr_session=nonsense");
    for route in rr_http::routes().iter().filter(|route| route.access != rr_http::Access::Anyone) {
        if route.access == rr_http::Access::Provider {
            continue;
        }
        let path = crate::samples::fill(route.path, "018f2b5e-0000-7000-8000-000000000001");
        for client in [&admin, &over, &gone, &nonsense] {
            let answer = client.call(route.method, &path).await;
            answer.problem(401, "unauthenticated");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.contains(r#"error="invalid_token""#), "{path}: {challenge}");
        }
        // The value that is left when a cookie was cleared is nothing at all.
        let cleared = app.with_session("rr_session=").call(route.method, &path).await;
        let challenge = cleared.header("www-authenticate");
        assert_eq!(challenge, Some(r#"Bearer realm="revenue-ripple""#), "{path}");
    }
}

#[tokio::test]
async fn logging_out_is_done_however_often_it_is_asked_for() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let over = app.as_admin().await;
    let nobody = app.with_header("origin", app.base());
    let mine = app.with_key(&["read_metrics"]).await;
    for (client, what) in [
        (&admin, "a session"),
        (&admin, "the same again"),
        (&app.with_session("rr_session=nonsense"), "no session"),
        (&nobody, "nothing"),
        (&app.with_header("x-api-key", &mine.secret), "a key, which has no session to end"),
    ] {
        let answer = client.call("POST", "/api/auth/logout").await.expect(204);
        let cookie = answer.header("set-cookie").expect(what);
        assert!(cookie.starts_with("rr_session=;") && cookie.contains("Max-Age=0"), "{cookie}");
    }
    app.clock.advance(31 * MINUTE);
    let before = app.counts().await;
    over.call("POST", "/api/auth/logout").await.expect(204);
    assert_eq!(app.counts().await, before, "nothing was there to end");
    admin.get(ME).await.expect(401);
}

#[tokio::test]
async fn another_site_signs_nobody_out_and_clears_no_cookie() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for client in [&admin, &app.with_session("rr_session=nonsense"), &app.with_header("a", "b")] {
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]
        {
            let evil = client.with_header(name, value);
            let answer = evil.call("POST", "/api/auth/logout").await;
            answer.problem(403, "cross_site_request");
            assert!(answer.header("set-cookie").is_none());
        }
    }
    admin.get(ME).await.expect(200);
}
