//! What both adapters do with a request, once they have read its header lines in their own types.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use super::{Reason, Refusal};
use crate::{ConflictingCredentials, Denial, Grant, KeyStore, Request, Verifier, VerifyError};

/// The verifier, the clock and the realm.
#[derive(Clone)]
pub(super) struct Gate {
    verifier: Arc<dyn Judge>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    realm: Arc<str>,
}

impl Gate {
    pub(super) fn new<S: KeyStore>(
        verifier: Arc<Verifier<S>>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self { verifier, clock: Arc::new(clock), realm: Arc::from("api") }
    }

    pub(super) fn set_realm(&mut self, realm: &str) {
        self.realm = Arc::from(realm);
    }

    /// Judges what [`shown_key`](crate::shown_key) found. `permission` is `None` where any valid key will do.
    pub(super) async fn admit(
        &self,
        shown: Result<Option<&str>, ConflictingCredentials>,
        permission: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Grant, Refusal> {
        self.judge(shown, permission, address)
            .await
            .map_err(|reason| Refusal::new(reason, Arc::clone(&self.realm)))
    }

    async fn judge(
        &self,
        shown: Result<Option<&str>, ConflictingCredentials>,
        permission: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Grant, Reason> {
        let shown = shown.map_err(|ConflictingCredentials| Reason::ConflictingCredentials)?;
        let presented = shown.ok_or(Reason::NoCredential)?;
        let request = permission.map_or_else(Request::any, Request::requires).from(address);
        let now = (self.clock)();
        match self.verifier.try_verify(presented, &request, now) {
            Some(judged) => judged.map_err(Reason::Denied),
            None => self.verifier.verify(presented, request, now).await,
        }
    }
}

/// A verifier whose store has been forgotten, so that no signature of an embedding service has to repeat
/// the store's type. Only a key that is not in memory pays for the boxed future.
trait Judge: Send + Sync {
    fn try_verify(
        &self,
        presented: &str,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Option<Result<Grant, Denial>>;

    fn verify<'a>(
        &'a self,
        presented: &'a str,
        request: Request<'a>,
        now: SystemTime,
    ) -> Pin<Box<dyn Future<Output = Result<Grant, Reason>> + Send + 'a>>;
}

impl<S: KeyStore> Judge for Verifier<S> {
    fn try_verify(
        &self,
        presented: &str,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Option<Result<Grant, Denial>> {
        Self::try_verify(self, presented, request, now)
    }

    fn verify<'a>(
        &'a self,
        presented: &'a str,
        request: Request<'a>,
        now: SystemTime,
    ) -> Pin<Box<dyn Future<Output = Result<Grant, Reason>> + Send + 'a>> {
        Box::pin(async move {
            Self::verify(self, presented, &request, now).await.map_err(|error| match error {
                VerifyError::Denied(denial) => Reason::Denied(denial),
                VerifyError::Store(error) => Reason::StoreFailed(error),
            })
        })
    }
}
