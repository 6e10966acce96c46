//! Whether a credential that was good when a long answer began still is.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;
use rr_domain::{Label, Timestamp};
use rr_keys::{KeyHash, KeyRecord, Request, decide};
use rr_store::StoreError;
use uuid::Uuid;

use super::{Caller, Credential, Permission, check_same_site, credential};
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// What the store is asked about a key again by, at the latest, although nothing is known to have
/// changed: the same bound as for keys in memory.
const KEY_LASTS: Duration = Duration::from_secs(60);
/// A session may be ended by another process, which nobody is told of.
const SESSION_LASTS: Duration = Duration::from_secs(5);

/// A credential as the store knew it last. Looking at it counts as no use of it.
pub(crate) struct Standing {
    id: Uuid,
    address: Option<IpAddr>,
    /// What a key must keep.
    needs: Permission,
    known: Known,
}

enum Known {
    /// The key stands under one of the hashes, and may be moved to another meanwhile.
    Key {
        hashes: Vec<KeyHash>,
        record: Box<KeyRecord>,
    },
    Session {
        token_hash: [u8; 32],
    },
}

impl Standing {
    /// The credential of a request that was let in. A page of another site is not, although it only
    /// reads: a long answer costs something, and it could not see it anyway.
    pub(crate) fn of(
        caller: &Caller,
        needs: Permission,
        request: &HttpRequest,
        state: &AppState,
    ) -> Outcome<Standing> {
        let shown = credential(request.headers(), state.settings.is_https())?;
        match (shown, caller) {
            (Credential::Key(secret), Caller::Key(key)) => {
                Standing::of_key(state, secret, key.grant.record(), key.address, needs)
            }
            (Credential::Session(token), Caller::Administrator(admin)) => {
                check_same_site(request.headers(), state.settings.public_url.as_deref())?;
                let known = Known::Session { token_hash: token.hash() };
                Ok(Standing { id: admin.id, address: admin.address, needs, known })
            }
            _ => Err(Problem::unauthenticated()),
        }
    }

    /// A key that was let in.
    pub(crate) fn of_key(
        state: &AppState,
        secret: &str,
        record: &KeyRecord,
        address: Option<IpAddr>,
        needs: Permission,
    ) -> Outcome<Standing> {
        let presented = state.verifier.format().parse(secret);
        let presented = presented.map_err(|_| Problem::unauthenticated())?;
        let hashes = state.store.key_schemes().hashes(&presented);
        let known = Known::Key { hashes, record: Box::new(record.clone()) };
        Ok(Standing { id: record.id, address, needs, known })
    }

    /// The key or the user.
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    /// How long the store's word counts.
    pub(crate) fn lasts(&self) -> Duration {
        match self.known {
            Known::Key { .. } => KEY_LASTS,
            Known::Session { .. } => SESSION_LASTS,
        }
    }

    /// Asks the store; says whether the credential is still there.
    pub(crate) async fn renew(&mut self, state: &AppState) -> Result<bool, StoreError> {
        match &mut self.known {
            Known::Key { hashes, record } => {
                let found = state.store.find_any(hashes.clone()).await?;
                let Some(found) = found else { return Ok(false) };
                **record = found;
                Ok(true)
            }
            Known::Session { token_hash } => {
                let session = state.store.session(*token_hash, state.now()).await?;
                let stands = |row: &rr_store::SessionRow| {
                    row.role == Label::ADMIN && row.status == Label::ACTIVE
                };
                Ok(session.as_ref().is_some_and(stands))
            }
        }
    }

    /// Whether what is known lets it go on at `now`.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        let Known::Key { record, .. } = &self.known else { return true };
        let wanted = Request::requires(self.needs.name()).from(self.address);
        decide(record, &wanted, now.to_system_time()).is_ok()
    }

    /// Whether it has a permission besides.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        match &self.known {
            Known::Key { record, .. } => record.permissions.allows(permission.name()),
            Known::Session { .. } => true,
        }
    }

    /// When it ends by itself, if that is known.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        let Known::Key { record, .. } = &self.known else { return None };
        let ends = [record.expires_at, record.secret_ends_at];
        ends.into_iter().flatten().min().map(Timestamp::from_system_time)
    }
}
