//! How this installation hashes its keys.

use rr_keys::HashScheme;

/// Under which hash the secret of a key stands in the store. Whoever makes a secret, looks one up or hears of
/// a public one asks here, and nobody names a scheme of his own: a key hashed in another way would not be found.
pub fn key_scheme() -> HashScheme {
    HashScheme::default()
}
