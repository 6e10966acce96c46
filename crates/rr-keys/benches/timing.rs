//! `cargo xtask bench timing`: whether the time that an answer takes tells anything about stored keys.
//!
//! After dudect: two classes of input are measured in random order, and Welch's t-test says whether their
//! times come from one distribution. Beyond ±4.5 they do not. The first row is the alarm's own test: a
//! comparison that stops at the first difference, which must be noticed. `docs/benchmarks.md` says more.
//!
//! A row that says what it should not is measured again, up to three times in all; it ends the program with 1
//! when it never said what it should.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a bench reads the clock and prints figures, and stops when something is odd"
)]

use std::cell::Cell;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use rr_keys::{
    HashScheme, KeyFormat, KeyHash, KeyRecord, MemoryStore, Request, Verifier, VerifierOptions,
};
use uuid::Uuid;

/// Measurements of each row, and calls in each of them.
const MEASUREMENTS: usize = 200_000;
const CALLS: usize = 16;
/// Texts of a class whose places may differ.
const TEXTS: u32 = 512;
const CHARACTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Beyond this the two classes differ beyond doubt.
const LIMIT: f64 = 4.5;
/// A smaller difference of the means, in nanoseconds a call, nobody can use: so near, the t-test notices how
/// the two classes happen to lie in memory.
const USEFUL: f64 = 0.5;
/// Measurements of a row that does not say what it should.
const TRIES: usize = 3;

fn main() -> ExitCode {
    println!("| what | class A | class B | t | |\n|---|---:|---:|---:|---|");
    let stored = [0x5a_u8; 32];
    let differs = |at: usize| {
        let mut other = stored;
        other[at] ^= 1;
        other
    };
    let (first, last) = (differs(0), differs(31));
    let leaky = |class: bool| {
        let guess = black_box(if class { &last } else { &first });
        black_box(guess.iter().zip(black_box(&stored)).all(|(a, b)| a == b));
    };
    let mut all_well = row("a comparison that leaks (must be noticed)", true, leaky);

    let hash = KeyHash::from_bytes(stored);
    let (first, last) = (KeyHash::from_bytes(first), KeyHash::from_bytes(last));
    let compare = |class: bool| {
        let guess = black_box(if class { &last } else { &first });
        black_box(guess == black_box(&hash));
    };
    all_well &= row("compare: differs in the first / the last byte", false, compare);

    let (verifier, known) = verifier();
    let now = SystemTime::now();
    let check =
        |text: &str| black_box(verifier.check(black_box(text), &Request::any(), now)).is_some();
    // Nobody has issued any of them; half begin as a stored key does. All have good check digits. They are
    // many, because every text leads to a place of its own, and places differ in how near they are.
    let texts = |beginning: &dyn Fn(u32) -> String| -> Vec<String> {
        (0..TEXTS).map(|n| with_body(&[beginning(n), format!("{n:010}")].concat())).collect()
    };
    let begin = texts(&|_| known[3..23].to_owned());
    let begin_not = texts(&|n| format!("{:020}", u64::from(n) * 7_919));
    let turns = Cell::new(0_usize);
    let look_up = |class: bool| {
        turns.set(turns.get() + 1);
        let texts = black_box(if class { &begin } else { &begin_not });
        assert!(!check(&texts[turns.get() % texts.len()]));
    };
    all_well &= row("look-up: nothing / 20 characters of a stored key", false, look_up);

    // A key with a wrong character at its end differs from the stored one where nobody can see it.
    let typo = |first: usize, n: u32| {
        let mut text = known.clone().into_bytes();
        let n = n as usize;
        let place = &mut text[first + n % 8];
        let other = CHARACTERS[n / 8 % CHARACTERS.len()];
        *place = if *place == other { b'_' } else { other };
        String::from_utf8(text).unwrap()
    };
    let early: Vec<String> = (0..TEXTS).map(|n| typo(3, n)).collect();
    let late: Vec<String> = (0..TEXTS).map(|n| typo(25, n)).collect();
    let garbage = |class: bool| {
        turns.set(turns.get() + 1);
        let texts = black_box(if class { &late } else { &early });
        assert!(check(&texts[turns.get() % texts.len()]));
    };
    all_well &= row("wrong check digits: typo at the front / at the back", false, garbage);
    if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures both classes until they say what they should, and prints each measurement. False when they never
/// did.
fn row(name: &str, is_alarm_test: bool, call: impl Fn(bool)) -> bool {
    (0..TRIES).any(|_| {
        let (a, b, t) = measure(&call);
        let differs = t.abs() > LIMIT && (a - b).abs() > USEFUL;
        let verdict = match (differs, is_alarm_test) {
            (true, true) => "noticed",
            (false, true) => "NOT NOTICED",
            (true, false) => "DIFFERS",
            (false, false) => "same",
        };
        println!("| {name} | {a:.1} ns | {b:.1} ns | {t:.1} | {verdict} |");
        differs == is_alarm_test
    })
}

/// The mean time of a call in each class, and the t-value.
fn measure(call: impl Fn(bool)) -> (f64, f64, f64) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut times: [Vec<u64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..MEASUREMENTS {
        let class = random.bit();
        let started = Instant::now();
        (0..CALLS).for_each(|_| call(class));
        times[usize::from(class)].push(nanoseconds(started.elapsed()));
    }
    // The slowest tenth was interrupted by something else. One bound for both classes.
    let mut all = times.concat();
    all.sort_unstable();
    let bound = all[all.len() / 10 * 9];
    let [a, b] = times.map(|times| Moments::of(times.into_iter().filter(|time| *time <= bound)));
    let t = (a.mean - b.mean) / (a.variance / a.count + b.variance / b.count).sqrt();
    (a.mean / CALLS as f64, b.mean / CALLS as f64, t)
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: impl Iterator<Item = u64>) -> Self {
        let times: Vec<f64> = times.map(|time| time as f64).collect();
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let squares: f64 = times.iter().map(|time| (time - mean) * (time - mean)).sum();
        Self { count, mean, variance: squares / (count - 1.0) }
    }
}

/// A verifier with a thousand keys in memory, and the text of one of them.
fn verifier() -> (Verifier<MemoryStore>, String) {
    let store = MemoryStore::new();
    let now = SystemTime::now();
    let issued: Vec<_> = (0..1_000_u128)
        .map(|n| {
            let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| {
                getrandom::fill(buffer).expect("the system's random source");
            });
            store.insert(
                issued.hash(&HashScheme::default()),
                KeyRecord::new(Uuid::from_u128(n), "k", now),
            );
            issued.secret
        })
        .collect();
    let verifier = Verifier::new(store, VerifierOptions::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for secret in &issued {
        runtime.block_on(verifier.verify(secret.expose(), &Request::any(), now)).unwrap();
    }
    let known = issued[500].expose().to_owned();
    (verifier, known)
}

/// The key with this body: issuing gives it when the random source says its digits.
fn with_body(body: &str) -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let place = |digit: u8| digits.iter().position(|own| *own == digit).unwrap();
    let bytes: Vec<u8> = body.bytes().map(|digit| u8::try_from(place(digit)).unwrap()).collect();
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.copy_from_slice(&bytes));
    let text = issued.secret.expose().to_owned();
    assert_eq!(text[3..33], *body);
    text
}

/// Xorshift: which class comes next needs no secret, only no pattern.
struct Random(u64);

impl Random {
    fn bit(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 63 == 1
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
