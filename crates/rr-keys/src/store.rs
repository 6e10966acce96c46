//! What the embedding service has to bring: a place where keys are found by their hash.

use std::error::Error;
use std::future::Future;

use crate::{KeyHash, KeyRecord};

/// Where keys live. One look-up by an indexed column is all that is asked.
pub trait KeyStore: Send + Sync + 'static {
    /// What can go wrong with a look-up.
    type Error: Error + Send + Sync + 'static;

    /// The key with this hash, expired and revoked ones too: only then can the answer say which it is.
    ///
    /// The read must see everything committed before it began, for [`Verifier::forget`] promises that no
    /// later answer is older than itself: no lagging replica, no transaction opened earlier.
    ///
    /// [`Verifier::forget`]: crate::Verifier::forget
    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, Self::Error>> + Send;
}
