//! Memory for bodies that arrive in pieces: what all of them hold together is bounded.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// How much unfinished bodies hold.
#[derive(Debug)]
pub(crate) struct Room {
    held: AtomicUsize,
    most: usize,
}

/// What one body holds of the room; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    room: &'a Room,
    bytes: usize,
}

impl Room {
    pub(crate) fn new(most: usize) -> Room {
        Room { held: AtomicUsize::new(0), most }
    }

    /// A share of nothing.
    pub(crate) fn share(&self) -> Share<'_> {
        Share { room: self, bytes: 0 }
    }

    /// Refuses a body that is said to be so long when it would not fit at present. Nothing is held for it: who
    /// only promises a body must not take room from those who send one.
    pub(crate) fn expect(&self, bytes: usize) -> Outcome<()> {
        self.fits(self.held.load(Ordering::Relaxed).saturating_add(bytes))
    }

    fn fits(&self, held: usize) -> Outcome<()> {
        if held <= self.most { Ok(()) } else { Err(Problem::new(Code::Busy)) }
    }
}

impl Share<'_> {
    /// Holds so much in all.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Outcome<()> {
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            self.bytes += more;
            self.room.fits(self.room.held.fetch_add(more, Ordering::Relaxed) + more)?;
        }
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.room.held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_together_and_given_back() {
        let room = Room::new(10);
        let (mut one, mut other) = (room.share(), room.share());
        one.grow_to(6).unwrap();
        one.grow_to(4).unwrap();
        other.grow_to(4).unwrap();
        assert!(room.expect(0).is_ok() && room.expect(1).is_err());
        assert_eq!(other.grow_to(5).unwrap_err().code(), Code::Busy);
        drop(other);
        assert!(room.expect(4).is_ok(), "what was refused is given back as well");
        one.grow_to(10).unwrap();
    }
}
