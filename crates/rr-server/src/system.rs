//! The clock and the source of randomness. Nothing else in the whole program reads the system's.

use std::time::SystemTime;

use rr_domain::{Clock, Random, Timestamp};

/// The system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is handed")]
pub(crate) fn clock() -> Clock {
    Clock::new(|| Timestamp::from_system_time(SystemTime::now()))
}

/// The operating system's randomness.
#[expect(clippy::disallowed_methods, reason = "this is the source that everything else is handed")]
#[expect(
    clippy::expect_used,
    reason = "a program that hands out keys must not go on without randomness"
)]
pub(crate) fn random() -> Random {
    Random::new(|buffer| getrandom::fill(buffer).expect("the operating system gives randomness"))
}
