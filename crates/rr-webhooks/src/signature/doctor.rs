//! Why a signature does not match: the mistakes people make, tried one after the other.
//!
//! Whatever signature the request shows is compared with what each secret would give for the body
//! as it came and as it may have been before someone rewrote it, over each of the forms of signed
//! bytes, with either way of reading the secret. What matches is told as the list of its
//! differences from what should have been sent. Nothing is told to who has no secret: without one,
//! nothing matches. An Ed25519 signature has one form and one spelling, so of it only the body, the
//! key and the clock are looked at.

mod bodies;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use rr_domain::Timestamp;
use serde::Serialize;
use subtle::ConstantTimeEq;

use super::{Scheme, Shown, TOLERANCE, hmac, verify, whole_seconds};
use crate::headers::Headers;
use crate::{Incoming, Refusal, WebhookSecret};
use bodies::{Rewritten, candidates};

/// How much is written anew and hashed for one request in search of its mistake, in bytes: some milliseconds.
const BUDGET: usize = 8 << 20;

/// What checking one Ed25519 signature takes, as so many bytes to hash.
const ED25519_COST: usize = 64 << 10;

/// The most signatures of one request that are looked at.
const MOST_SHOWN: usize = 16;

/// Headers that other senders put a signature into.
const FOREIGN: [&str; 4] = ["x-signature", "x-signature-256", "x-hub-signature", "signature"];

/// One thing that is wrong with a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignatureHint {
    /// What it is, as a stable word.
    pub code: &'static str,
    /// The same in a sentence.
    pub detail: String,
}

/// Says what is wrong with a signature that was refused, as far as that can be found out. The
/// caller must have shown a credential of its own; no hint holds a secret or a right signature.
pub fn diagnose(incoming: &Incoming<'_>, secrets: &[WebhookSecret]) -> Vec<SignatureHint> {
    let Incoming { headers, body, received_at, .. } = *incoming;
    let headers = Headers(headers);
    match verify(headers, body, received_at, secrets) {
        Ok(()) => Vec::new(),
        Err(Refusal::SignatureExpired) => clock(headers, received_at).collect(),
        Err(_) => search(headers, body, received_at, secrets)
            .or_else(|| search_ed25519(headers, body, received_at, secrets))
            .unwrap_or_default(),
    }
}

/// What is signed, with which reading of the secret.
#[derive(Debug)]
struct Way {
    form: Form,
    /// What stands before the body.
    before: Vec<u8>,
    decoded: bool,
}

/// Which bodies a pass of the search tries.
#[derive(Debug, Clone, Copy)]
enum Pass {
    All,
    AsSent,
    Rewritten,
}

/// A way to sign.
#[derive(Debug, Clone, Copy)]
struct Recipe<'a> {
    secret: &'a WebhookSecret,
    decoded: bool,
    form: Form,
    body: Rewritten,
}

/// What is signed before the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Body,
    TimeBody,
    IdTimeBody,
}

/// A signature as some header shows it.
#[derive(Debug)]
struct Found {
    header: &'static str,
    bytes: [u8; 32],
    base64: bool,
}

/// Tries the recipes and tells the differences of the one that matches with the fewest. First those of the
/// header that shows the signature, with each body there may have been: a large body uses the budget up
/// before everything is tried, and a body that was rewritten is the commonest mistake. Then the other forms and
/// keys with the body as it came, and last with the others.
fn search(
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
    secrets: &[WebhookSecret],
) -> Option<Vec<SignatureHint>> {
    let found = shown(headers);
    if found.is_empty() {
        return None;
    }
    let (own, other): (Vec<Way>, Vec<Way>) =
        ways(headers).into_iter().partition(|way| found.iter().any(|shown| way.is_of(shown)));
    let mut budget = BUDGET;
    for (ways, pass) in [(&own, Pass::All), (&other, Pass::AsSent), (&other, Pass::Rewritten)] {
        for (rewritten, text) in candidates(body) {
            // Writing it took as long as hashing it does.
            budget = budget.checked_sub(text.len())?;
            let is_as_sent = rewritten == Rewritten::Nothing;
            match pass {
                Pass::AsSent if !is_as_sent => break,
                Pass::Rewritten if is_as_sent => continue,
                _ => {}
            }
            let mut best: Option<Vec<SignatureHint>> = None;
            for (secret, way) in secrets.iter().flat_map(|one| ways.iter().map(move |w| (one, w))) {
                let key = if way.decoded { secret.decoded_key() } else { secret.text_key() };
                let Some(key) = key else { continue };
                let Some(left) = budget.checked_sub(way.before.len() + text.len() + 256) else {
                    return best;
                };
                budget = left;
                let Some(mac) = hmac(key, &[&way.before, &text]) else { continue };
                let Way { form, decoded, .. } = *way;
                let recipe = Recipe { secret, decoded, form, body: rewritten };
                for shown in found.iter().filter(|shown| shown.bytes.ct_eq(&mac).into()) {
                    let hints = recipe.differences(shown, headers, now);
                    if best.as_ref().is_none_or(|best| hints.len() < best.len()) {
                        best = Some(hints);
                    }
                }
            }
            if best.is_some() {
                return best;
            }
        }
    }
    None
}

/// The same for the signatures that a public key checks.
fn search_ed25519(
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
    secrets: &[WebhookSecret],
) -> Option<Vec<SignatureHint>> {
    let shown = Shown::read(headers).ok().flatten()?;
    let mut budget = BUDGET;
    for (rewritten, text) in candidates(body) {
        budget = budget.checked_sub(text.len())?;
        for secret in secrets.iter().filter(|secret| secret.public_key().is_some()) {
            budget = budget.checked_sub(shown.ed25519.len() * (text.len() + ED25519_COST))?;
            if shown.is_by(secret, &text).into() {
                let found = Found { header: shown.scheme.header(), bytes: [0; 32], base64: true };
                let (form, body) = (form_of(shown.scheme), rewritten);
                let recipe = Recipe { secret, decoded: true, form, body };
                return Some(recipe.differences(&found, headers, now));
            }
        }
    }
    None
}

impl Way {
    /// Whether this is how the header that shows a signature has it; one that nobody reads could be of any.
    fn is_of(&self, shown: &Found) -> bool {
        let scheme = Scheme::ALL.into_iter().find(|scheme| scheme.header() == shown.header);
        scheme.is_none_or(|scheme| form_of(scheme) == self.form && scheme.decodes() == self.decoded)
    }
}

impl Recipe<'_> {
    /// What sets this apart from what the header should have held.
    fn differences(
        &self,
        shown: &Found,
        headers: Headers<'_>,
        now: Timestamp,
    ) -> Vec<SignatureHint> {
        let mut hints = Vec::new();
        let mut add = |code, detail: String| hints.push(SignatureHint { code, detail });
        let scheme = Scheme::ALL.into_iter().find(|scheme| scheme.header() == shown.header);
        let header = shown.header;
        match scheme {
            None => add(
                "other_header",
                format!("the signature in {header} belongs into {}", self.form.home()),
            ),
            Some(scheme) if form_of(scheme) != self.form => add(
                "other_scheme",
                format!(
                    "{header} signs {}, but the signature is that of {}",
                    form_of(scheme).words(),
                    self.form.words(),
                ),
            ),
            Some(scheme) if scheme.decodes() == shown.base64 => {}
            Some(_) if shown.base64 => add(
                "base64_instead_of_hex",
                format!("the signature in {header} must be hexadecimal, not base64"),
            ),
            Some(_) => add(
                "hex_instead_of_base64",
                format!("the signature in {header} must be base64, not hexadecimal"),
            ),
        }
        let decodes = scheme.map_or(self.form == Form::IdTimeBody, Scheme::decodes);
        if decodes && !self.decoded {
            add(
                "secret_not_decoded",
                "the secret was used as text; its key is what follows whsec_, decoded from base64"
                    .to_owned(),
            );
        } else if self.decoded && !decodes {
            add(
                "secret_decoded",
                format!("the secret was decoded from base64; {header} uses it as text, whole"),
            );
        }
        if let Some(words) = self.body.words() {
            add(self.body.code(), words.to_owned());
        }
        if !self.secret.is_valid_at(now) {
            add(
                "previous_secret",
                "the signature was made with a previous secret, which is no longer accepted"
                    .to_owned(),
            );
        }
        if self.form != Form::Body {
            hints.extend(clock(headers, now));
        }
        if hints.is_empty() {
            hints.push(SignatureHint {
                code: "spelling",
                detail: format!("the signature is right and must be written {}", spelled(scheme)),
            });
        }
        hints
    }
}

impl Form {
    fn words(self) -> &'static str {
        match self {
            Form::Body => "the body alone",
            Form::TimeBody => "time.body",
            Form::IdTimeBody => "id.time.body",
        }
    }

    /// The header that a signature of this form belongs into.
    fn home(self) -> &'static str {
        match self {
            Form::Body => "X-Webhook-Signature",
            Form::TimeBody => "Stripe-Signature",
            Form::IdTimeBody => "Webhook-Signature",
        }
    }
}

fn form_of(scheme: Scheme) -> Form {
    match scheme {
        Scheme::Standard | Scheme::Svix => Form::IdTimeBody,
        Scheme::Stripe => Form::TimeBody,
        Scheme::GitHub | Scheme::PagerDuty | Scheme::Plain => Form::Body,
    }
}

fn spelled(scheme: Option<Scheme>) -> &'static str {
    match scheme {
        Some(Scheme::Standard | Scheme::Svix) => "v1,<base64 with padding>",
        Some(Scheme::Stripe) => "t=<seconds>,v1=<64 lower-case hexadecimal digits>",
        Some(Scheme::PagerDuty) => "v1=<64 lower-case hexadecimal digits>",
        Some(Scheme::GitHub | Scheme::Plain) | None => "sha256=<64 lower-case hexadecimal digits>",
    }
}

/// Every signature that some header shows, in whatever spelling.
fn shown(headers: Headers<'_>) -> Vec<Found> {
    let known = Scheme::ALL.into_iter().map(Scheme::header);
    let mut found = Vec::new();
    for header in known.chain(FOREIGN) {
        let value = headers.single(header).ok().flatten().unwrap_or_default();
        for token in value.split(|byte| matches!(byte, b',' | b' ')) {
            let token = [&b"sha256="[..], b"v1="]
                .iter()
                .fold(token, |token, prefix| token.strip_prefix(*prefix).unwrap_or(token));
            if let Some((bytes, base64)) = read(token) {
                found.push(Found { header, bytes, base64 });
            }
        }
    }
    found.truncate(MOST_SHOWN);
    found
}

fn read(token: &[u8]) -> Option<([u8; 32], bool)> {
    if let Some(bytes) = unhex(token) {
        return Some((bytes, false));
    }
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(token).ok()?.try_into().ok())
        .map(|bytes| (bytes, true))
}

/// Hexadecimal digits in any case.
fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect();
    bytes?.try_into().ok()
}

/// The ways there are, by the ids and times of the request.
fn ways(headers: Headers<'_>) -> Vec<Way> {
    let mut befores = vec![(Form::Body, Vec::new())];
    for (time, id) in times(headers) {
        befores.push((Form::TimeBody, [time, b"."].concat()));
        if let Some(id) = id {
            befores.push((Form::IdTimeBody, [id, b".", time, b"."].concat()));
        }
    }
    let both = |(form, before): (Form, Vec<u8>)| {
        [false, true].map(|decoded| Way { form, before: before.clone(), decoded })
    };
    befores.into_iter().flat_map(both).collect()
}

/// The times of the request, each with the id beside it.
fn times(headers: Headers<'_>) -> Vec<(&[u8], Option<&[u8]>)> {
    let one = |name| headers.single(name).ok().flatten();
    let mut times = Vec::new();
    for (time, id) in [("webhook-timestamp", "webhook-id"), ("svix-timestamp", "svix-id")] {
        times.extend(one(time).map(|time| (time, one(id))));
    }
    let stripe = one(Scheme::Stripe.header()).unwrap_or_default();
    let time = stripe.split(|byte| *byte == b',').find_map(|entry| entry.strip_prefix(b"t="));
    times.extend(time.map(|time| (time, None)));
    times
}

/// How far the sender's clock, or the request, is behind or ahead.
fn clock(headers: Headers<'_>, now: Timestamp) -> impl Iterator<Item = SignatureHint> {
    let off = times(headers).into_iter().find_map(|(time, _)| whole_seconds(time));
    let off =
        off.map(|sent_at| now.seconds() - sent_at).filter(|off| off.unsigned_abs() > TOLERANCE);
    off.into_iter().map(|off| SignatureHint {
        code: "clock_off",
        detail: format!(
            "the signed time is {} s {} this server's clock; at most {TOLERANCE} are allowed",
            off.unsigned_abs(),
            if off > 0 { "behind" } else { "ahead of" },
        ),
    })
}

#[cfg(test)]
mod tests;
