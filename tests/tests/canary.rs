//! No secret ends up where it can be read: not in the log at its most talkative, not in the
//! database, not in a problem's text. Of a webhook source's secret alone the database keeps the text, in the
//! one column that signatures are checked with.

use hmac::{Hmac, KeyInit, Mac};
use rr_tests::client::{Answer, Call, Client};
use rr_tests::database::TestDatabase;
use rr_tests::process::Program;
use rr_tests::sql::columns_that_hold;
use rr_tests::typo::mistyped;
use serde_json::json;
use sha2::Sha256;

const PASSWORD: &str = "canary-password-of-the-administrator";
const WRONG_PASSWORD: &str = "canary-password-that-is-wrong";
const WEBHOOK_SECRET: &str = "canary-webhook-secret-0123456789";
const SOURCE_SECRET: &str = "canary-secret-of-a-source-0123456789";
/// What its base64 says.
const PEPPER: [&str; 2] = ["canary-pepper-0123456789", "Y2FuYXJ5LXBlcHBlci0wMTIzNDU2Nzg5"];
const STRIPE_SECRET: &str = "canary-stripe-secret-0123456789";

const LOGIN: &str = "/api/auth/login";
const GENERATE: &str = "/api/devops/generate-key";
const REPORT: &str = "/api/devops/keys/report-leak";
const SYNC: &str = "/api/devops/sync/users";
const ACTIVITY: &str = "/api/devops/activity";
const SOURCES: &str = "/api/devops/sources";

/// All secrets that were sent or issued, and all answers but those that issue one.
struct Heard {
    secrets: Vec<String>,
    answers: Vec<String>,
}

impl Heard {
    async fn hear(&mut self, call: Call, status: u16) -> Answer {
        let answer = call.await.expect(status);
        self.answers.push(format!("{status} {:?} {}", answer.headers, answer.text()));
        answer
    }

    /// The one answer in which a key is shown.
    async fn issue(&mut self, call: Call) -> (String, String) {
        let issued = call.await.json();
        let text = |name: &str| issued[name].as_str().unwrap().to_owned();
        self.secrets.push(text("api_key"));
        (text("key_id"), text("api_key"))
    }
}

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
            .env("RR_KEY_PEPPERS", &format!("1:{}", PEPPER[1]))
            .env("DEVOPS_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("STRIPE_SECRET_KEY", STRIPE_SECRET)
            .serve()
            .await;
        let anyone = server.client();
        let secrets = [PASSWORD, WRONG_PASSWORD, WEBHOOK_SECRET, STRIPE_SECRET];
        let secrets = [&secrets[..], &PEPPER].concat().into_iter().map(str::to_owned).collect();
        let mut heard = Heard { secrets, answers: Vec::new() };

        let admin = sign_in(&anyone, &mut heard).await;
        let (id, first) = heard.issue(admin.post(GENERATE, &json!({}))).await;
        use_well_and_badly(&anyone, &first, &mut heard).await;
        let newest = rotate(&anyone, &admin, &id, &first, &mut heard).await;
        misplace(&admin, &id, &newest, &mut heard).await;
        bind_a_source(&anyone, &admin, &id, &mut heard).await;
        report(&anyone, &admin, &id, &newest, &mut heard).await;

        server.signal("TERM");
        server.wait(std::time::Duration::from_secs(15)).await.expect("it does not end");
        let log = server.output();
        let stored = String::from_utf8_lossy(&database.everything_stored().await).into_owned();
        // The haystack is real: it names the caller, the event and what became of the key.
        assert!(log.contains(&id), "the log names the key by its id:\n{log}");
        for kept in [
            "canary@example.com",
            "signed",
            "key.rotation_prepared",
            "key.leaked",
            "webhook_source.secret_added",
        ] {
            assert!(stored.contains(kept), "{kept}");
        }
        for status in ["401 ", "403 ", "404 ", "422 "] {
            assert!(heard.answers.iter().any(|answer| answer.starts_with(status)), "{status}");
        }
        for secret in &heard.secrets {
            assert!(!log.contains(secret.as_str()), "{secret} is in the {format} log");
            assert!(!stored.contains(secret.as_str()), "{secret} is in the database");
            for answer in &heard.answers {
                assert!(!answer.contains(secret.as_str()), "{secret} is in {answer}");
            }
        }
        assert!(!log.contains(SOURCE_SECRET), "a source's secret is in the {format} log");
        for answer in &heard.answers {
            assert!(!answer.contains(SOURCE_SECRET), "a source's secret is in {answer}");
        }
        let kept = columns_that_hold(database.url(), SOURCE_SECRET).await;
        assert_eq!(kept, ["webhook_source_secrets.secret"]);
        if format == "json" {
            for line in log.lines().filter(|line| !line.starts_with("listening on")) {
                let parsed: Result<serde_json::Value, _> = serde_json::from_str(line);
                assert!(parsed.is_ok(), "not JSON: {line}");
            }
        }
    }
}

/// Wrongly and rightly, and with a password where it does not belong.
async fn sign_in(anyone: &Client, heard: &mut Heard) -> Client {
    let with = |password| json!({"email": "canary@example.com", "password": password});
    heard.hear(anyone.post(LOGIN, &with(WRONG_PASSWORD)), 401).await;
    let odd = json!({"email": PASSWORD, "password": [PASSWORD], PASSWORD: PASSWORD});
    heard.hear(anyone.post(LOGIN, &odd), 422).await;
    let login = anyone.post(LOGIN, &with(PASSWORD)).await.expect(200);
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    heard.secrets.push(cookie.split_once('=').unwrap().1.to_owned());
    anyone.with_session(&cookie)
}

/// The key in every place where one can stand, and the same with a typo.
async fn use_well_and_badly(anyone: &Client, key: &str, heard: &mut Heard) {
    let body = br#"{"event_type":"signed"}"#;
    let signature = mac(WEBHOOK_SECRET, body);
    for (key, used, lacking) in [(key.to_owned(), 200, 403), (mistyped(key), 401, 401)] {
        let bearer = anyone.with_header("authorization", &format!("Bearer {key}"));
        let signed = anyone
            .with_key(&key)
            .call("POST", "/api/devops/webhook")
            .body("application/json", &body[..])
            .header("x-webhook-signature", &format!("sha256={signature}"));
        for (call, status) in [
            (anyone.with_key(&key).get(SYNC), used),
            (bearer.get(SYNC), used),
            (bearer.get("/api/devops/users"), lacking),
            (bearer.post(GENERATE, &json!({"name": key})), lacking),
            (anyone.get(&format!("/api/devops/events?api_key={key}")), 401),
            (anyone.get(&format!("/{key}")), 404),
            (signed, used),
        ] {
            heard.hear(call, status).await;
        }
        heard.secrets.push(key);
    }
    heard.secrets.push(signature);
}

fn mac(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A source with a secret of its own: given rightly and wrongly, and signed with in place of a key.
async fn bind_a_source(anyone: &Client, admin: &Client, id: &str, heard: &mut Heard) {
    let source = format!("{SOURCES}/canary");
    let secrets = format!("{source}/secrets");
    let signed_with = |secret: &str| {
        let body = br#"{"event_type":"signed with the secret of a source"}"#;
        let signature = format!("sha256={}", mac(secret, body));
        let call = anyone.call("POST", "/api/devops/webhook/canary");
        call.body("application/json", &body[..]).header("x-webhook-signature", &signature)
    };
    for (call, status) in [
        (admin.post(SOURCES, &json!({"name": "canary", "key_id": id})), 200),
        (admin.post(&secrets, &json!({"secret": [SOURCE_SECRET], SOURCE_SECRET: 1})), 422),
        (admin.post(&secrets, &json!({"secret": SOURCE_SECRET})), 200),
        (admin.patch(&source, &json!({"format": SOURCE_SECRET})), 422),
        (signed_with(SOURCE_SECRET), 200),
        (signed_with(&SOURCE_SECRET.to_uppercase()), 401),
        (admin.get(SOURCES), 200),
        (admin.get(ACTIVITY), 200),
    ] {
        heard.hear(call, status).await;
    }
}

/// Now, with the first use, and with a new secret that another replaces unused.
async fn rotate(
    anyone: &Client,
    admin: &Client,
    id: &str,
    first: &str,
    heard: &mut Heard,
) -> String {
    let path = format!("/api/devops/keys/{id}/rotate");
    let at_once = json!({"grace_s": 0});
    let on_first_use = json!({"grace_s": 0, "start": "first_use"});
    let (_, second) = heard.issue(admin.post(&path, &at_once)).await;
    let (_, unused) = heard.issue(admin.post(&path, &on_first_use)).await;
    let (_, newest) = heard.issue(admin.post(&path, &on_first_use)).await;
    for (secret, status) in
        [(first, 401), (&unused, 401), (&second, 200), (&newest, 200), (&second, 401)]
    {
        heard.hear(anyone.with_key(secret).get(SYNC), status).await;
    }
    heard.hear(anyone.with_key(&newest).post(&path, &at_once), 403).await;
    heard.hear(admin.get(&format!("/api/devops/keys/{id}")), 200).await;
    newest
}

/// A secret where it does not belong: as a value of the wrong kind, as a name, as an id.
async fn misplace(admin: &Client, id: &str, key: &str, heard: &mut Heard) {
    let shown = format!("/api/devops/keys/{id}");
    let odd = json!({"name": [key], key: key});
    for (call, status) in [
        (admin.post(GENERATE, &odd), 422),
        (admin.post(GENERATE, &json!({key: key})), 422),
        (admin.post(GENERATE, &json!({"permissions": [key]})), 422),
        (admin.post(GENERATE, &json!({"allowed_ips": [key], "not_before": key})), 422),
        (admin.patch(&shown, &json!({"expires_at": key})), 422),
        (admin.patch(&shown, &json!({"metadata": {key: 5}})), 422),
        (admin.post(&format!("{shown}/rotate"), &json!({"start": key})), 422),
        (admin.get(&format!("/api/devops/keys/{key}")), 404),
        (admin.get(&format!("/api/devops/keys?limit={key}")), 400),
        (admin.get(&format!("/api/devops/keys?{key}=1")), 400),
    ] {
        heard.hear(call, status).await;
    }
}

/// As public, with a link that holds it, and then revoked.
async fn report(anyone: &Client, admin: &Client, id: &str, key: &str, heard: &mut Heard) {
    for key in [key.to_owned(), mistyped(key)] {
        let link = format!("https://example.com/?key={key}");
        let body = json!({"secret": key, "url": link});
        let wrong = json!({"secret": [key], key.clone(): key});
        for by in [anyone, admin] {
            heard.hear(by.post(REPORT, &body), 200).await;
            heard.hear(by.post(REPORT, &wrong), 422).await;
        }
        heard.hear(anyone.with_key(&key).get(SYNC), 401).await;
        heard.secrets.push(key);
    }
    heard.hear(admin.delete(&format!("/api/devops/keys/{id}")), 204).await;
    heard.hear(anyone.with_key(key).get(SYNC), 401).await;
    heard.hear(admin.get(ACTIVITY), 200).await;
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
