//! The plain key: it exists between its making and its one showing, and nowhere else.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// A key in plain text.
///
/// It cannot be printed, formatted or serialised; [`Secret::expose`] is the one way to the text, so a
/// search for that word finds every place where a key may leave the process. The memory is wiped on drop
/// and comparison takes the same time wherever the first difference is.
///
/// It has no `Display`:
///
/// ```compile_fail,E0277
/// fn print(secret: &rr_keys::Secret) {
///     println!("{secret}");
/// }
/// ```
///
/// It has no `Serialize`:
///
/// ```compile_fail,E0277
/// fn send(secret: &rr_keys::Secret) {
///     let _ = serde_json::to_string(secret);
/// }
/// ```
///
/// It cannot be copied by accident:
///
/// ```compile_fail,E0599
/// fn copy(secret: &rr_keys::Secret) -> rr_keys::Secret {
///     secret.clone()
/// }
/// ```
///
/// And it cannot be stored, for a store takes hashes and nothing turns into one by itself:
///
/// ```compile_fail,E0308
/// fn store(store: &rr_keys::MemoryStore, issued: rr_keys::Issued, record: rr_keys::KeyRecord) {
///     store.insert(issued.secret, record);
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn hash(issued: &rr_keys::Issued) -> rr_keys::KeyHash {
///     issued.secret.expose().into()
/// }
/// ```
///
/// What does compile, so that those above fail for their own reasons:
///
/// ```
/// fn store(store: &rr_keys::MemoryStore, issued: rr_keys::Issued, record: rr_keys::KeyRecord) {
///     store.insert(issued.hash(&rr_keys::HashScheme::sha256()), record);
///     println!("{}", serde_json::to_string(issued.secret.expose()).unwrap());
/// }
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The plain text, to be shown to its owner once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The text that it holds does the wiping.
impl ZeroizeOnDrop for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        let secret = Secret::new("very private".to_owned());
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(redacted) Secret(redacted)");
        assert_eq!(secret.expose(), "very private");
    }

    /// By type, as far as a type can tell: both that it says so, and that dropping it runs code at all.
    #[test]
    fn the_text_is_wiped_on_drop() {
        fn wipes<T: ZeroizeOnDrop>(_: &T) {}
        let secret = Secret::new("very private".to_owned());
        wipes(&secret);
        wipes(&secret.0);
        assert!(std::mem::needs_drop::<Secret>());
    }

    #[test]
    fn equality_is_by_text() {
        assert_eq!(Secret::new("a".to_owned()), Secret::new("a".to_owned()));
        assert_ne!(Secret::new("a".to_owned()), Secret::new("b".to_owned()));
        assert_ne!(Secret::new("a".to_owned()), Secret::new("ab".to_owned()));
    }
}
