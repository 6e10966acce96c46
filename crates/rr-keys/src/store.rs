//! What the embedding service has to bring: a place where keys are found by their hash.

use std::error::Error;
use std::future::Future;
use std::time::SystemTime;

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

    /// The first use of a [pending](KeyRecord::secret_pending) secret: makes it the newest and ends those
    /// before it, as [`rotate`] says of this instant and of the grace that was stored with it. Says whether
    /// it did; what is not pending, or belongs to a key that cannot be rotated any more, stays as it is.
    ///
    /// When it returns the change is committed; of several calls at once one does it. The verifier waits for
    /// it before the first grant, and forgets the key. A store without pending secrets needs nothing here.
    ///
    /// A caller that hangs up drops the future half-way, and the key is forgotten in that moment too. A store that
    /// commits even after that, because the change was queued or sent already, has to see to it that
    /// [`Verifier::forget`] is called then, as after every commit; otherwise the old secrets are believed until
    /// [`max_age`](crate::VerifierOptions::max_age).
    ///
    /// [`Verifier::forget`]: crate::Verifier::forget
    /// [`rotate`]: crate::rotate()
    fn activate(
        &self,
        _hash: KeyHash,
        _now: SystemTime,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send {
        std::future::ready(Ok(false))
    }
}
