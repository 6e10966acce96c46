//! The signature of a request, in the forms that senders have.
//!
//! | header | signed bytes | signature | key |
//! |---|---|---|---|
//! | `Webhook-Signature` (Standard Webhooks), `Svix-Signature` | id `.` time `.` body | base64, `v1` HMAC or `v1a` Ed25519 | decoded |
//! | `Stripe-Signature` | time `.` body | hexadecimal, `v1` | text |
//! | `X-Hub-Signature-256` (GitHub), `X-Webhook-Signature` | body | hexadecimal, `sha256` | text |
//! | `X-PagerDuty-Signature` | body | hexadecimal, `v1` | text |
//!
//! Where a request carries several, the first in this list decides, because it binds the most. GitLab has a token
//! instead, which binds nothing.
//! HMAC is HMAC-SHA256 throughout.

mod doctor;
mod list;
mod standard;
mod token;

pub use doctor::{SignatureHint, diagnose};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use hmac::{Hmac, KeyInit, Mac};
use rr_domain::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::headers::Headers;
use crate::{Format, Incoming, Policy, Refusal, WebhookSecret};

/// How far the signed time may be from now, either way, in seconds. Exactly this far passes.
const TOLERANCE: u64 = 300;

/// The most Ed25519 signatures of one request that are tried: each costs a hundred HMACs.
const MOST_ED25519: usize = 8;

/// Checks that whoever sent this knows one of the secrets: by a signature, or as GitLab shows it.
pub(crate) fn prove(incoming: &Incoming<'_>, policy: &Policy<'_>) -> Result<(), Refusal> {
    let Incoming { headers, body, received_at, .. } = *incoming;
    let headers = Headers(headers);
    if policy.format == Format::Gitlab
        && Shown::read(headers)?.is_none()
        && let Some(token) = token::read(headers)?
    {
        return token::check(token, received_at, policy.secrets);
    }
    verify(headers, body, received_at, policy.secrets)
}

/// Checks that this is signed with one of the secrets.
fn verify(
    headers: Headers<'_>,
    body: &[u8],
    received_at: Timestamp,
    secrets: &[WebhookSecret],
) -> Result<(), Refusal> {
    let shown = Shown::read(headers)?.ok_or(Refusal::SignatureMissing)?;
    // Every secret is tried, also after a match: the time taken tells nothing about which one.
    let any = secrets
        .iter()
        .filter(|secret| secret.is_valid_at(received_at))
        .fold(Choice::from(0), |any, secret| any | shown.is_by(secret, body));
    if !bool::from(any) {
        return Err(Refusal::SignatureInvalid);
    }
    // Only who holds a secret learns that a time is old.
    if shown.sent_at.is_some_and(|sent_at| received_at.seconds().abs_diff(sent_at) > TOLERANCE) {
        return Err(Refusal::SignatureExpired);
    }
    Ok(())
}

/// Whether a request shows a proof that can be looked at, good or not.
pub fn is_signed(headers: &[(&str, &[u8])]) -> bool {
    let headers = Headers(headers);
    match Shown::read(headers) {
        Ok(Some(_)) => true,
        Ok(None) => matches!(token::read(headers), Ok(Some(_))),
        Err(_) => false,
    }
}

/// Whether a request shows, now, that its sender knows one of the secrets.
pub fn is_signed_with(incoming: &Incoming<'_>, policy: &Policy<'_>) -> bool {
    prove(incoming, policy).is_ok()
}

/// Which header shows the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Standard,
    Svix,
    Stripe,
    GitHub,
    PagerDuty,
    Plain,
}

impl Scheme {
    /// In the order in which they decide.
    const ALL: [Scheme; 6] = [
        Scheme::Standard,
        Scheme::Svix,
        Scheme::Stripe,
        Scheme::GitHub,
        Scheme::PagerDuty,
        Scheme::Plain,
    ];

    fn header(self) -> &'static str {
        match self {
            Scheme::Standard => "webhook-signature",
            Scheme::Svix => "svix-signature",
            Scheme::Stripe => "stripe-signature",
            Scheme::GitHub => "x-hub-signature-256",
            Scheme::PagerDuty => "x-pagerduty-signature",
            Scheme::Plain => "x-webhook-signature",
        }
    }

    /// Whether the key is what the secret decodes to.
    fn decodes(self) -> bool {
        matches!(self, Scheme::Standard | Scheme::Svix)
    }
}

/// The signatures of a request and what they sign.
#[derive(Debug)]
struct Shown {
    scheme: Scheme,
    /// What is signed before the body.
    before: Vec<u8>,
    /// The signed time, where there is one.
    sent_at: Option<i64>,
    hmacs: Vec<[u8; 32]>,
    ed25519: Vec<[u8; 64]>,
}

impl Shown {
    fn read(headers: Headers<'_>) -> Result<Option<Shown>, Refusal> {
        for scheme in Scheme::ALL {
            if let Some(value) = headers.single(scheme.header())? {
                return match scheme {
                    Scheme::Standard => standard::read(headers, scheme, "webhook", value),
                    Scheme::Svix => standard::read(headers, scheme, "svix", value),
                    Scheme::Stripe => list::read_stripe(value),
                    Scheme::PagerDuty => Ok(list::read(scheme, b"v1=", value)),
                    Scheme::GitHub | Scheme::Plain => Ok(list::read_one(scheme, value)),
                }
                .map(Some);
            }
        }
        Ok(None)
    }

    /// Whether one of the signatures was made with this secret.
    fn is_by(&self, secret: &WebhookSecret, body: &[u8]) -> Choice {
        let key = if self.scheme.decodes() { secret.decoded_key() } else { secret.text_key() };
        if let Some(expected) = key.and_then(|key| hmac(key, &[&self.before, body])) {
            let any = Choice::from(0);
            return self.hmacs.iter().fold(any, |any, shown| any | shown.ct_eq(&expected));
        }
        let Some(key) = secret.public_key() else { return Choice::from(0) };
        // Nothing here is secret: neither the key nor the signature.
        let key = UnparsedPublicKey::new(&ED25519, key);
        let signed = [&self.before, body].concat();
        let good = self.ed25519.iter().any(|shown| key.verify(&signed, shown).is_ok());
        Choice::from(u8::from(good))
    }
}

/// Digits only: no sign, no fraction, no infinity. Twelve of them reach beyond the year 30000.
fn whole_seconds(text: &[u8]) -> Option<i64> {
    if text.len() > 12 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// HMAC-SHA256. It takes a key of any length, so there always is one.
fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
