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

#[tokio::test]
async fn logging_out_twice_is_no_trouble() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    admin.call("POST", "/api/auth/logout").await.expect(204);
    let again = admin.call("POST", "/api/auth/logout").await;
    assert!([204, 401].contains(&again.code()), "{}", again.code());
}
