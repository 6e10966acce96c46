//! What is measured: pairs of classes whose times must not differ, and one whose times must.

use std::cell::Cell;
use std::hint::black_box;
use std::time::SystemTime;

use rr_keys::{
    HashScheme, KeyFormat, KeyHash, KeyRecord, MemoryStore, Request, Verifier, VerifierOptions,
};
use uuid::Uuid;

/// Texts of a class whose places may differ.
const TEXTS: u32 = 512;
const CHARACTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Who is shown the rows. The calls are types and no pointers, so that nothing stands between them and the clock.
pub(crate) trait Measurer {
    /// A call for each class; `must_differ` is the alarm's own test.
    fn row(&mut self, name: &str, must_differ: bool, call: impl Fn(bool));
}

/// Shows all rows.
pub(crate) fn show(measurer: &mut impl Measurer) {
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
    measurer.row("a comparison that leaks (must be noticed)", true, leaky);

    let hash = KeyHash::from_bytes(stored);
    let (first, last) = (KeyHash::from_bytes(first), KeyHash::from_bytes(last));
    let compare = |class: bool| {
        let guess = black_box(if class { &last } else { &first });
        black_box(guess == black_box(&hash));
    };
    measurer.row("compare: differs in the first / the last byte", false, compare);

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
    measurer.row("look-up: nothing / 20 characters of a stored key", false, look_up);

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
    measurer.row("wrong check digits: typo at the front / at the back", false, garbage);
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
