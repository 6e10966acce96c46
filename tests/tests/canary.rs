//! No secret ends up where it can be read: not in the log at its most talkative, not in the
//! database, not in a problem's text.

use hmac::{Hmac, KeyInit, Mac};
use rr_tests::database::TestDatabase;
use rr_tests::process::Program;
use serde_json::json;
use sha2::Sha256;

const PASSWORD: &str = "canary-password-of-the-administrator";
const WRONG_PASSWORD: &str = "canary-password-that-is-wrong";
const WEBHOOK_SECRET: &str = "canary-webhook-secret-0123456789";
const STRIPE_SECRET: &str = "canary-stripe-secret-0123456789";

/// (m) No secret in a log, a database, an audit row or an error body.
#[tokio::test]
async fn no_secret_is_written_anywhere() {
    for format in ["text", "json"] {
        let database = TestDatabase::empty().await;
        let mut server = Program::new(database.url(), ["serve"])
            .env("RR_LOG", "trace")
            .env("RR_LOG_FORMAT", format)
            .env("RR_ADMIN_EMAIL", "canary@example.com")
            .env("RR_ADMIN_PASSWORD", PASSWORD)
            .env("DEVOPS_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("STRIPE_SECRET_KEY", STRIPE_SECRET)
            .serve()
            .await;
        let anyone = server.client();
        let mut secrets =
            [PASSWORD, WRONG_PASSWORD, WEBHOOK_SECRET, STRIPE_SECRET].map(str::to_owned).to_vec();

        // Sign in, wrongly and rightly.
        for (password, status) in [(WRONG_PASSWORD, 401), (PASSWORD, 200)] {
            let body = json!({"email": "canary@example.com", "password": password});
            anyone.post("/api/auth/login", &body).await.expect(status);
        }
        let body = json!({"email": "canary@example.com", "password": PASSWORD});
        let login = anyone.post("/api/auth/login", &body).await.expect(200);
        let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        secrets.push(cookie.split_once('=').unwrap().1.to_owned());
        let admin = anyone.with_session(&cookie);
        // A password where it does not belong.
        let odd = json!({"email": PASSWORD, "password": [PASSWORD], PASSWORD: PASSWORD});
        anyone.post("/api/auth/login", &odd).await.expect(422);

        // A key, made and used in every way, well and badly.
        let made = admin.post("/api/devops/generate-key", &json!({})).await.json();
        let key = made["api_key"].as_str().unwrap().to_owned();
        let body = br#"{"event_type":"signed"}"#;
        let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
        mac.update(body);
        let signature: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        for (key, status) in [(key.clone(), 200), (format!("{}0", &key[..38]), 401)] {
            anyone.with_key(&key).get("/api/devops/sync/users").await.expect(status);
            let bearer = anyone.with_header("authorization", &format!("Bearer {key}"));
            bearer.get("/api/devops/sync/users").await.expect(status);
            anyone.get(&format!("/api/devops/events?api_key={key}")).await.expect(401);
            anyone.get(&format!("/{key}")).await.expect(404);
            anyone
                .with_key(&key)
                .call("POST", "/api/devops/webhook")
                .body("application/json", &body[..])
                .header("x-webhook-signature", &format!("sha256={signature}"))
                .await
                .expect(status);
            secrets.push(key);
        }
        secrets.push(signature);
        // Reported as public, with a link that holds it.
        for key in [key.clone(), format!("{}0", &key[..38])] {
            let link = format!("https://example.com/?key={key}");
            let body = json!({"secret": key, "url": link, });
            anyone.post("/api/devops/keys/report-leak", &body).await.expect(200);
            let wrong = json!({"secret": [key], key.clone(): key});
            anyone.post("/api/devops/keys/report-leak", &wrong).await.expect(422);
        }
        let id = made["key_id"].as_str().unwrap();
        admin.delete(&format!("/api/devops/keys/{id}")).await.expect(204);

        server.signal("TERM");
        server.wait(std::time::Duration::from_secs(15)).await.expect("it does not end");
        let log = server.output();
        let stored = String::from_utf8_lossy(&database.everything_stored().await).into_owned();
        // The haystack is real: it names the caller and the event.
        assert!(log.contains(id), "the log names the key by its id:\n{log}");
        assert!(stored.contains("canary@example.com") && stored.contains("signed"));
        for secret in &secrets {
            assert!(!log.contains(secret.as_str()), "{secret} is in the {format} log");
            assert!(!stored.contains(secret.as_str()), "{secret} is in the database");
        }
        if format == "json" {
            for line in log.lines().filter(|line| !line.starts_with("listening on")) {
                let parsed: Result<serde_json::Value, _> = serde_json::from_str(line);
                assert!(parsed.is_ok(), "not JSON: {line}");
            }
        }
    }
}

/// What a client writes into a header cannot start a line of its own in the log.
#[tokio::test]
async fn a_log_line_cannot_be_forged() {
    let database = TestDatabase::empty().await;
    let server = Program::new(database.url(), ["serve"]).env("RR_LOG", "trace").serve().await;
    let forged = "FORGED-LINE";
    let request = format!(
        "GET /%0a{forged}%20path HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\t{forged}\r\n\
         User-Agent: a\t{forged}\r\nConnection: close\r\n\r\n"
    );
    let limit = std::time::Duration::from_secs(3);
    rr_tests::raw::exchange(server.client().address(), request, limit).await;
    for line in server.output().lines() {
        assert!(!line.starts_with(forged), "{line}");
    }
}
