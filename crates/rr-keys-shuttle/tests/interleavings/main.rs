//! The real verifier with its real cache and meters, under a scheduler that pauses every thread at every lock and
//! every shared word.
//!
//! Each test runs thousands of interleavings, half of them drawn evenly, half by the method that finds an
//! error of a given depth with a known probability. A failure prints a schedule that replays it.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

mod epoch;
mod limits;
mod tools;
