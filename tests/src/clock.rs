//! Time that a test sets, and randomness that is the same in every run.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rr_domain::{Clock, Random, Timestamp};

/// When every test begins, unless it says otherwise.
pub const BEGINNING: &str = "2026-01-15T12:00:00Z";

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// A clock that shows [`BEGINNING`].
    pub fn new() -> TestClock {
        let beginning = Timestamp::parse(BEGINNING).unwrap();
        TestClock(Arc::new(AtomicI64::new(beginning.micros())))
    }

    /// What the server is given.
    pub fn clock(&self) -> Clock {
        let micros = Arc::clone(&self.0);
        Clock::new(move || Timestamp::from_micros(micros.load(Ordering::SeqCst)).unwrap())
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }

    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        let span = i64::try_from(span.as_micros()).unwrap();
        self.0.fetch_add(span, Ordering::SeqCst);
    }

    /// Moves it to an instant.
    pub fn set(&self, instant: &str) {
        self.0.store(Timestamp::parse(instant).unwrap().micros(), Ordering::SeqCst);
    }
}

impl Default for TestClock {
    fn default() -> TestClock {
        TestClock::new()
    }
}

/// Random bytes that are the same in every run.
pub fn seeded_random(seed: u64) -> Random {
    let generator = Mutex::new(ChaCha20Rng::seed_from_u64(seed));
    Random::new(move |buffer| generator.lock().unwrap().fill_bytes(buffer))
}
