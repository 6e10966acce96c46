//! Bad credentials, on every route that asks for one: the right 401, and nothing is done.

use std::time::{Duration, UNIX_EPOCH};

use rr_keys::KeyFormat;
use rr_tests::app::TestApp;
use rr_tests::typo::mistyped;

use crate::coverage::protected_routes;

#[tokio::test]
async fn a_key_that_is_not_good_opens_no_route() {
    let app = TestApp::init().await;
    let everything = [
        "read_metrics",
        "write_webhooks",
        "read_users",
        "read_events",
        "manage_keys",
        "manage_webhooks",
        "write_data",
    ];
    let good = app.with_key(&everything).await;
    let unknown = KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(7));
    let unknown = unknown.secret.expose().to_owned();
    let expired = app
        .with_key_like(&everything, |key| {
            key.expires_at = Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        })
        .await;
    let disabled = app.with_key_like(&everything, |key| key.enabled = false).await;
    let revoked = app.with_key(&everything).await;
    assert!(app.store().revoke_key(revoked.id, app.audit()).await.unwrap());

    let mut keys: Vec<(String, &str)> = vec![
        (unknown.clone(), "invalid_key"),
        (expired.secret.clone(), "key_expired"),
        (disabled.secret.clone(), "key_disabled"),
        (revoked.secret.clone(), "key_revoked"),
    ];
    let (head, tail) = good.secret.split_at(11);
    let within = mistyped(head) + tail;
    for malformed in [
        "x".to_owned(),
        "rr_".to_owned(),
        good.secret[..38].to_owned(),
        format!("{}0", good.secret),
        good.secret.to_ascii_uppercase(),
        good.secret.replacen("rr_", "sk_", 1),
        within,
        mistyped(&good.secret),
        "rr_".to_owned() + &"é".repeat(18),
        "x".repeat(8000),
    ] {
        keys.push((malformed, "invalid_key"));
    }

    let before = app.counts().await;
    for (route, _) in protected_routes() {
        for (key, code) in &keys {
            let call =
                || app.call(route.method, &crate::samples::fill(route.path, &good.id.to_string()));
            if key.is_ascii() {
                let answer = call().header("x-api-key", key).await;
                assert_eq!(answer.code(), 401, "{} {}", route.path, answer.text());
                let problem = answer.problem(401, code);
                assert!(!problem.to_string().contains(key.as_str()) || key.len() < 5);
                let challenge = answer.header("www-authenticate").unwrap();
                assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
                call().header("authorization", &format!("Bearer {key}")).await.problem(401, code);
            }
        }
        for nonsense in ["Basic cnI6cnI=", "Bearer", "Bearer ", "rr_", "Digest x=\"y\""] {
            let answer =
                app.call(route.method, &crate::samples::fill(route.path, &good.id.to_string()));
            answer.header("authorization", nonsense).await.expect(401);
        }
    }
    assert_eq!(app.counts().await, before);
}

#[tokio::test]
async fn unknown_and_malformed_keys_hear_the_same() {
    let app = TestApp::init().await;
    let unknown = KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(7));
    let mut bodies = Vec::new();
    for key in [unknown.secret.expose(), "rr_short", "nonsense"] {
        let answer = app.get("/api/devops/sync/users").header("x-api-key", key).await;
        let mut body = answer.problem(401, "invalid_key");
        body["request_id"] = serde_json::Value::Null;
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn nobody_is_believed_about_who_they_are() {
    let app = TestApp::init().await;
    app.as_admin().await;
    let before = app.counts().await;
    let id = app.create_user(rr_tests::app::ADMIN_EMAIL, "admin", None).await.to_string();
    let body = serde_json::json!({"user_id": id, "name": "x"});
    for header in ["x-user-id", "x-admin", "x-forwarded-user", "x-remote-user"] {
        app.post("/api/devops/generate-key", &body)
            .header(header, &id)
            .await
            .problem(401, "unauthenticated");
    }
    assert_eq!(app.counts().await, before);
}
