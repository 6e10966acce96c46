//! The real verifier with its real cache, meters and counters of usage, under a scheduler that pauses every thread at
//! every lock and every shared word of theirs (all that come from `rr-keys/src/sync.rs`). It runs one thread at a time,
//! so what only weaker orders of memory would show is not explored, and neither are the counts inside `Arc`.
//!
//! Each test runs thousands of interleavings, half of them drawn evenly, half by the method that finds an
//! error of a given depth with a known probability. A failure prints a schedule that replays it.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

mod epoch;
mod limits;
mod tools;
