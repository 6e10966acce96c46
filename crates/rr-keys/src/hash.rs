//! The hash of a key: the only form of it that a database may hold.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::hint::black_box;

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
        Self(Sha256::digest(text.as_bytes()).into())
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

    /// Two independent words of the digest. A digest is already evenly spread, so tables index by it
    /// directly instead of hashing the hash.
    pub(crate) fn words(&self) -> (u64, u64) {
        (self.word(0), self.word(8))
    }

    fn word(&self, from: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[from..from + 8]);
        u64::from_le_bytes(bytes)
    }

    /// Four bytes of the digest that [`KeyHash::words`] does not use.
    pub(crate) fn tag(&self) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[16..20]);
        u32::from_le_bytes(bytes)
    }
}

/// Looks at every byte whatever the answer, so that time tells nothing about where two hashes differ.
impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        let differing = [0, 8, 16, 24].map(|at| self.word(at) ^ other.word(at));
        black_box(differing[0] | differing[1] | differing[2] | differing[3]) == 0
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
