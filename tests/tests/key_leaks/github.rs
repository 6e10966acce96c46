//! What GitHub's secret scanning reports.

use std::sync::{Arc, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rr_http::{GithubKeyring, HttpSettings};
use rr_keys::HashScheme;
use rr_store::KeySchemes;
use rr_tests::app::TestApp;
use rr_tests::client::Answer;
use rr_tests::database::{TestDatabase, open_store_like};
use rr_webhooks::GithubKeys;
use serde_json::{Value, json};

use super::{REPORT, SYNC, sha256_hex, shown, told};

/// GitHub, as far as this server can tell.
struct Github {
    pair: EcdsaKeyPair,
}

impl Github {
    fn new() -> Github {
        Github { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap() }
    }

    /// Its published keys: one that is current, and one that was.
    fn keys(&self) -> GithubKeys {
        let der = self.pair.public_key().as_der().unwrap();
        let key = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n");
        let list = json!({"public_keys": [
            {"key_identifier": "current", "key": pem, "is_current": true},
            {"key_identifier": "former", "key": pem, "is_current": false},
        ]});
        GithubKeys::parse(&list.to_string()).unwrap()
    }

    /// The same, and the same again whenever they are read.
    fn ring(&self) -> GithubKeyring {
        let keys = self.keys();
        GithubKeyring::new(keys.clone(), move || Ok(keys.clone()))
    }

    fn sign(&self, body: &str) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), body.as_bytes()).unwrap();
        STANDARD.encode(signature.as_ref())
    }

    /// Sends a body; the signature is of `signed`.
    async fn send(&self, app: &TestApp, key: &str, signed: &str, body: &str) -> Answer {
        app.call("POST", REPORT)
            .body("application/json", body)
            .header("github-public-key-identifier", key)
            .header("github-public-key-signature", &self.sign(signed))
            .await
    }
}

#[tokio::test]
async fn github_reports_many_at_once_and_is_told_which_are_ours() {
    let github = Github::new();
    let app = TestApp::with_settings(|settings| settings.github_keys = Some(github.ring())).await;
    let admin = app.as_admin().await;
    let first = app.with_key(&["read_metrics"]).await;
    let second = app.with_key(&["read_metrics"]).await;
    let spared = app.with_key(&["read_metrics"]).await;
    let unknown = ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat();
    let alert = |token: &str, url: &str| json!({"token": token, "type": "revenue_ripple_api_key", "url": url, "source": "content"});
    let body = json!([
        alert(&first.secret, "https://github.com/x/y/blob/1/a"),
        alert("no key", ""),
        alert(&unknown, "https://github.com/x/y/blob/1/b"),
        alert(&first.secret, "https://github.com/x/y/blob/1/c"),
        alert(&second.secret, ""),
    ])
    .to_string();
    let answer = github.send(&app, "current", &body, &body).await.expect(200);
    assert!(!answer.text().contains(&first.secret) && !answer.text().contains(&unknown));
    let feedback = |token: &str, label: &str| {
        let hash = sha256_hex(token);
        json!({"token_hash": hash, "token_type": "revenue_ripple_api_key", "label": label})
    };
    assert_eq!(
        answer.json(),
        json!([
            feedback(&first.secret, "true_positive"),
            feedback("no key", "false_positive"),
            feedback(&unknown, "false_positive"),
            feedback(&first.secret, "true_positive"),
            feedback(&second.secret, "true_positive"),
        ])
    );
    first.get(SYNC).await.problem(401, "key_disabled");
    second.get(SYNC).await.problem(401, "key_disabled");
    spared.get(SYNC).await.expect(200);
    assert_eq!(shown(&admin, &first).await["leak"]["url"], "https://github.com/x/y/blob/1/a");
    assert_eq!(shown(&admin, &second).await["leak"]["url"], Value::Null);
    let actors: Vec<String> = told(&admin).await.into_iter().map(|(actor, _)| actor).collect();
    assert_eq!(actors, ["github", "github"]);
    // Sent again, as GitHub does when an answer got lost.
    let before = app.counts().await;
    assert_eq!(github.send(&app, "current", &body, &body).await.json(), answer.json());
    assert_eq!(app.counts().await, before);
}

/// GitHub changes its keys: the server hears of it without a restart, and nobody makes it read all the time.
#[tokio::test]
async fn keys_of_github_that_changed_are_read_again() {
    let (old, new) = (Github::new(), Github::new());
    let listed = Arc::new(Mutex::new((0, Ok(old.keys()))));
    let again = Arc::clone(&listed);
    let ring = GithubKeyring::new(old.keys(), move || {
        let mut listed = again.lock().unwrap();
        listed.0 += 1;
        listed.1.clone()
    });
    let app = TestApp::with_settings(|settings| settings.github_keys = Some(ring)).await;
    let ten_seconds = std::time::Duration::from_secs(10);
    old.send(&app, "current", "[]", "[]").await.expect(200);
    listed.lock().unwrap().1 = Ok(new.keys());
    old.send(&app, "current", "[]", "[]").await.expect(200);
    app.clock.advance(ten_seconds);
    new.send(&app, "current", "[]", "[]").await.expect(200);
    old.send(&app, "current", "[]", "[]").await.problem(401, "signature_invalid");
    // What cannot be read changes nothing.
    listed.lock().unwrap().1 = Err("gone".to_owned());
    app.clock.advance(ten_seconds);
    new.send(&app, "current", "[]", "[]").await.expect(200);
    assert_eq!(listed.lock().unwrap().0, 3);
}

#[tokio::test]
async fn an_alert_that_github_did_not_sign_ends_nothing() {
    let github = Github::new();
    let app = TestApp::with_settings(|settings| settings.github_keys = Some(github.ring())).await;
    let key = app.with_key(&["read_metrics"]).await;
    let body = json!([{"token": key.secret, "type": "t", "url": ""}]).to_string();
    let before = app.counts().await;
    github.send(&app, "former", &body, &body).await.problem(401, "signature_invalid");
    github.send(&app, "nobody", &body, &body).await.problem(401, "signature_invalid");
    let changed = body.replace("\"t\"", "\"u\"");
    github.send(&app, "current", &body, &changed).await.problem(401, "signature_invalid");
    Github::new().send(&app, "current", &body, &body).await.problem(401, "signature_invalid");
    for header in ["github-public-key-identifier", "github-public-key-signature"] {
        let call = app.call("POST", REPORT).body("application/json", body.clone());
        call.header(header, "current").await.problem(401, "signature_missing");
    }
    for not_alerts in
        ["{", "{}", "[5]", r#"[{"token":"x"}]"#, r#"[{"token":"x","token":"y","type":"t"}]"#]
    {
        let answer = github.send(&app, "current", not_alerts, not_alerts).await;
        assert!([400, 422].contains(&answer.code()), "{not_alerts}: {}", answer.text());
    }
    assert_eq!(github.send(&app, "current", "[]", "[]").await.expect(200).json(), json!([]));
    assert_eq!(app.counts().await, before);
    key.get(SYNC).await.expect(200);
}

#[tokio::test]
async fn without_githubs_keys_an_alert_says_what_to_configure() {
    let app = TestApp::init().await;
    let answer = Github::new().send(&app, "current", "[]", "[]").await;
    let problem = answer.problem(503, "github_alerts_unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("RR_GITHUB_SECRET_SCANNING_KEYS"));
}

#[tokio::test]
async fn a_body_of_alerts_has_a_bound() {
    let github = Github::new();
    let app = TestApp::with_settings(|settings| settings.github_keys = Some(github.ring())).await;
    let alert = json!({"token": "x".repeat(100), "type": "t", "url": ""}).to_string();
    let body = format!("[{}]", vec![alert.as_str(); 1_500].join(","));
    let answer = github.send(&app, "current", &body, &body).await.expect(200);
    assert_eq!(answer.json().as_array().unwrap().len(), 1_500);
    let body = format!("[{}]", vec![alert.as_str(); 3_000].join(","));
    github.send(&app, "current", &body, &body).await.problem(413, "body_too_large");
}

/// GitHub sends the text, and nobody knows under which pepper it stands.
#[tokio::test]
async fn github_is_told_of_keys_under_older_peppers_too() {
    let github = Github::new();
    let database = TestDatabase::migrated().await;
    let store = |versions: &[u8]| {
        let pepper =
            |version: &u8| (u32::from(*version), HashScheme::hmac_sha256(&[*version; 32]).unwrap());
        let schemes = KeySchemes::with_peppers(versions.iter().map(pepper).collect(), true);
        open_store_like(database.url(), |options| options.key_schemes = schemes)
    };
    let [now, before, first] = [&[2, 1][..], &[1], &[]].map(store);
    let ring = |settings: &mut HttpSettings| settings.github_keys = Some(github.ring());
    let app = TestApp::with_store(database, now, ring);
    let admin = app.as_admin().await;
    let keys = [
        app.with_key(&["read_metrics"]).await,
        app.with_key_of(&before, &["read_metrics"], |_| {}).await,
        app.with_key_of(&first, &["read_metrics"], |_| {}).await,
    ];
    let alerts: Vec<Value> =
        keys.iter().map(|key| json!({"token": key.secret, "type": "t"})).collect();
    let body = json!(alerts).to_string();
    let feedback = github.send(&app, "current", &body, &body).await.expect(200).json();
    for (row, key) in feedback.as_array().unwrap().iter().zip(&keys) {
        assert_eq!(row["label"], "true_positive", "{feedback}");
        key.get(SYNC).await.problem(401, "key_disabled");
    }
    assert_eq!(told(&admin).await.len(), 3);
}
