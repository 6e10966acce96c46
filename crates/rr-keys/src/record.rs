//! What the store knows about a key.

use std::collections::BTreeMap;
use std::time::SystemTime;

use uuid::Uuid;

use crate::{AllowList, PermissionSet, Quotas, RateLimits};

/// A key as the store keeps it, without its hash: everything that [`decide`](crate::decide()) looks at.
///
/// Build it from [`KeyRecord::new`] and name what differs, so that a later field breaks nobody:
/// `KeyRecord { enabled: false, ..KeyRecord::new(id, "name", created_at) }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The identity of the key. It outlives every secret that the key has had.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Whom it belongs to, in the embedding service's own terms.
    pub owner: Option<String>,
    /// What it may do.
    pub permissions: PermissionSet,
    /// When it was made.
    pub created_at: SystemTime,
    /// The first instant at which it works; `None` means since ever.
    pub not_before: Option<SystemTime>,
    /// The first instant at which it works no more; `None` means never.
    pub expires_at: Option<SystemTime>,
    /// When it was revoked. A revoked key never works again, whatever instant stands here.
    pub revoked_at: Option<SystemTime>,
    /// The switch that turns it off for a while.
    pub enabled: bool,
    /// Where it may be used from.
    pub allowed_ips: AllowList,
    /// How often it may be used; a request must fit into all of its windows.
    pub rate_limits: RateLimits,
    /// How often it may be used in a day, a month and in all, and how much of that the store has seen.
    pub quotas: Quotas,
    /// The end of the secret that was looked up, when a newer secret of the same key has replaced it.
    pub secret_ends_at: Option<SystemTime>,
    /// The secret that was looked up waits for its first use, which [starts](crate::KeyStore::activate) the
    /// grace of those before it.
    pub secret_pending: bool,
    /// Notes of the embedding service; nothing here looks at them.
    pub metadata: BTreeMap<String, String>,
}

impl KeyRecord {
    /// An enabled key that grants nothing yet, never ends and may be used from anywhere.
    pub fn new(id: Uuid, name: impl Into<String>, created_at: SystemTime) -> Self {
        Self {
            id,
            name: name.into(),
            owner: None,
            permissions: PermissionSet::default(),
            created_at,
            not_before: None,
            expires_at: None,
            revoked_at: None,
            enabled: true,
            allowed_ips: AllowList::default(),
            rate_limits: RateLimits::default(),
            quotas: Quotas::default(),
            secret_ends_at: None,
            secret_pending: false,
            metadata: BTreeMap::new(),
        }
    }
}
