//! The warm path against its yardstick: raw SHA-256 of the same bytes plus a look-up in a plain map.
//!
//! Everything is interleaved in one run and compared as medians, for two runs on one machine differ by more
//! than the things compared. `cargo bench -p rr-keys` prints the table of `docs/benchmarks.md`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a bench prints ratios"
)]
#![expect(clippy::cast_precision_loss, reason = "nanoseconds of a bench fit")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use rr_keys::{KeyFormat, KeyRecord, MemoryStore, Request, Verifier, VerifierOptions};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

fn main() {
    println!("| what | ns | yardstick ns | ratio |");
    println!("|---|---|---|---|");
    warm(64, 1_000_000);
    if std::env::args().any(|a| a == "quick") {
        return;
    }
    warm(1_000_000, 1_000_000);
    two_threads();
    garbage();
}

/// Warm checks of `keys` keys in random order against SHA-256 and a map of that size.
fn warm(keys: usize, rounds: usize) {
    let (verifier, texts) = filled(keys);
    let map: HashMap<[u8; 32], u64, BuildHasherDefault<Prefix>> = texts
        .iter()
        .zip(0..)
        .map(|(text, n)| (<[u8; 32]>::from(Sha256::digest(text.as_bytes())), n))
        .collect();
    let order = order(keys, rounds);
    let request = Request::requires("read_metrics");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let (mut own, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        own.push(per_item(rounds, || {
            for n in &order {
                let grant = verifier.check(black_box(&texts[*n]), &request, now);
                assert!(black_box(grant).is_some_and(|result| result.is_ok()));
            }
        }));
        raw.push(per_item(rounds, || {
            for n in &order {
                let hash: [u8; 32] = Sha256::digest(black_box(texts[*n].as_bytes())).into();
                black_box(map.get(&hash).unwrap());
            }
        }));
    }
    row(&format!("warm check, {keys} keys"), median(own), median(raw));
}

/// The same 64 keys from two threads: the time for twice the work against one thread's.
fn two_threads() {
    let (verifier, texts) = filled(64);
    let rounds = 1_000_000;
    let order = order(64, rounds);
    let request = Request::requires("read_metrics");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let run = || {
        for n in &order {
            assert!(verifier.check(black_box(&texts[*n]), &request, now).is_some());
        }
    };
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        one.push(per_item(rounds, run));
        two.push(per_item(rounds, || {
            std::thread::scope(|scope| {
                scope.spawn(run);
                scope.spawn(run);
            });
        }));
    }
    let (one, two) = (median(one), median(two));
    println!(
        "| two threads: throughput of one is 1 | {two:.1} | {one:.1} | {:.2} |",
        2.0 * one / two
    );
}

/// Well-made garbage: right prefix and length, wrong check digits.
fn garbage() {
    let texts: Vec<String> = (0..64).map(|n| format!("rr_{n:036}")).collect();
    let order = order(64, 1_000_000);
    let mut own = Vec::new();
    for _ in 0..7 {
        own.push(per_item(order.len(), || {
            for n in &order {
                assert!(KeyFormat::REVENUE_RIPPLE.parse(black_box(&texts[*n])).is_err());
            }
        }));
    }
    row("garbage refused by its check digits", median(own), 60.0);
}

fn filled(keys: usize) -> (Verifier<MemoryStore>, Vec<String>) {
    let store = MemoryStore::new();
    let mut state = 1_u64;
    let texts: Vec<String> = (0..keys)
        .map(|n| {
            let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| {
                buffer.fill_with(|| next(&mut state).to_le_bytes()[3]);
            });
            let id = Uuid::from_u128(n as u128 + 1);
            let record = KeyRecord {
                permissions: ["read_metrics", "write_webhooks"].into_iter().collect(),
                ..KeyRecord::new(id, format!("key {n}"), SystemTime::UNIX_EPOCH)
            };
            store.insert(issued.hash, record);
            issued.secret.expose().to_owned()
        })
        .collect();
    let verifier = Verifier::new(
        store,
        VerifierOptions { capacity: keys * 2, max_age: None, ..VerifierOptions::default() },
    );
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let request = Request::any();
    for text in &texts {
        let mut verify = std::pin::pin!(verifier.verify(text, &request, now));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(verify.as_mut().poll(&mut context).is_ready());
    }
    (verifier, texts)
}

fn order(keys: usize, rounds: usize) -> Vec<usize> {
    let mut state = 7;
    (0..rounds).map(|_| usize::try_from(next(&mut state) >> 20).unwrap() % keys).collect()
}

/// Xorshift: quick, and random enough to defeat the caches.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

fn per_item(items: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / items as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn row(what: &str, own: f64, yardstick: f64) {
    println!("| {what} | {own:.1} | {yardstick:.1} | {:.2} |", own / yardstick);
}

/// The first eight bytes of a digest are as good a hash as any.
#[derive(Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(prefix) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*prefix);
        }
    }
}
