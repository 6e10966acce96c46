//! The header lines of a request, through the whole gate: what they show, and what the answer says.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, Response};
use rr_keys::adapters::TowerGate;
use rr_keys::{HashScheme, Issued, KeyFormat, KeyRecord, MemoryStore, Verifier, VerifierOptions};
use tower_layer::Layer;
use tower_service::Service;
use uuid::Uuid;

use crate::request::{NOW, Request};

/// No answer is longer than this, whatever was sent.
const LONGEST_ANSWER: usize = 1_024;

/// Three keys; seeds name them, because a key written out would alarm whoever scans for secrets.
struct Keys {
    good: Issued,
    over: Issued,
    unknown: Issued,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let key = |n| KeyFormat::REVENUE_RIPPLE.issue(|buffer: &mut [u8]| buffer.fill(n));
    Keys { good: key(1), over: key(2), unknown: key(3) }
});

/// Sends the header lines and compares the answer with the slow rule's.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let lines = lines(bytes);
    let (status, answer) = send(&lines);
    let expected = slowly(&lines);
    assert_eq!(status, expected, "{lines:?}");
    assert!(answer.len() <= LONGEST_ANSWER, "{} bytes of answer", answer.len());
    for key in [&KEYS.good, &KEYS.over, &KEYS.unknown] {
        let secret = &key.secret.expose()[key.hint.len()..];
        assert!(!answer.contains(secret), "a secret in the answer");
    }
    status == 200
}

/// The lines as they travel: what is no header value cannot.
fn lines(bytes: &[u8]) -> Vec<(HeaderName, HeaderValue)> {
    let keys = &*KEYS;
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for (name, key) in [("$good", &keys.good), ("$over", &keys.over), ("$unknown", &keys.unknown)] {
        text = text.replace(name, key.secret.expose());
    }
    let named = |(name, value): (String, Vec<u8>)| {
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::from_bytes(&value).ok()?))
    };
    Request::read(text.as_bytes()).headers.into_iter().filter_map(named).collect()
}

/// The status by the rule: one credential, or several that are the same; of it, a key that is good.
fn slowly(lines: &[(HeaderName, HeaderValue)]) -> u16 {
    let mut shown = Vec::new();
    for (name, value) in lines {
        let value = value.as_bytes();
        let words: Vec<&[u8]> = value.splitn(2, |byte| *byte == b' ').collect();
        if name == "x-api-key" {
            shown.push((true, value));
        } else if name == "authorization" && words[0].eq_ignore_ascii_case(b"bearer") {
            shown.push((true, words.get(1).copied().unwrap_or_default().trim_ascii_start()));
        } else if name == "authorization" {
            shown.push((false, value));
        }
    }
    shown.sort_unstable();
    shown.dedup();
    match shown[..] {
        [] | [(false, _)] => 401,
        [(true, key)] if key == KEYS.good.secret.expose().as_bytes() => 200,
        [(true, _)] => 401,
        _ => 400,
    }
}

/// The answer of a service behind the gate, and its fields and body as one text.
fn send(lines: &[(HeaderName, HeaderValue)]) -> (u16, String) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs());
    let store = MemoryStore::new();
    let record = KeyRecord::new(Uuid::from_u128(1), "good", now);
    store.insert(KEYS.good.hash(&HashScheme::default()), record.clone());
    let over = KeyRecord { id: Uuid::from_u128(2), expires_at: Some(now), ..record };
    store.insert(KEYS.over.hash(&HashScheme::default()), over);
    let options =
        VerifierOptions { capacity: 4, unknown_capacity: 4, ..VerifierOptions::default() };
    let verifier = Arc::new(Verifier::new(store, options));
    let gate = TowerGate::new(verifier, move || now, |_| None);
    let mut request = http::Request::new(());
    for (name, value) in lines {
        request.headers_mut().append(name, value.clone());
    }
    let mut service = gate.any_key().layer(Behind);
    let mut answer = pin!(service.call(request));
    // The store is in memory, so nothing has to be waited for.
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) => (answer.status().as_u16(), format!("{answer:?}")),
        Poll::Pending => (0, String::new()),
    }
}

#[derive(Clone)]
struct Behind;

impl Service<http::Request<()>> for Behind {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<()>) -> Self::Future {
        ready(Ok(Response::new(String::new())))
    }
}
