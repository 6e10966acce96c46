//! Keys that a verifier has in memory, and their texts.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use rr_keys::{KeyFormat, KeyHash, KeyRecord, KeyStore, Request, Verifier, VerifierOptions};
use uuid::Uuid;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// A store in which every key exists, so that it takes no memory of its own.
struct Everyone;

impl KeyStore for Everyone {
    type Error = Infallible;

    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, Infallible>> + Send {
        ready(Ok(Some(record(Uuid::from_slice(&hash.as_bytes()[..16]).unwrap()))))
    }
}

/// An ordinary record: a name, the two permissions of a new key, a year to live.
pub(crate) fn record(id: Uuid) -> KeyRecord {
    KeyRecord {
        permissions: ["read_metrics", "write_webhooks"].into_iter().collect(),
        expires_at: Some(NOW + Duration::from_secs(365 * 24 * 3_600)),
        ..KeyRecord::new(id, "DevOps Integration Key", NOW)
    }
}

/// Texts of one length in one block of memory, and the verifier that knows them.
pub(crate) struct Keys {
    verifier: Arc<Verifier<Everyone>>,
    texts: String,
    length: usize,
}

impl Keys {
    /// Issues `count` keys; all are in memory when this returns.
    pub(crate) fn new(count: usize) -> Self {
        Self::issue(count).remembered()
    }

    /// Issues `count` keys, of which no verifier has heard.
    pub(crate) fn issue(count: usize) -> Self {
        let mut random = Random(1);
        let texts: String = (0..count)
            .map(|_| {
                let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| {
                    buffer.fill_with(|| random.next().to_le_bytes()[3]);
                });
                issued.secret.expose().to_owned()
            })
            .collect();
        Self { verifier: verifier(1), length: texts.len() / count, texts }
    }

    /// The same keys before a verifier that has seen each of them once.
    pub(crate) fn remembered(self) -> Self {
        let mut keys = Self { verifier: verifier(self.len()), ..self };
        keys.use_all();
        // At its capacity the cache has no place for about two keys in ten thousand.
        let in_memory = |text: &&str| keys.judge(text).is_some();
        let texts = (0..keys.len()).map(|n| keys.text(n)).filter(in_memory).collect();
        keys.texts = texts;
        keys
    }

    fn use_all(&self) {
        let request = Request::any();
        for n in 0..self.len() {
            let mut verify = pin!(self.verifier.verify(self.text(n), &request, NOW));
            let mut context = Context::from_waker(Waker::noop());
            assert!(verify.as_mut().poll(&mut context).is_ready(), "the store answers at once");
        }
    }

    /// The same texts, spoiled, before the same verifier.
    pub(crate) fn spoiled(&self, spoil: impl Fn(&str) -> String) -> Self {
        let texts: String = (0..self.len()).map(|n| spoil(self.text(n))).collect();
        let length = texts.len() / self.len();
        Self { verifier: Arc::clone(&self.verifier), texts, length }
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len() / self.length
    }

    pub(crate) fn text(&self, n: usize) -> &str {
        &self.texts[n * self.length..(n + 1) * self.length]
    }

    /// Whether a text opens a door, from memory alone.
    pub(crate) fn check(&self, text: &str) -> bool {
        self.judge(text).expect("what is asked for is in memory")
    }

    fn judge(&self, text: &str) -> Option<bool> {
        let request = Request::requires("read_metrics");
        Some(self.verifier.check(text, &request, NOW)?.is_ok())
    }
}

fn verifier(capacity: usize) -> Arc<Verifier<Everyone>> {
    let capacity = capacity.max(1_024);
    let options = VerifierOptions { capacity, max_age: None, ..VerifierOptions::default() };
    Arc::new(Verifier::new(Everyone, options))
}

/// Xorshift: quick, and random enough to defeat the caches.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 20).unwrap() % end
    }
}
