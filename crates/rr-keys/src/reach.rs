//! How far a key may reach that was made with another.

use std::time::SystemTime;

use crate::{AllowList, KeyRecord, PermissionSet};

/// What a key can do, and so what it can hand on at most: nobody should get a key out of another one that
/// may more, lasts longer or works from more places.
///
/// Limits and quotas are no part of it: they bound how often a key is used and not what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// What it may do.
    pub permissions: PermissionSet,
    /// The first instant at which it works no more; `None` means never.
    pub expires_at: Option<SystemTime>,
    /// Where it may be used from.
    pub allowed_ips: AllowList,
}

/// In what a key goes beyond a [`Reach`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    /// It may do more.
    Permissions,
    /// It lasts longer.
    Expiry,
    /// It works from more places.
    Addresses,
}

impl Reach {
    /// The reach of a key. All secrets of a key have the same, for whoever holds one can replace it.
    pub fn of(record: &KeyRecord) -> Self {
        Self {
            permissions: record.permissions.clone(),
            expires_at: record.expires_at,
            allowed_ips: record.allowed_ips.clone(),
        }
    }

    /// The first thing in which a key goes beyond; `None` when all of it is within.
    pub fn beyond(&self, record: &KeyRecord) -> Option<Beyond> {
        if !self.permissions.is_superset(&record.permissions) {
            return Some(Beyond::Permissions);
        }
        let ends_in_time =
            |own: SystemTime| record.expires_at.is_some_and(|expires_at| expires_at <= own);
        if !self.expires_at.is_none_or(ends_in_time) {
            return Some(Beyond::Expiry);
        }
        (!record.allowed_ips.is_within(&self.allowed_ips)).then_some(Beyond::Addresses)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const END: SystemTime = SystemTime::UNIX_EPOCH;
    const TICK: Duration = Duration::from_nanos(1);

    fn record(permissions: &[&str], end: Option<SystemTime>, networks: &[&str]) -> KeyRecord {
        KeyRecord {
            permissions: permissions.iter().copied().collect(),
            expires_at: end,
            allowed_ips: AllowList::parse(networks).unwrap(),
            ..KeyRecord::new(Uuid::nil(), "key", SystemTime::UNIX_EPOCH)
        }
    }

    #[test]
    fn a_key_hands_on_at_most_what_it_has() {
        let bound = Reach::of(&record(&["manage", "read:*"], Some(END), &["10.0.0.0/8", "::1"]));
        for (permissions, end, networks, beyond) in [
            (&["read:a"][..], Some(END), &["10.1.0.0/16"][..], None),
            (&[], Some(END - TICK), &["::1", "10.0.0.0/8"], None),
            (&["write"], Some(END), &["::1"], Some(Beyond::Permissions)),
            (&["write"], None, &[], Some(Beyond::Permissions)),
            (&["manage"], Some(END + TICK), &["::1"], Some(Beyond::Expiry)),
            (&["manage"], None, &["::1"], Some(Beyond::Expiry)),
            (&["manage"], Some(END), &[], Some(Beyond::Addresses)),
            (&["manage"], Some(END), &["::1", "11.0.0.1"], Some(Beyond::Addresses)),
        ] {
            let key = record(permissions, end, networks);
            assert_eq!(bound.beyond(&key), beyond, "{key:?}");
        }
        let endless = Reach::of(&record(&["manage"], None, &[]));
        assert_eq!(endless.beyond(&record(&["manage"], None, &[])), None);
    }
}
