//! Two forms of signature, one secret.
//!
//! `X-Webhook-Signature: sha256=<hex>` is HMAC-SHA256 of the body. Standard Webhooks signs
//! `id.timestamp.body` and sends a list, so that a secret can be rolled; where its header is
//! there it decides, because it also binds the id and the time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rr_domain::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::headers::Headers;
use crate::{Refusal, WebhookSecret};

/// How far the signed time may be from now, either way, in seconds. Exactly this far passes.
const TOLERANCE: u64 = 300;

/// Checks that whoever sent this knows the secret.
pub(crate) fn verify(
    headers: Headers<'_>,
    body: &[u8],
    received_at: Timestamp,
    secret: &WebhookSecret,
) -> Result<(), Refusal> {
    if let Some(list) = headers.single("webhook-signature")? {
        verify_standard(headers, list, body, received_at, secret)
    } else if let Some(signature) = headers.single("x-webhook-signature")? {
        verify_plain(signature, body, secret)
    } else {
        Err(Refusal::SignatureMissing)
    }
}

fn verify_plain(signature: &[u8], body: &[u8], secret: &WebhookSecret) -> Result<(), Refusal> {
    let expected = hex(&hmac(secret.plain_key(), &[body])?);
    let given = signature.strip_prefix(b"sha256=").ok_or(Refusal::SignatureInvalid)?;
    decide(given.ct_eq(expected.as_bytes()))
}

fn verify_standard(
    headers: Headers<'_>,
    list: &[u8],
    body: &[u8],
    received_at: Timestamp,
    secret: &WebhookSecret,
) -> Result<(), Refusal> {
    let id =
        headers.id("webhook-id")?.ok_or_else(|| Refusal::header("webhook-id", "is missing"))?;
    if id.contains('.') {
        // The parts are joined with dots: with one inside, another id would have the same signature.
        return Err(Refusal::header("webhook-id", "must not contain a dot"));
    }
    let timestamp = headers
        .single("webhook-timestamp")?
        .ok_or_else(|| Refusal::header("webhook-timestamp", "is missing"))?;
    let sent_at = whole_seconds(timestamp)
        .ok_or_else(|| Refusal::header("webhook-timestamp", "must be whole seconds since 1970"))?;

    let key = secret.standard_key().ok_or(Refusal::SignatureInvalid)?;
    let expected = hmac(key, &[id.as_bytes(), b".", timestamp, b".", body])?;
    // Every entry is compared, also after a match: the time taken tells nothing about which one.
    let any = list
        .split(u8::is_ascii_whitespace)
        .filter_map(|entry| entry.strip_prefix(b"v1,"))
        .filter_map(|signature| STANDARD.decode(signature).ok())
        .fold(Choice::from(0), |any, signature| any | signature.ct_eq(&expected));
    decide(any)?;

    if received_at.seconds().abs_diff(sent_at) > TOLERANCE {
        return Err(Refusal::SignatureExpired);
    }
    Ok(())
}

/// Digits only: no sign, no fraction, no infinity. Twelve of them reach beyond the year 30000.
fn whole_seconds(text: &[u8]) -> Option<i64> {
    if text.len() > 12 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], Refusal> {
    // HMAC takes a key of any length, so this never fails; refusing is the safe answer if it did.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Refusal::SignatureInvalid)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decide(equal: Choice) -> Result<(), Refusal> {
    if equal.into() { Ok(()) } else { Err(Refusal::SignatureInvalid) }
}

#[cfg(test)]
mod tests;
