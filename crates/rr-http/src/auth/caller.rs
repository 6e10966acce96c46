//! The one who calls, once that is known.

use std::net::IpAddr;

use rr_keys::{Grant, RateLimitStatus};
use rr_store::Actor;
use uuid::Uuid;

use super::Permission;

/// A caller whose credential was good.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A machine, by its key.
    Key(KeyCaller),
    /// A signed-in administrator.
    Administrator(Admin),
}

/// A machine.
#[derive(Debug, Clone)]
pub struct KeyCaller {
    /// The key's id.
    pub id: Uuid,
    /// The open door: what the key is and may.
    pub grant: Grant,
    /// Where the call comes from.
    pub address: Option<IpAddr>,
}

/// A signed-in administrator.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The user's id.
    pub id: Uuid,
    /// The user's e-mail.
    pub email: String,
    /// The user's role.
    pub role: String,
    /// Where the call comes from.
    pub address: Option<IpAddr>,
}

impl Caller {
    /// Where the call comes from, as far as it can be believed.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Caller::Key(key) => key.address,
            Caller::Administrator(admin) => admin.address,
        }
    }

    /// The key's id, if a key calls.
    pub fn key_id(&self) -> Option<Uuid> {
        match self {
            Caller::Key(key) => Some(key.id),
            Caller::Administrator(_) => None,
        }
    }

    /// The caller's id, whoever it is.
    pub fn id(&self) -> Uuid {
        match self {
            Caller::Key(key) => key.id,
            Caller::Administrator(admin) => admin.id,
        }
    }

    /// Whether the caller has a permission beside the one that let it in. A key that has it has needed it.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        match self {
            Caller::Key(key) => key.grant.note(permission.name()),
            Caller::Administrator(_) => true,
        }
    }

    /// The caller as an audit row names it.
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Caller::Key(key) => Actor::Key(key.id),
            Caller::Administrator(admin) => Actor::Administrator(admin.id),
        }
    }

    /// How the caller is named as the maker of something.
    pub fn label(&self) -> String {
        match self {
            Caller::Key(key) => format!("key:{}", key.id),
            Caller::Administrator(admin) => format!("administrator:{}", admin.id),
        }
    }
}

/// What the frame logs and answers about the caller; left in the request by the extractors.
#[derive(Debug, Clone)]
pub(crate) struct CallerId {
    /// The key or user.
    pub(crate) id: Uuid,
    /// Whether it is a key.
    pub(crate) is_key: bool,
    /// What to tell a key about its limits.
    pub(crate) limits: Option<RateLimitStatus>,
}

impl CallerId {
    /// A key that was let in.
    pub(crate) fn of_key(grant: &Grant) -> CallerId {
        CallerId { id: grant.key_id(), is_key: true, limits: grant.rate_limits() }
    }
}
