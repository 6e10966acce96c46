//! A server that asks for signatures, and what signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rr_tests::app::{Key, TestApp};
use rr_tests::client::Call;
use rr_webhooks::WebhookSecret;
use serde_json::Value;
use sha2::Sha256;

pub(super) const WEBHOOK: &str = "/api/devops/webhook";
pub(super) const SECRET: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
pub(super) const BODY: &[u8] = br#"{"event_type":"hostile","amount": 1.50}"#;
pub(super) const LIMIT: usize = 1000;

/// A server that asks for signatures, and somebody who may send.
pub(super) struct Guarded {
    pub(super) app: TestApp,
    pub(super) key: Key,
    pub(super) now: i64,
}

/// The key that Standard Webhooks derives from the secret, and the one that everybody else does.
pub(super) fn decoded() -> Vec<u8> {
    STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap()
}
pub(super) const TEXT: &[u8] = SECRET.as_bytes();

pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Guarded {
    pub(super) async fn init() -> Guarded {
        let app = TestApp::with_settings(|settings| {
            settings.webhook_secrets = vec![WebhookSecret::parse(SECRET).unwrap()];
            settings.webhook_max_bytes = LIMIT;
        })
        .await;
        let key = app.with_key(&["write_webhooks"]).await;
        let now = app.clock.now().seconds();
        Guarded { app, key, now }
    }

    pub(super) fn call(&self, body: &[u8], headers: &[(&str, &str)]) -> Call {
        let call = self.key.call("POST", WEBHOOK).body("application/json", body);
        headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    }

    /// The hexadecimal signature of Stripe at a time.
    pub(super) fn v1(&self, time: i64, body: &[u8]) -> String {
        hex(&mac(TEXT, &[format!("{time}.").as_bytes(), body]))
    }

    pub(super) fn stripe(&self, header: &str) -> Call {
        self.call(BODY, &[("stripe-signature", header)])
    }

    /// The signature of Standard Webhooks, of this message, without its version.
    pub(super) fn base64(&self, id: &str, time: i64, body: &[u8]) -> String {
        STANDARD.encode(mac(&decoded(), &[format!("{id}.{time}.").as_bytes(), body]))
    }

    pub(super) fn standard(&self, id: &str, time: i64, signature: &str) -> Call {
        let time = time.to_string();
        let ids = [("webhook-id", id), ("webhook-timestamp", time.as_str())];
        self.call(BODY, &[ids[0], ids[1], ("webhook-signature", signature)])
    }

    /// Sends all of these, and asserts that each is refused with this status and code and that nothing
    /// is kept of it.
    pub(super) async fn refused(&self, calls: Vec<Call>, status: u16, code: &str) -> Vec<Value> {
        let before = self.app.counts().await;
        let mut problems = Vec::new();
        for call in calls {
            problems.push(call.await.problem(status, code));
        }
        assert_eq!(self.app.counts().await, before, "something of a refused request was kept");
        problems
    }
}

pub(super) fn hint(problem: &Value) -> &str {
    problem["signature_hints"][0]["code"].as_str().unwrap_or_default()
}
