//! How far a key may reach that was made with another.

use std::time::SystemTime;

use crate::{AllowList, KeyRecord, PermissionSet, Quotas, RateLimits};

/// What a key can do, and so what it can hand on at most: nobody should get a key out of another one that
/// may more, lasts longer, works from more places or may be used more often.
///
/// Limits and quotas belong to it although each key counts its own uses: else a bounded key would make one
/// without bounds, which could then lift those of its maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// What it may do.
    pub permissions: PermissionSet,
    /// The first instant at which it works no more; `None` means never.
    pub expires_at: Option<SystemTime>,
    /// Where it may be used from.
    pub allowed_ips: AllowList,
    /// How fast it may be used.
    pub rate_limits: RateLimits,
    /// How often it may be used. What was used so far is no matter.
    pub quotas: Quotas,
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
    /// It may be used faster, or its windows have other names: under a new name everything is left.
    RateLimits,
    /// It may be used more often.
    Quotas,
}

impl Reach {
    /// The reach of a key. All secrets of a key have the same, for whoever holds one can replace it.
    pub fn of(record: &KeyRecord) -> Self {
        Self {
            permissions: record.permissions.clone(),
            expires_at: record.expires_at,
            allowed_ips: record.allowed_ips.clone(),
            rate_limits: record.rate_limits.clone(),
            quotas: Quotas::new(record.quotas.iter()),
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
        if !record.allowed_ips.is_within(&self.allowed_ips) {
            return Some(Beyond::Addresses);
        }
        if !record.rate_limits.is_within(&self.rate_limits) {
            return Some(Beyond::RateLimits);
        }
        (!record.quotas.is_within(&self.quotas)).then_some(Beyond::Quotas)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::{QuotaPeriod, RateLimit};

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

    #[test]
    fn a_bounded_key_hands_on_its_bounds() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let bounded = |name: &str, limit, day| KeyRecord {
            rate_limits: RateLimits::new([(
                name.parse().unwrap(),
                RateLimit { limit: number(limit), window: Duration::from_secs(60) },
            )])
            .unwrap(),
            quotas: Quotas::new([(QuotaPeriod::Day, number(day))]),
            ..record(&[], None, &[])
        };
        let free = record(&[], None, &[]);
        let bound = Reach::of(&bounded("default", 10, 100));
        for (key, beyond) in [
            (bounded("default", 10, 100), None),
            (bounded("default", 9, 1), None),
            (bounded("default", 11, 100), Some(Beyond::RateLimits)),
            (bounded("other", 10, 100), Some(Beyond::RateLimits)),
            (bounded("default", 10, 101), Some(Beyond::Quotas)),
            (
                KeyRecord { quotas: Quotas::default(), ..bounded("default", 1, 1) },
                Some(Beyond::Quotas),
            ),
            (free.clone(), Some(Beyond::RateLimits)),
        ] {
            assert_eq!(bound.beyond(&key), beyond, "{key:?}");
        }
        assert_eq!(Reach::of(&free).beyond(&bounded("default", 10, 100)), None);
    }
}
