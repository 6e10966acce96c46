//! Time that a test sets, and randomness that is the same in every run.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rr_domain::{Clock, Random, Timestamp};

/// When every test begins, unless it says otherwise.
pub const BEGINNING: &str = "2026-01-15T12:00:00Z";

/// A clock that stands still until it is moved, unless it is told to tick.
#[derive(Clone)]
pub struct TestClock {
    micros: Arc<AtomicI64>,
    tick: Arc<AtomicI64>,
}

impl TestClock {
    /// A clock that shows [`BEGINNING`].
    pub fn new() -> TestClock {
        let beginning = Timestamp::parse(BEGINNING).unwrap();
        TestClock { micros: Arc::new(AtomicI64::new(beginning.micros())), tick: Arc::default() }
    }

    /// What the server is given.
    pub fn clock(&self) -> Clock {
        let TestClock { micros, tick } = self.clone();
        Clock::new(move || {
            let now = micros.fetch_add(tick.load(Ordering::SeqCst), Ordering::SeqCst);
            Timestamp::from_micros(now).unwrap()
        })
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst)).unwrap()
    }

    /// Moves it forward.
    pub fn advance(&self, span: Duration) {
        let span = i64::try_from(span.as_micros()).unwrap();
        self.micros.fetch_add(span, Ordering::SeqCst);
    }

    /// From now on the server never sees the same instant twice.
    pub fn tick(&self) {
        self.tick.store(1, Ordering::SeqCst);
    }

    /// Moves it to an instant.
    pub fn set(&self, instant: &str) {
        self.micros.store(Timestamp::parse(instant).unwrap().micros(), Ordering::SeqCst);
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
