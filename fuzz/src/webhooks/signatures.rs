//! The signatures of webhooks, each held against a rule that only ever makes them and compares texts.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rr_webhooks::{Format, Policy, WebhookSecret, accept, diagnose};
use sha2::Sha256;

use super::{MOST_BYTES, is_modest};
use crate::request::{NOW, Request, incoming};

/// The shared secret: what stands behind the prefix, in base64.
const SHARED: &str = concat!("MfKQ9r8GKYqrTwjUPD8I", "LPZIo2LaLaSw");
/// The key pair of Ed25519: a seed and its public half.
const SEED: [u8; 32] = [7; 32];

pub(crate) fn standard(bytes: &[u8]) -> bool {
    verifies(bytes, "webhook-signature")
}

pub(crate) fn svix(bytes: &[u8]) -> bool {
    verifies(bytes, "svix-signature")
}

pub(crate) fn stripe(bytes: &[u8]) -> bool {
    verifies(bytes, "stripe-signature")
}

pub(crate) fn github(bytes: &[u8]) -> bool {
    verifies(bytes, "x-hub-signature-256")
}

pub(crate) fn pagerduty(bytes: &[u8]) -> bool {
    verifies(bytes, "x-pagerduty-signature")
}

pub(crate) fn plain(bytes: &[u8]) -> bool {
    verifies(bytes, "x-webhook-signature")
}

/// What can be known about a signature.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Old,
    Wrong,
    Unreadable,
    Missing,
}

/// Judges a request as it is, and with one bit of its body changed. For `$right` in the header, and
/// `$curve`, the right signature is put in: nothing can be found behind a lock that no fuzzer opens.
fn verifies(bytes: &[u8], header: &'static str) -> bool {
    let mut request = Request::read(bytes);
    let others = ["webhook-signature", "svix-signature", "stripe-signature", "x-hub-signature-256"];
    let others = [&others[..], &["x-pagerduty-signature", "x-webhook-signature"]].concat();
    request.headers.retain(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name == header || !others.contains(&&*name)
    });
    let right = signed(header, &request);
    for (name, value) in &mut request.headers {
        if name.eq_ignore_ascii_case(header) {
            let mut text = String::from_utf8_lossy(value).into_owned();
            for (name, right) in ["$right", "$curve"].into_iter().zip(&right) {
                text = text.replace(name, right);
            }
            *value = text.into_bytes();
        }
    }
    let good = judge(header, &request) == Verdict::Good;
    if let Some(byte) = request.body.get_mut(bytes.len() % 7) {
        *byte ^= 1;
        judge(header, &request);
    }
    good
}

/// The verdict, on which both sides agree.
fn judge(header: &str, request: &Request) -> Verdict {
    let (shared, pair) = (concat!("wh", "sec_"), Ed25519KeyPair::from_seed_unchecked(&SEED).ok());
    let public = pair.map(|pair| STANDARD.encode(public_of(&pair))).unwrap_or_default();
    let texts = [format!("{shared}{SHARED}"), format!("{}{public}", concat!("wh", "pk_"))];
    let secrets: Vec<WebhookSecret> =
        texts.iter().filter_map(|text| WebhookSecret::parse(text).ok()).collect();
    assert_eq!(secrets.len(), 2);
    let policy = Policy { secrets: &secrets, max_bytes: MOST_BYTES, format: Format::Auto };
    let fields = request.fields();
    let incoming = incoming(&fields, &request.body);
    let verdict = slowly(header, request);
    let outcome = accept(&incoming, &policy).map_err(|refusal| {
        is_modest(&refusal);
        refusal.code()
    });
    let fits = match outcome {
        Ok(_) => verdict == Verdict::Good,
        Err("signature_invalid") => verdict == Verdict::Wrong,
        Err("signature_expired") => verdict == Verdict::Old,
        Err("signature_missing") => verdict == Verdict::Missing,
        // Other headers may be wrong too.
        Err("invalid_header") => matches!(verdict, Verdict::Unreadable | Verdict::Good),
        Err(_) => verdict == Verdict::Good,
    };
    assert!(fits, "{outcome:?} where the slow rule says {verdict:?}: {fields:?}");
    // The doctor may hash for milliseconds, so it is asked about what is short.
    let short = request.body.len() <= 512;
    let hints = if short { diagnose(&incoming, &secrets) } else { Vec::new() };
    assert!(hints.len() <= 8 && (hints.is_empty() || verdict != Verdict::Good), "{hints:?}");
    for hint in hints {
        assert!(hint.detail.len() <= 512, "{hint:?}");
        let mut secret = signed(header, request).into_iter().chain([SHARED.to_owned()]);
        assert!(!secret.any(|secret| hint.detail.contains(&secret)), "{hint:?}");
    }
    verdict
}

/// The rule: a signature is right when it is the text that the secret makes.
fn slowly(header: &str, request: &Request) -> Verdict {
    let lists = request.values(header);
    let [list] = lists[..] else {
        return if lists.is_empty() { Verdict::Missing } else { Verdict::Unreadable };
    };
    let list = list.trim_ascii();
    let is_standard = ["webhook-signature", "svix-signature"].contains(&header);
    let sent_at = match header {
        _ if is_standard => match standard_time(header, request) {
            Some(at) => Some(at),
            None => return Verdict::Unreadable,
        },
        "stripe-signature" => match stripe_time(list) {
            Some(at) => Some(at),
            None => return Verdict::Unreadable,
        },
        _ => None,
    };
    let right = signed(header, request);
    let separator: &[u8] = match header {
        _ if is_standard => b" \t\n\x0c\r",
        "stripe-signature" | "x-pagerduty-signature" => b",",
        _ => b"",
    };
    let entries = list.split(|byte| separator.contains(byte)).map(<[u8]>::trim_ascii);
    let is_right = |entry: &[u8]| right.iter().any(|right| right.as_bytes() == entry);
    let tried = entries.clone().filter(|entry| entry.starts_with(b"v1a,"));
    let tried = tried.filter(|entry| STANDARD.decode(&entry[4..]).is_ok_and(|key| key.len() == 64));
    let any = entries.filter(|entry| !entry.starts_with(b"v1a,")).any(is_right)
        || tried.take(8).any(|entry| is_right(entry) || is_ed25519(header, request, entry));
    match sent_at {
        _ if !any => Verdict::Wrong,
        Some(at) if at.abs_diff(NOW) > 300 => Verdict::Old,
        _ => Verdict::Good,
    }
}

/// The right texts: the HMAC first, then, where there is one, the signature of Ed25519.
fn signed(header: &str, request: &Request) -> Vec<String> {
    let text = [concat!("wh", "sec_"), SHARED].concat();
    let hex = |before: &[u8]| -> String {
        let mac = hmac(text.as_bytes(), &[before, &request.body].concat());
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    match header {
        "webhook-signature" | "svix-signature" => {
            let message = standard_message(header, request);
            let key = STANDARD.decode(SHARED).unwrap_or_default();
            let mac = STANDARD.encode(hmac(&key, &message));
            let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).ok();
            let curve = pair.map(|pair| STANDARD.encode(pair.sign(&message).as_ref()));
            let curve = curve.map(|signature| format!("v1a,{signature}"));
            [format!("v1,{mac}")].into_iter().chain(curve).collect()
        }
        "stripe-signature" => {
            let time = request.values(header).first().and_then(|list| stripe_seconds(list));
            vec![format!("v1={}", hex(&[time.unwrap_or_default(), b"."].concat()))]
        }
        "x-pagerduty-signature" => vec![format!("v1={}", hex(b""))],
        _ => vec![format!("sha256={}", hex(b""))],
    }
}

fn standard_message(header: &str, request: &Request) -> Vec<u8> {
    let [id, time] = parts(header, request).unwrap_or_default();
    [id, b".", time, b".", &request.body].concat()
}

/// Id and time, where each stands there once.
fn parts<'a>(header: &str, request: &'a Request) -> Option<[&'a [u8]; 2]> {
    let family = header.trim_end_matches("-signature");
    let one = |name: &str| match request.values(&format!("{family}-{name}"))[..] {
        [value] => Some(value.trim_ascii()),
        _ => None,
    };
    Some([one("id")?, one("timestamp")?])
}

fn standard_time(header: &str, request: &Request) -> Option<i64> {
    let [id, time] = parts(header, request)?;
    let good =
        (1..=255).contains(&id.len()) && id.iter().all(|b| b.is_ascii_graphic() && *b != b'.');
    if good { seconds(time) } else { None }
}

fn stripe_seconds(list: &[u8]) -> Option<&[u8]> {
    let entries = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let times: Vec<&[u8]> = entries.filter_map(|entry| entry.strip_prefix(b"t=")).collect();
    if let [time] = times[..] { Some(time) } else { None }
}

fn stripe_time(list: &[u8]) -> Option<i64> {
    seconds(stripe_seconds(list)?)
}

/// One to twelve digits.
fn seconds(text: &[u8]) -> Option<i64> {
    let digits = (1..=12).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |all, digit| all * 10 + i64::from(digit - b'0')))
}

/// A signature of Ed25519 may be made in more than one way, so here the text does not decide.
fn is_ed25519(header: &str, request: &Request, entry: &[u8]) -> bool {
    let Ok(pair) = Ed25519KeyPair::from_seed_unchecked(&SEED) else { return false };
    let key = UnparsedPublicKey::new(&ED25519, public_of(&pair));
    let signature = STANDARD.decode(&entry[4..]).unwrap_or_default();
    key.verify(&standard_message(header, request), &signature).is_ok()
}

fn public_of(pair: &Ed25519KeyPair) -> Vec<u8> {
    use aws_lc_rs::signature::KeyPair as _;
    pair.public_key().as_ref().to_vec()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // It takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
