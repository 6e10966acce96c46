//! Permissions, as values and as types.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a key may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read figures.
    ReadMetrics,
    /// Send events.
    WriteWebhooks,
    /// List users, with personal data.
    ReadUsers,
    /// List events.
    ReadEvents,
    /// Make, change, rotate and revoke keys.
    ManageKeys,
    /// Configure webhook sources.
    ManageWebhooks,
    /// Import data.
    WriteData,
}

impl Permission {
    /// All of them.
    pub const ALL: [Permission; 7] = [
        Permission::ReadMetrics,
        Permission::WriteWebhooks,
        Permission::ReadUsers,
        Permission::ReadEvents,
        Permission::ManageKeys,
        Permission::ManageWebhooks,
        Permission::WriteData,
    ];

    /// What a new key gets unless its maker says otherwise.
    pub const DEFAULT: [Permission; 2] = [Permission::ReadMetrics, Permission::WriteWebhooks];

    /// The name on the wire and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Permission::ReadMetrics => "read_metrics",
            Permission::WriteWebhooks => "write_webhooks",
            Permission::ReadUsers => "read_users",
            Permission::ReadEvents => "read_events",
            Permission::ManageKeys => "manage_keys",
            Permission::ManageWebhooks => "manage_webhooks",
            Permission::WriteData => "write_data",
        }
    }
}

/// A permission as a type, so that a handler's signature can ask for it.
pub trait Needs: 'static {
    /// The permission.
    const PERMISSION: Permission;
}

/// [`Permission::ReadMetrics`].
#[derive(Debug)]
pub struct ReadMetrics;
/// [`Permission::WriteWebhooks`].
#[derive(Debug)]
pub struct WriteWebhooks;
/// [`Permission::ReadUsers`].
#[derive(Debug)]
pub struct ReadUsers;
/// [`Permission::ReadEvents`].
#[derive(Debug)]
pub struct ReadEvents;
/// [`Permission::ManageKeys`].
#[derive(Debug)]
pub struct ManageKeys;
/// [`Permission::ManageWebhooks`].
#[derive(Debug)]
pub struct ManageWebhooks;
/// [`Permission::WriteData`].
#[derive(Debug)]
pub struct WriteData;

impl Needs for ReadMetrics {
    const PERMISSION: Permission = Permission::ReadMetrics;
}
impl Needs for WriteWebhooks {
    const PERMISSION: Permission = Permission::WriteWebhooks;
}
impl Needs for ReadUsers {
    const PERMISSION: Permission = Permission::ReadUsers;
}
impl Needs for ReadEvents {
    const PERMISSION: Permission = Permission::ReadEvents;
}
impl Needs for ManageKeys {
    const PERMISSION: Permission = Permission::ManageKeys;
}
impl Needs for ManageWebhooks {
    const PERMISSION: Permission = Permission::ManageWebhooks;
}
impl Needs for WriteData {
    const PERMISSION: Permission = Permission::WriteData;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_what_serde_reads_and_writes() {
        for permission in Permission::ALL {
            let json = format!("\"{}\"", permission.name());
            assert_eq!(serde_json::to_string(&permission).unwrap(), json);
            assert_eq!(serde_json::from_str::<Permission>(&json).unwrap(), permission);
        }
    }
}
