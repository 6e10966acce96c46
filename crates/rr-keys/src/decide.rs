//! The whole judgement of a key, as a function of what is known.

use std::time::SystemTime;

use crate::{Denial, KeyRecord, PermissionSet, Request};

/// What [`decide`] found: that a key may, and by what right.
///
/// It is an answer and no use: nothing is counted and nothing taken from a limit. A
/// [`Verifier`](crate::Verifier) does that and gives a [`Grant`](crate::Grant).
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted<'k> {
    record: &'k KeyRecord,
    permission: Option<&'k str>,
}

impl<'k> Granted<'k> {
    /// The key.
    pub fn record(&self) -> &'k KeyRecord {
        self.record
    }

    /// Which permission of the key grants the one that was asked for: the very text if the key has it, else
    /// the longest pattern that covers it. `None` when the request needs no permission.
    pub fn permission(&self) -> Option<&'k str> {
        self.permission
    }
}

/// Judges a key. Pure and total: no clock, no I/O, the same answer for the same arguments.
///
/// What the holder cannot mend comes first (revoked, disabled, time), then where it is used from, then what
/// it may do. Rates and quotas are not judged here, for they depend on the requests before; the
/// [`Verifier`](crate::Verifier) adds them.
///
/// ```
/// # use std::time::SystemTime;
/// # use rr_keys::{Denial, KeyRecord, Request, decide};
/// # use uuid::Uuid;
/// let now = SystemTime::now();
/// let mut key = KeyRecord {
///     permissions: ["read:orders/*", "write:notes"].into_iter().collect(),
///     ..KeyRecord::new(Uuid::from_u128(1), "nightly export", now)
/// };
/// let granted = decide(&key, &Request::requires("read:orders/17"), now)?;
/// assert_eq!(granted.permission(), Some("read:orders/*"));
///
/// key.expires_at = Some(now);
/// assert_eq!(decide(&key, &Request::any(), now), Err(Denial::Expired));
/// # Ok::<(), Denial>(())
/// ```
pub fn decide<'k>(
    record: &'k KeyRecord,
    request: &Request<'_>,
    now: SystemTime,
) -> Result<Granted<'k>, Denial> {
    let place = judge(record, request, now)?;
    let permission = place.and_then(|place| record.permissions.iter().nth(place));
    Ok(Granted { record, permission })
}

/// The same for the verifier, which counts by the permission's place in the set.
pub(crate) fn judge(
    record: &KeyRecord,
    request: &Request<'_>,
    now: SystemTime,
) -> Result<Option<usize>, Denial> {
    if record.revoked_at.is_some() {
        return Err(Denial::Revoked);
    }
    if !record.enabled {
        return Err(Denial::Disabled);
    }
    if record.expires_at.is_some_and(|end| now >= end) {
        return Err(Denial::Expired);
    }
    if record.secret_ends_at.is_some_and(|end| now >= end) {
        return Err(Denial::Superseded);
    }
    if record.not_before.is_some_and(|start| now < start) {
        return Err(Denial::NotYetValid);
    }
    if !record.allowed_ips.allows(request.address) {
        return Err(Denial::AddressNotAllowed);
    }
    granting(&record.permissions, request)
}

/// The last step alone.
pub(crate) fn granting(
    permissions: &PermissionSet,
    request: &Request<'_>,
) -> Result<Option<usize>, Denial> {
    let Some(wanted) = request.permission else { return Ok(None) };
    match permissions.granting(wanted) {
        None => Err(missing(wanted)),
        place => Ok(place),
    }
}

/// Kept apart and cold: it allocates, and the way to a grant must not.
#[cold]
fn missing(permission: &str) -> Denial {
    Denial::MissingPermission {
        required: permission.to_owned(),
        missing: vec![permission.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::AllowList;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    const TICK: Duration = Duration::from_nanos(1);

    fn good() -> KeyRecord {
        KeyRecord {
            permissions: ["read"].into_iter().collect(),
            ..KeyRecord::new(Uuid::nil(), "key", NOW)
        }
    }

    fn check(record: &KeyRecord, expected: Result<(), Denial>) {
        let granted = Granted { record, permission: Some("read") };
        let expected = expected.map(|()| granted);
        assert_eq!(decide(record, &Request::requires("read"), NOW), expected, "{record:?}");
    }

    #[test]
    fn times_are_exact_to_the_tick() {
        check(&KeyRecord { expires_at: Some(NOW + TICK), ..good() }, Ok(()));
        check(&KeyRecord { expires_at: Some(NOW), ..good() }, Err(Denial::Expired));
        check(&KeyRecord { not_before: Some(NOW), ..good() }, Ok(()));
        check(&KeyRecord { not_before: Some(NOW + TICK), ..good() }, Err(Denial::NotYetValid));
        check(&KeyRecord { secret_ends_at: Some(NOW + TICK), ..good() }, Ok(()));
        check(&KeyRecord { secret_ends_at: Some(NOW), ..good() }, Err(Denial::Superseded));
    }

    #[test]
    fn a_revocation_counts_whatever_its_time() {
        check(&KeyRecord { revoked_at: Some(NOW + TICK), ..good() }, Err(Denial::Revoked));
        check(&KeyRecord { revoked_at: Some(NOW), ..good() }, Err(Denial::Revoked));
    }

    /// (h) no scopes = no access.
    #[test]
    fn an_empty_permission_set_grants_nothing() {
        let bare = KeyRecord { permissions: PermissionSet::default(), ..good() };
        let missing = |p: &str| Denial::MissingPermission {
            required: p.to_owned(),
            missing: vec![p.to_owned()],
        };
        check(&bare, Err(missing("read")));
        let denial = missing("read");
        assert_eq!((denial.required(), denial.missing()), (Some("read"), &["read".to_owned()][..]));
        assert_eq!((Denial::Expired.required(), Denial::Expired.missing()), (None, &[][..]));
        assert_eq!(decide(&bare, &Request::requires(""), NOW), Err(missing("")));
        let any = Granted { record: &bare, permission: None };
        assert_eq!(decide(&bare, &Request::any(), NOW), Ok(any), "any valid key will do here");
    }

    #[test]
    fn the_address_is_judged() {
        let home: std::net::IpAddr = "10.0.0.1".parse().unwrap();
        let record = KeyRecord { allowed_ips: AllowList::parse(["10.0.0.1"]).unwrap(), ..good() };
        check(&record, Err(Denial::AddressNotAllowed));
        let granted = decide(&record, &Request::requires("read").from(home), NOW).unwrap();
        assert_eq!(granted.record().id, record.id);
    }

    #[test]
    fn a_grant_says_by_which_permission() {
        let record = KeyRecord {
            permissions: ["read:*", "read:orders/*", "read:orders/17"].into_iter().collect(),
            ..good()
        };
        for (wanted, by) in [
            ("read:orders/17", "read:orders/17"),
            ("read:orders/18", "read:orders/*"),
            ("read:users", "read:*"),
        ] {
            let granted = decide(&record, &Request::requires(wanted), NOW).unwrap();
            assert_eq!(granted.permission(), Some(by), "{wanted}");
        }
    }

    #[test]
    fn what_cannot_be_mended_is_said_first() {
        let mut record = KeyRecord {
            revoked_at: Some(NOW),
            enabled: false,
            expires_at: Some(NOW),
            secret_ends_at: Some(NOW),
            not_before: Some(NOW + TICK),
            allowed_ips: AllowList::parse(["10.0.0.1"]).unwrap(),
            permissions: PermissionSet::default(),
            ..good()
        };
        check(&record, Err(Denial::Revoked));
        record.revoked_at = None;
        check(&record, Err(Denial::Disabled));
        record.enabled = true;
        check(&record, Err(Denial::Expired));
        record.expires_at = None;
        check(&record, Err(Denial::Superseded));
        record.secret_ends_at = None;
        check(&record, Err(Denial::NotYetValid));
        record.not_before = None;
        check(&record, Err(Denial::AddressNotAllowed));
        record.allowed_ips = AllowList::default();
        assert_eq!(
            decide(&record, &Request::requires("read"), NOW).unwrap_err().http_status(),
            403
        );
    }
}
