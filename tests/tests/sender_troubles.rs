//! Every trouble, as every sender is told of it: with what makes that sender do the right thing.
//!
//! Stripe tries again for days after anything but a 2xx; senders of Standard Webhooks and CloudEvents obey
//! `Retry-After` and give an endpoint up after a 410; PagerDuty tries again after a 429 or a 5xx,
//! Alertmanager after a 5xx alone, GitHub never.

use std::num::NonZeroU32;
use std::time::Duration;

use rr_keys::{KeyRecord, RateLimit};
use rr_tests::app::TestApp;
use rr_tests::sender::SENDERS;
use rr_webhooks::WebhookSecret;

const WEBHOOK: &str = "/api/devops/webhook";

/// A repeat, and what nobody has heard of, is no trouble: whoever sent it is done with it.
#[tokio::test]
async fn a_repeat_and_an_unknown_kind_are_taken() {
    let app = TestApp::init().await;
    for sender in &SENDERS {
        let key = app.with_key(&["write_webhooks"]).await;
        let first = sender.send(&key, WEBHOOK).await.expect(200).json();
        let again = sender.send(&key, WEBHOOK).await.expect(200).json();
        assert_eq!(again, first, "{}", sender.name);
        let other = sender.send_unknown(&key, WEBHOOK).await.expect(200).json();
        assert_ne!(other["webhook_id"], first["webhook_id"], "{}", sender.name);
    }
}

/// What will never be taken is a 4xx, so that nobody tries for ever, and never a 410.
#[tokio::test]
async fn what_will_never_be_taken_is_refused_for_good() {
    let guarded = TestApp::with_settings(|settings| {
        settings.webhook_secrets = vec![WebhookSecret::parse("a secret of this test").unwrap()];
    })
    .await;
    let key = guarded.with_key(&["write_webhooks"]).await;
    for sender in &SENDERS {
        let (name, value) = sender.bad_signature;
        for (refused, status, code) in [
            (sender.send(&key, WEBHOOK).header(name, value).await, 401, "signature_invalid"),
            (sender.send(&key, WEBHOOK).await, 401, "signature_missing"),
            (sender.send_too_much(&key, WEBHOOK).await, 413, "body_too_large"),
        ] {
            refused.problem(status, code);
            assert_eq!(refused.header("retry-after"), None, "{}", sender.name);
        }
    }
}

/// What passes says when to come back, and to Alertmanager alone it is no 429.
#[tokio::test]
async fn a_limit_is_told_so_that_everybody_comes_back() {
    let app = TestApp::init().await;
    for sender in &SENDERS {
        let limit = RateLimit { limit: NonZeroU32::MIN, window: Duration::from_secs(60) };
        let limited = |key: &mut KeyRecord| key.rate_limits = limit.into();
        let key = app.with_key_like(&["write_webhooks"], limited).await;
        sender.send(&key, WEBHOOK).await.expect(200);
        for _ in 0..2 {
            let refused = sender.send_unknown(&key, WEBHOOK).await;
            match sender.name {
                "Alertmanager" => refused.problem(503, "busy"),
                _ => refused.problem(429, "rate_limited"),
            };
            assert_eq!(refused.header("retry-after"), Some("60"), "{}", sender.name);
            assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=60"));
        }
    }
}
