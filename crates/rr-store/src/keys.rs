//! API keys: identities and the hashes of their secrets.

mod change;
mod create;
mod find;
mod record;
mod usage;

use std::net::IpAddr;

use rr_domain::Timestamp;
use rr_keys::{AllowList, KeyHash, KeyRecord, PermissionSet, RateLimit};
use uuid::Uuid;

pub(crate) use create::import;

/// A key to keep.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is and may.
    pub record: KeyRecord,
    /// The hash of its secret.
    pub hash: KeyHash,
    /// The start of its secret, for people to recognise it.
    pub hint: String,
    /// Who made it.
    pub created_by: String,
    /// When it was used last (imported keys).
    pub last_used_at: Option<Timestamp>,
}

/// A stored key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// What it is and may.
    pub record: KeyRecord,
    /// The start of its secret.
    pub hint: String,
    /// Who made it.
    pub created_by: String,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// From where.
    pub last_used_address: Option<IpAddr>,
    /// How often it was used.
    pub use_count: i64,
    /// Grows with every change of the key.
    pub version: i64,
}

/// What became of a new key.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made per call and taken apart at once")]
pub enum CreateKey {
    /// It is stored.
    Created(KeyRow),
    /// The same request (or the same key) came before and made the key of this id.
    AlreadyCreated(Uuid),
}

/// Changes to a key; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct KeyPatch {
    /// New name.
    pub name: Option<String>,
    /// New permissions.
    pub permissions: Option<PermissionSet>,
    /// New start of validity; `Some(None)` removes it.
    pub not_before: Option<Option<Timestamp>>,
    /// New expiry; `Some(None)` is never.
    pub expires_at: Option<Option<Timestamp>>,
    /// New limit; `Some(None)` removes it.
    pub rate_limit: Option<Option<RateLimit>>,
    /// New list of addresses.
    pub allowed_ips: Option<AllowList>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}
