//! How the hash under which a store knows a key is made: plain, of another system, or with a pepper.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::hash::hex;
use crate::{InvalidHash, KeyHash};

/// A way from the text of a key to the hash in the store.
///
/// A service names the one for its new keys in [`VerifierOptions::scheme`](crate::VerifierOptions::scheme) and
/// stores [`Issued::hash`](crate::Issued::hash) under it. Keys under the
/// [older ones](crate::VerifierOptions::older_schemes) keep working: imported ones, whose text nobody has, and
/// those of an older pepper. Each time such a key is loaded the grant tells how to move it, see
/// [`Grant::outdated`](crate::Grant::outdated).
///
/// A pepper is changed in three steps, none of which ends a key: the scheme with the new pepper becomes the one for
/// new keys and the one before it an older one; each key that is used is moved; and when the store has no key left
/// under the old pepper, it is dropped. Which version a hash was made with stands nowhere in it, so a store that wants
/// to know what is left keeps that beside the hash. A look-up tries one scheme after the other, the newest first:
/// with `n` older ones a key that is not in memory takes up to `n + 1` questions, an unknown one always. A key in
/// memory takes none under any scheme. A key that is moved between two of these questions is found by neither, unless
/// the scheme for new keys stands at the end of the older ones once more.
///
/// Without a pepper a stolen table is useless already, for a key has more random bits than anyone can
/// search. A pepper, kept outside the database, adds that whoever can write to the table cannot make keys.
#[derive(Clone)]
pub struct HashScheme(Kind);

#[derive(Clone)]
enum Kind {
    Sha256,
    Sha512,
    HmacSha256(Zeroizing<Vec<u8>>),
    #[cfg(feature = "blake3")]
    Blake3(Zeroizing<[u8; 32]>),
}

/// The pepper is empty or so short that it could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pepper has at least {} bytes", HashScheme::SHORTEST_PEPPER)]
pub struct WeakPepper;

impl HashScheme {
    /// Bytes that a pepper has at least.
    pub const SHORTEST_PEPPER: usize = 16;

    /// SHA-256 of the whole key: the default.
    pub fn sha256() -> Self {
        Self(Kind::Sha256)
    }

    /// SHA-512 of the whole key, as other systems have stored it.
    pub fn sha512() -> Self {
        Self(Kind::Sha512)
    }

    /// HMAC-SHA256 of the whole key with a pepper: 32 random bytes, where you choose it. One of fewer than
    /// [`HashScheme::SHORTEST_PEPPER`] bytes could be guessed and is refused.
    pub fn hmac_sha256(pepper: &[u8]) -> Result<Self, WeakPepper> {
        if pepper.len() < Self::SHORTEST_PEPPER {
            return Err(WeakPepper);
        }
        Ok(Self(Kind::HmacSha256(Zeroizing::new(pepper.to_vec()))))
    }

    /// BLAKE3 of the whole key, keyed with a pepper.
    #[cfg(feature = "blake3")]
    pub fn blake3(pepper: [u8; 32]) -> Self {
        Self(Kind::Blake3(Zeroizing::new(pepper)))
    }

    /// The hash under which the store knows the key with this text.
    pub fn hash(&self, text: &str) -> KeyHash {
        let bytes = text.as_bytes();
        match &self.0 {
            Kind::Sha256 => KeyHash::of(text),
            Kind::Sha512 => shortened(&Sha512::digest(bytes).into()),
            Kind::HmacSha256(pepper) => KeyHash::from_bytes(hmac_sha256(pepper, bytes)),
            #[cfg(feature = "blake3")]
            Kind::Blake3(pepper) => {
                KeyHash::from_bytes(*blake3::keyed_hash(pepper, bytes).as_bytes())
            }
        }
    }

    /// Reads a digest of this scheme as another system wrote it: hexadecimal in either case, base64 or
    /// url-safe base64, padded or not. What comes out is what [`HashScheme::hash`] gives for the key.
    pub fn import(&self, digest: &str) -> Result<KeyHash, InvalidHash> {
        match &self.0 {
            Kind::Sha512 => read(digest).map(|digest| shortened(&digest)),
            _ => read(digest).map(KeyHash::from_bytes),
        }
    }

    pub(crate) fn is_sha256(&self) -> bool {
        matches!(self.0, Kind::Sha256)
    }
}

impl Default for HashScheme {
    fn default() -> Self {
        Self::sha256()
    }
}

/// Names the scheme and keeps the pepper to itself.
impl fmt::Debug for HashScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Sha256 => "HashScheme(SHA-256)",
            Kind::Sha512 => "HashScheme(SHA-512)",
            Kind::HmacSha256(_) => "HashScheme(HMAC-SHA256, redacted)",
            #[cfg(feature = "blake3")]
            Kind::Blake3(_) => "HashScheme(BLAKE3, redacted)",
        })
    }
}

/// Stores keep 32 bytes. A longer digest is hashed once more, under a label so that the result can be the
/// hash of no key.
fn shortened(digest: &[u8; 64]) -> KeyHash {
    KeyHash::from_bytes(
        Sha256::new().chain_update(b"rr-keys sha-512\0").chain_update(digest).finalize().into(),
    )
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length; the error is the trait's")]
fn hmac_sha256(pepper: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Both alphabets of base64 differ in two characters, so one engine reads them after a translation.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn read<const N: usize>(digest: &str) -> Result<[u8; N], InvalidHash> {
    if digest.len() == 2 * N {
        return hex(digest);
    }
    // Longer than any padding would make it; nothing of that size is translated.
    if digest.len() > 2 * N {
        return Err(InvalidHash);
    }
    let standard = digest.replace('-', "+").replace('_', "/");
    let bytes = BASE64.decode(standard).map_err(|_| InvalidHash)?;
    bytes.try_into().map_err(|_| InvalidHash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hmac(pepper: &[u8]) -> Result<HashScheme, WeakPepper> {
        HashScheme::hmac_sha256(pepper)
    }

    #[test]
    fn a_pepper_that_could_be_guessed_is_refused() {
        assert_eq!(hmac(b"").unwrap_err(), WeakPepper);
        assert_eq!(hmac(&[7; 15]).unwrap_err().to_string(), "a pepper has at least 16 bytes");
        assert!(hmac(&[7; 16]).is_ok());
    }

    fn ours() -> String {
        ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat()
    }

    #[test]
    fn digests_are_read_in_every_spelling() {
        let sha256 = HashScheme::sha256();
        let expected = sha256.hash(&ours());
        for spelling in [
            "2db9d0551bbe32920b100be6e4a3c7e34556ccf90faa5b88219445a688faacd4",
            "2DB9D0551BBE32920B100BE6E4A3C7E34556CCF90FAA5B88219445A688FAACD4",
            "LbnQVRu+MpILEAvm5KPH40VWzPkPqluIIZRFpoj6rNQ=",
            "LbnQVRu+MpILEAvm5KPH40VWzPkPqluIIZRFpoj6rNQ",
            "LbnQVRu-MpILEAvm5KPH40VWzPkPqluIIZRFpoj6rNQ",
            "LbnQVRu-MpILEAvm5KPH40VWzPkPqluIIZRFpoj6rNQ=",
        ] {
            assert_eq!(sha256.import(spelling), Ok(expected), "{spelling}");
        }
        for wrong in [
            "",
            "2db9",
            "LbnQVRu+MpILEAvm5KPH40VWzPkPqluIIZRFpoj6rNR=",
            &"g".repeat(64),
            &"a".repeat(10_000),
        ] {
            assert_eq!(sha256.import(wrong), Err(InvalidHash), "{wrong:.70}");
        }
    }

    #[test]
    fn hmac_matches_the_published_vectors() {
        for (pepper, text, digest) in [
            // RFC 4231, case 2.
            (
                "Jefe",
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            // Meilisearch's own test of its key derivation.
            (
                "MASTER_KEY",
                "4bc0887a-0e41-4f3b-935d-0c451dcee9c8",
                "d9e776b8412f1db6974c9a5556b961c3559440b6588216f4ea5d9ed49f7c8f3c",
            ),
        ] {
            // Shorter than what is accepted, hence not by the front door.
            let pepper = Zeroizing::new(pepper.as_bytes().to_vec());
            let scheme = HashScheme(Kind::HmacSha256(pepper));
            assert_eq!(scheme.import(digest), Ok(scheme.hash(text)));
        }
    }

    #[test]
    fn sha_512_is_imported_from_its_64_bytes() {
        let scheme = HashScheme::sha512();
        // FIPS 180-2, "abc".
        let digest = concat!(
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a",
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        );
        assert_eq!(scheme.import(digest), Ok(scheme.hash("abc")));
        assert_ne!(scheme.hash("abc"), HashScheme::sha256().hash("abc"));
        assert_eq!(scheme.import(&digest[..64]), Err(InvalidHash));
    }

    #[cfg(feature = "blake3")]
    #[test]
    fn blake3_matches_its_own_test_vector() {
        // The official vectors' key, and their inputs of length 0 and 1.
        let scheme = HashScheme::blake3(*b"whats the Elvish word for friend");
        for (text, digest) in [
            ("", "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26"),
            ("\0", "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b"),
        ] {
            assert_eq!(scheme.import(digest), Ok(scheme.hash(text)));
        }
        assert_eq!(format!("{scheme:?}"), "HashScheme(BLAKE3, redacted)");
    }

    #[test]
    fn peppers_make_a_difference_and_stay_hidden() {
        let (old, new) = (hmac(b"the pepper of one").unwrap(), hmac(b"the pepper of two").unwrap());
        assert_ne!(old.hash(&ours()), new.hash(&ours()));
        let shown = format!("{old:?} {:?} {:?}", HashScheme::sha512(), HashScheme::default());
        assert_eq!(
            shown,
            "HashScheme(HMAC-SHA256, redacted) HashScheme(SHA-512) HashScheme(SHA-256)"
        );
    }
}
