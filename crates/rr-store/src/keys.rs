//! API keys: identities and the hashes of their secrets.

mod change;
mod changes;
mod create;
mod find;
mod leak;
mod peppers;
mod record;
mod rotate;
mod schemes;
mod usage;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use rr_domain::Timestamp;
use rr_keys::{AllowList, Beyond, KeyRecord, PermissionSet, Quotas, RateLimits, Reach};
use uuid::Uuid;

pub(crate) use create::import;
pub use leak::{KnownSecret, Leak, LeakPolicy, LeakReport};
pub use peppers::PepperUse;
pub use schemes::{KeySchemes, PepperPlace, PepperVersion, SecretHash};
pub use usage::UsageBatch;

/// A key to keep.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is and may.
    pub record: KeyRecord,
    /// The hash of its secret.
    pub hash: SecretHash,
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
    /// Which of its permissions were used, in alphabetical order; those taken from it since included.
    pub permission_uses: Vec<PermissionUses>,
    /// Uses of secrets that the last rotation has replaced.
    pub superseded: Option<UseTally>,
    /// Attempts with dead secrets of the key, of all its life.
    pub refused: Option<UseTally>,
    /// Grows with every change of the key.
    pub version: i64,
    /// When the last of the secrets that a rotation has replaced ends, or ended.
    pub grace_until: Option<Timestamp>,
    /// The secret that waits for its first use.
    pub pending: Option<PendingSecret>,
    /// Set when one of its secrets became public.
    pub leak: Option<Leak>,
}

impl KeyRow {
    /// How often a dead secret of it was tried.
    pub fn refused_uses(&self) -> i64 {
        self.refused.as_ref().map_or(0, |refused| refused.uses)
    }

    /// Permissions that it has and has never needed.
    pub fn unused_permissions(&self) -> Vec<&str> {
        let used = self.permission_uses.iter().map(|used| used.permission.as_str());
        self.record.permissions.unused(used).collect()
    }
}

/// A secret that a rotation has made and nobody has used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSecret {
    /// The start of it.
    pub hint: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// How many seconds its first use leaves to the secrets before it.
    pub grace_s: i64,
}

/// How often a permission of a key was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionUses {
    /// The permission, as it was granted.
    pub permission: String,
    /// How often.
    pub uses: i64,
    /// When last, to within the few seconds between two writes of usage.
    pub last_used_at: Timestamp,
}

/// Some of the uses of a key, or attempts at one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseTally {
    /// How often.
    pub uses: i64,
    /// When last.
    pub last_used_at: Timestamp,
    /// From where.
    pub last_address: Option<IpAddr>,
}

/// What was changed since somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChanges {
    /// The number to ask with the next time.
    pub version: i64,
    /// Which keys.
    pub keys: ChangedKeys,
}

/// Which keys were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedKeys {
    /// No others than these.
    These(Vec<Uuid>),
    /// Any of them may have been: too many were, nobody looked before, or the numbers have a gap.
    Unknown,
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

/// A new secret for a key.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The key.
    pub key_id: Uuid,
    /// The hash of its new secret.
    pub hash: SecretHash,
    /// The start of its new secret.
    pub hint: String,
    /// How long the secrets that it has now go on working.
    pub grace: Duration,
    /// From when on.
    pub start: RotationStart,
    /// The reach of whoever rotates: a key that goes beyond is left alone. `None` is no bound.
    pub at_most: Option<Reach>,
}

/// When the grace of a rotation starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RotationStart {
    /// With the rotation.
    #[default]
    Now,
    /// With the first use of the new secret, which is pending until then.
    FirstUse,
}

/// What became of a rotation.
#[derive(Debug)]
pub enum RotateKey {
    /// The key has the new secret; those before it stop working at this instant at the latest.
    Rotated(Timestamp),
    /// The new secret waits for its first use; those before it have no end because of it.
    Pending,
    /// The same request came before and rotated the key.
    AlreadyRotated,
    /// There is no such key.
    NoSuchKey,
    /// The key, whose permissions these are, goes beyond whoever rotates it.
    BeyondReach(Beyond, PermissionSet),
    /// A revoked key is gone for good.
    Revoked,
    /// A new secret is no new life.
    Expired,
    /// The key is switched off.
    Disabled,
}

/// Changes to a key; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyPatch {
    /// New name.
    pub name: Option<String>,
    /// New permissions.
    pub permissions: Option<PermissionSet>,
    /// New start of validity; `Some(None)` removes it.
    pub not_before: Option<Option<Timestamp>>,
    /// New expiry; `Some(None)` is never.
    pub expires_at: Option<Option<Timestamp>>,
    /// New windows, all of them; one that keeps its name keeps what is used of it.
    pub rate_limits: Option<RateLimits>,
    /// New quotas, all of them; what was used so far stays counted.
    pub quotas: Option<Quotas>,
    /// New list of addresses.
    pub allowed_ips: Option<AllowList>,
    /// New notes, all of them.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Switched on or off.
    pub enabled: Option<bool>,
    /// The reach of whoever changes the key: one that may more is left alone, and a change that grants
    /// anything leaves none that goes beyond. `None` is no bound.
    pub at_most: Option<Reach>,
}

/// What became of a change.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made per call and taken apart at once")]
pub enum UpdateKey {
    /// The key as it is now.
    Updated(KeyRow),
    /// There is no such key.
    NoSuchKey,
    /// The key, whose permissions these are or would be, goes beyond whoever changes it.
    BeyondReach(Beyond, PermissionSet),
    /// The key that asks would give itself more than it has, with this member of the change.
    WidensItself(&'static str),
    /// There would be no instant in which the key could work.
    EndsBeforeItBegins,
    /// A revoked key is gone for good, and more was to change than what people know it by.
    Revoked,
}
