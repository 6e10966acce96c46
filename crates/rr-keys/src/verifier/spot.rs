//! Where the text of a key points to in the table.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;

use crate::hash::Digest;

/// Turns texts into [`Spot`]s, each verifier in a way of its own that nobody outside can know.
///
/// The table could be indexed by the digest, but then every look at it would have to wait until SHA-256 is
/// done. A spot is there at once: the processor fetches the entry while it computes the digest, and a text
/// that points to nothing needs none. A spot proves nothing; what it leads to is compared by digest. It
/// depends on every byte of the text and on the secret of the verifier, so the time that a look-up takes says
/// nothing about the texts of other keys.
#[derive(Default)]
pub(super) struct Spots(RandomState);

/// A keyed hash of a text, evenly spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot(u64);

impl Spots {
    #[inline]
    pub(super) fn of(&self, text: &str) -> Spot {
        Spot(self.0.hash_one(text))
    }

    /// An address in 32 bits, in a way that nobody outside can know: whoever has a key cannot choose an address that
    /// passes for another.
    #[inline]
    pub(super) fn print(&self, address: Option<IpAddr>) -> u32 {
        let bits = match address {
            None => return 0,
            Some(IpAddr::V4(v4)) => v4.to_ipv6_mapped().to_bits(),
            Some(IpAddr::V6(v6)) => v6.to_bits(),
        };
        u32::try_from(self.0.hash_one(bits) >> 32).unwrap_or_default()
    }
}

impl Spot {
    /// What no text is looked for with; where there is no key.
    pub(super) const NONE: Self = Self(0);

    /// Two words whose upper halves choose the sets.
    pub(super) fn words(self) -> (u64, u64) {
        (self.0, self.0.rotate_left(32))
    }

    /// The tag of no spot, for a free place.
    pub(super) const NO_TAG: u32 = 0;

    /// Tells the entries of a set apart: mixed from all bits, because those of one set share some. Odd, and so
    /// never that of a free place.
    pub(super) fn tag(self) -> u32 {
        // An odd number without a pattern: 2^64 divided by the golden ratio.
        let mixed = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        u32::try_from(mixed >> 32).unwrap_or_default() | 1
    }

    /// Picks among equals.
    pub(super) fn lot(self) -> usize {
        usize::try_from(self.0 & 0xffff).unwrap_or_default()
    }
}

/// What a presented text is looked for by.
#[derive(Clone, Copy)]
pub(super) struct Sought {
    pub(super) spot: Spot,
    pub(super) digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_depends_on_every_character_and_on_the_verifier() {
        let (spots, others) = (Spots::default(), Spots::default());
        let text = "0123456789abcdefghijklmnopqrstuvwxyz0123456789";
        assert_eq!(spots.of(text), spots.of(text));
        assert_ne!(spots.of(text), others.of(text));
        for at in 0..text.len() {
            let other = [&text[..at], "_", &text[at + 1..]].concat();
            assert_ne!(spots.of(text), spots.of(&other), "character {at}");
        }
    }
}
