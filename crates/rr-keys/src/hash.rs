//! The hash of a key: the only form of it that a database may hold.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::hint::black_box;

use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a whole key, prefix and check digits included.
///
/// A key carries more than 170 random bits, so a fast hash is safe at rest: nobody can search that space,
/// and a slow password hash would only hand every caller a way to burn our processor.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

/// The text is not a digest of the expected length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not a digest of the expected length")]
pub struct InvalidHash;

impl KeyHash {
    pub(crate) fn of(text: &str) -> Self {
        Digest::of(text).into()
    }

    /// Takes the 32 bytes that [`KeyHash::as_bytes`] gave.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes to store and to look up by.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits in either case, the form that many key tables use.
    pub fn from_hex(text: &str) -> Result<Self, InvalidHash> {
        hex(text).map(Self)
    }
}

/// Looks at every byte whatever the answer, so that time tells nothing about where two hashes differ.
impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        Digest::from(self) == Digest::from(other)
    }
}

impl Eq for KeyHash {}

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// Shows the first four bytes: enough to tell two hashes apart in a log, useless for anything else.
impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "KeyHash({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// The same hash as it leaves the hash function, for the tables of the verifier: a check compares it a moment
/// after it was made, and what was just written in one width is slow to read in another.
#[derive(Clone, Copy)]
pub(crate) struct Digest([u64; 4]);

/// The longest text that fits into one block of SHA-256, with its end mark and its length.
const ONE_BLOCK: usize = 55;

/// What SHA-256 starts from: the first 32 bits behind the point of the square roots of the first 8 primes.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

impl Digest {
    /// What no text has; it stands where there is no key.
    pub(crate) const NONE: Self = Self([0; 4]);

    /// The SHA-256 of the text. A key fits into one block, so the buffer for texts of any length can be
    /// saved.
    #[inline]
    pub(crate) fn of(text: &str) -> Self {
        let text = text.as_bytes();
        if text.len() > ONE_BLOCK {
            return Self::from(&KeyHash(Sha256::digest(text).into()));
        }
        let mut block = [0; 64];
        block[..text.len()].copy_from_slice(text);
        block[text.len()] = 0x80;
        // Fewer than 512 bits, so two bytes hold the length.
        let bits = u16::try_from(text.len() * 8).unwrap_or_default();
        block[62..].copy_from_slice(&bits.to_be_bytes());
        let mut state = START;
        compress256(&mut state, &[block]);
        Self([0, 2, 4, 6].map(|n| u64::from(state[n]) | u64::from(state[n + 1]) << 32))
    }

    /// The same as words, to be kept in atomics.
    #[inline]
    pub(crate) fn words(&self) -> [u64; 4] {
        self.0
    }

    #[inline]
    pub(crate) fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// A digest is already evenly spread, so a table can index by a word of it instead of hashing the hash.
    pub(crate) fn word(&self) -> u64 {
        self.0[0]
    }
}

/// Looks at every bit whatever the answer, so that time tells nothing about where two digests differ.
impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |all, (a, b)| all | a ^ b);
        black_box(differing) == 0
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl From<&KeyHash> for Digest {
    fn from(hash: &KeyHash) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(hash.0.as_chunks().0) {
            *word = u64::from_be_bytes(*bytes).rotate_left(32);
        }
        Self(words)
    }
}

impl From<Digest> for KeyHash {
    fn from(digest: Digest) -> Self {
        let mut hash = [0; 32];
        for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(digest.0) {
            *bytes = word.rotate_left(32).to_be_bytes();
        }
        Self(hash)
    }
}

/// Reads exactly `N` bytes.
pub(crate) fn hex<const N: usize>(text: &str) -> Result<[u8; N], InvalidHash> {
    if text.len() != 2 * N {
        return Err(InvalidHash);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Result<u8, InvalidHash> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(InvalidHash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "2db9d0551bbe32920b100be6e4a3c7e34556ccf90faa5b88219445a688faacd4";

    #[test]
    fn hexadecimal_is_read_in_either_case() {
        let hash = KeyHash::from_hex(HEX).unwrap();
        assert_eq!(hash.as_bytes()[..4], [0x2d, 0xb9, 0xd0, 0x55]);
        assert_eq!(KeyHash::from_hex(&HEX.to_uppercase()), Ok(hash));
        assert_eq!(KeyHash::from_bytes(*hash.as_bytes()), hash);
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", &HEX[1..], &format!("{HEX}0"), &HEX.replace('d', "g"), &"é".repeat(32)] {
            assert_eq!(KeyHash::from_hex(bad), Err(InvalidHash), "{bad:?}");
        }
    }

    #[test]
    fn one_bit_makes_a_difference() {
        let hash = KeyHash::from_hex(HEX).unwrap();
        for at in 0..32 {
            let mut bytes = *hash.as_bytes();
            bytes[at] ^= 0x10;
            assert_ne!(KeyHash::from_bytes(bytes), hash, "byte {at}");
        }
    }

    #[test]
    fn texts_of_every_length_have_the_sha_256_that_the_library_says() {
        for length in 0..130 {
            let text = "aé0_-z".chars().cycle().take(length).collect::<String>();
            let expected = KeyHash::from_bytes(Sha256::digest(text.as_bytes()).into());
            assert_eq!(KeyHash::of(&text), expected, "{length}");
            assert_eq!(KeyHash::from(Digest::from(&expected)), expected, "there and back");
        }
    }

    #[test]
    fn debug_shows_four_bytes() {
        assert_eq!(format!("{:?}", KeyHash::from_hex(HEX).unwrap()), "KeyHash(2db9d055…)");
    }

    #[test]
    fn imports_of_other_systems_are_plain_sha_256() {
        let long = KeyHash::of(&["51FwqftsmMDHH", "bJAMEXXHCgG"].concat());
        let hex = "d70d981d87b449c107327c2a2afbf00d4b58070d6ba571aac35d7ea3e7c79f37";
        assert_eq!(long, KeyHash::from_hex(hex).unwrap());
        let port = KeyHash::of(&["BddpcwWyCT3EkDjHSS", "TRaSK1dxtuQgbjb"].concat());
        let hex = "0f01ab6e0833f280b73b2b618c16102d91c0b7c585d42a080d6e6603239a8bee";
        assert_eq!(port, KeyHash::from_hex(hex).unwrap());
    }
}
