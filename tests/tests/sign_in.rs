//! `POST /api/auth/login`: who gets in, who does not, and that guessing is slow.

use std::time::{Duration, Instant};

use rr_tests::app::{ADMIN_EMAIL, ADMIN_PASSWORD, TestApp};
use rr_tests::client::Answer;
use serde_json::json;

const LOGIN: &str = "/api/auth/login";

async fn try_login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post(LOGIN, &json!({"email": email, "password": password})).await
}

#[tokio::test]
async fn an_administrator_gets_in_and_out() {
    let app = TestApp::init().await;
    let id = app.create_user(ADMIN_EMAIL, "admin", Some(ADMIN_PASSWORD)).await;
    let answer = try_login(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200);
    let user = json!({"user": {"id": id, "email": ADMIN_EMAIL, "role": "admin"}});
    assert_eq!(answer.json(), user);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let cookie = answer.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain http cannot keep a secure cookie: {cookie}");

    let browser = app.with_session(cookie.split(';').next().unwrap());
    assert_eq!(browser.get("/api/auth/me").await.json(), user);
    let out = browser.call("POST", "/api/auth/logout").await.expect(204);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    // The token itself is dead, not only forgotten by the browser.
    browser.get("/api/auth/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn served_over_https_the_cookie_is_bound_to_it() {
    let app = TestApp::with_settings(|settings| {
        settings.public_url = Some("https://devops.example.com".to_owned());
    })
    .await;
    app.create_user(ADMIN_EMAIL, "admin", Some(ADMIN_PASSWORD)).await;
    let answer = try_login(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.to_ascii_lowercase().contains("domain"), "{cookie}");
}

#[tokio::test]
async fn the_address_is_compared_without_case_and_the_password_exactly() {
    let app = TestApp::init().await;
    app.create_user("Boss@Example.COM", "admin", Some("Päss wörd with spaces ")).await;
    try_login(&app, "boss@example.com", "Päss wörd with spaces ").await.expect(200);
    try_login(&app, "BOSS@EXAMPLE.COM", "Päss wörd with spaces ").await.expect(200);
    for wrong in ["Päss wörd with spaces", "päss wörd with spaces ", ""] {
        let answer = try_login(&app, "boss@example.com", wrong).await;
        assert!([401, 422].contains(&answer.code()), "{wrong}: {}", answer.text());
    }
}

#[tokio::test]
async fn whoever_may_not_in_hears_the_same() {
    let app = TestApp::init().await;
    app.create_user(ADMIN_EMAIL, "admin", Some(ADMIN_PASSWORD)).await;
    app.create_user("member@example.com", "member", Some(ADMIN_PASSWORD)).await;
    app.create_user("nopassword@example.com", "admin", None).await;
    let mut bodies = Vec::new();
    for (email, password) in [
        (ADMIN_EMAIL, "wrong password of some length"),
        ("nobody@example.com", "wrong password of some length"),
        ("nobody@example.com", ADMIN_PASSWORD),
        ("member@example.com", ADMIN_PASSWORD),
        ("nopassword@example.com", ADMIN_PASSWORD),
    ] {
        let answer = try_login(&app, email, password).await;
        let mut body = answer.problem(401, "invalid_credentials");
        assert!(answer.header("set-cookie").is_none());
        body["request_id"] = json!(null);
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

/// Hashing takes tens of milliseconds, so skipping it for unknown accounts would show plainly.
#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() {
    let app = TestApp::init().await;
    app.create_user(ADMIN_EMAIL, "admin", Some(ADMIN_PASSWORD)).await;
    let time = async |email: String| {
        let started = Instant::now();
        try_login(&app, &email, "wrong password of some length")
            .await
            .problem(401, "invalid_credentials");
        started.elapsed()
    };
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for round in 0..4 {
        known.push(time(ADMIN_EMAIL.to_owned()).await);
        unknown.push(time(format!("nobody{round}@example.com")).await);
    }
    known.sort();
    unknown.sort();
    assert!(unknown[1] * 2 > known[1], "known {known:?}, unknown {unknown:?}");
    assert!(known[1] * 2 > unknown[1], "known {known:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn guessing_has_to_wait_even_with_the_right_password() {
    let app = TestApp::init().await;
    app.create_user(ADMIN_EMAIL, "admin", Some(ADMIN_PASSWORD)).await;
    let mut failures = 0;
    let refused = loop {
        let answer = try_login(&app, ADMIN_EMAIL, "wrong password of some length").await;
        if answer.code() == 429 {
            break answer;
        }
        answer.problem(401, "invalid_credentials");
        failures += 1;
        assert!(failures < 50, "guessing is never slowed");
    };
    refused.problem(429, "too_many_attempts");
    try_login(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await.problem(429, "too_many_attempts");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    app.clock.advance(Duration::from_secs(wait));
    try_login(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200);
}

#[tokio::test]
async fn success_does_not_depend_on_how_many_others_fail_elsewhere() {
    let app = TestApp::init().await;
    app.create_user(ADMIN_EMAIL, "admin", Some(ADMIN_PASSWORD)).await;
    for _ in 0..6 {
        try_login(&app, "nobody@example.com", "wrong password of some length").await;
    }
    try_login(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200);
}

/// A password stored with less work than today's is stored anew when its owner signs in.
#[tokio::test]
async fn a_weakly_stored_password_becomes_a_strong_one_at_sign_in() {
    // argon2id with m=1024, t=1, p=1 of "an old password".
    const WEAK: &str = "$argon2id$v=19$m=1024,t=1,p=1$AwMDAwMDAwMDAwMDAwMDAw$\
                        9EeucayNTZGVnZqrEwCpyDA/SAEqU86Y1RIWbt1vGGc";
    let app = TestApp::init().await;
    let id = app.create_user("old@example.com", "admin", Some("something else")).await;
    assert!(app.store().set_password(id, WEAK.to_owned(), app.audit()).await.unwrap());
    let stored = async || {
        let login = app.store().find_login("old@example.com".to_owned()).await.unwrap();
        login.unwrap().password_hash
    };
    try_login(&app, "old@example.com", "a wrong password").await.expect(401);
    assert_eq!(stored().await, WEAK);
    let first = app.login("old@example.com", "an old password").await;
    let strong = stored().await;
    assert!(strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{strong}");
    let second = app.login("old@example.com", "an old password").await;
    assert_eq!(stored().await, strong, "once is enough");
    for cookie in [first, second] {
        app.with_session(&cookie).get("/api/auth/me").await.expect(200);
    }
}
