//! The clock and the source of randomness. Nothing else in the whole program reads the system's.

use std::cell::RefCell;
use std::time::SystemTime;

use rr_domain::{Clock, Random, Timestamp};

/// The system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is handed")]
pub(crate) fn clock() -> Clock {
    Clock::new(|| Timestamp::from_system_time(SystemTime::now()))
}

/// The operating system's randomness. Ids are drawn for every request, so what they need is fetched
/// in blocks; what is longer than an id may be a secret and never lies in a block.
pub(crate) fn random() -> Random {
    Random::new(|buffer| match buffer.len() {
        0..=LONGEST_ID => IDS.with_borrow_mut(|block| block.take(buffer)),
        _ => fill(buffer),
    })
}

const LONGEST_ID: usize = 16;

thread_local! {
    static IDS: RefCell<Block> = const { RefCell::new(Block { bytes: [0; 1024], used: 1024 }) };
}

/// Random bytes, each handed out once and then forgotten.
struct Block {
    bytes: [u8; 1024],
    used: usize,
}

impl Block {
    fn take(&mut self, buffer: &mut [u8]) {
        if self.bytes.len() - self.used < buffer.len() {
            fill(&mut self.bytes);
            self.used = 0;
        }
        let end = self.used + buffer.len();
        let fresh = &mut self.bytes[self.used..end];
        buffer.copy_from_slice(fresh);
        fresh.fill(0);
        self.used = end;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the source that everything else is handed")]
#[expect(
    clippy::expect_used,
    reason = "a program that hands out keys must not go on without randomness"
)]
fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system gives randomness");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_handed_out_twice() {
        let random = random();
        let drawn: HashSet<[u8; 10]> = (0..1_000).map(|_| random.bytes()).collect();
        assert_eq!(drawn.len(), 1_000);
        assert_ne!(random.bytes::<32>(), random.bytes::<32>());
    }
}
