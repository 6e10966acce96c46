//! A key as its owner may see it: everything but its secret and the hash of it. One view for requests and for the
//! command line.

use std::collections::BTreeMap;
use std::time::SystemTime;

use rr_domain::Timestamp;
use rr_keys::KeyRecord;
use rr_store::KeyRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::limits::{RateLimit, RateWindow};
use super::quotas::QuotaLimits;
use super::usage::Usage;

/// A key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Key {
    id: Uuid,
    name: String,
    /// Whom it belongs to.
    user_id: Option<String>,
    permissions: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Its first instant, if that was not its making.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used: Option<Timestamp>,
    /// Whether it works now.
    is_active: bool,
    /// The first characters of its secret.
    hint: String,
    status: KeyStatus,
    /// The one of `rate_limits` that is called `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<RateLimit>,
    /// All its limits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    rate_limits: Vec<RateWindow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quotas: Option<QuotaLimits>,
    usage: Usage,
    /// Permissions that it has and has never needed.
    unused_permissions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_ips: Vec<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    /// Present while a secret that a rotation has replaced still works: until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_until: Option<Timestamp>,
    /// Present while a new secret waits for its first use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<PendingSecret>,
    /// Notes of yours.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    metadata: BTreeMap<String, String>,
    /// Present when a secret of the key became public.
    #[serde(skip_serializing_if = "Option::is_none")]
    leak: Option<Leak>,
}

/// A new secret that nobody has used yet; until then the one before it works on.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PendingSecret {
    /// The first characters of it.
    hint: String,
    /// Since when it waits.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// How many seconds its first use leaves to the one before it.
    #[schema(minimum = 0)]
    grace_s: i64,
}

/// A secret that became public: of several, one that still works, else the latest.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Leak {
    /// When it was reported first.
    #[schema(value_type = String, format = DateTime)]
    reported_at: Timestamp,
    /// Where it was found.
    url: Option<String>,
    /// Whether it still opens the door.
    works: bool,
    /// How often the key was used since, with whichever secret.
    #[schema(minimum = 0)]
    uses_since: i64,
    /// When it was used last, if that was since.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_since: Option<Timestamp>,
    /// How often a secret of the key was tried since that opens nothing any more.
    #[schema(minimum = 0)]
    refused_since: i64,
}

/// Whether a key works, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// It works.
    Active,
    /// Its first instant has not come.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// It is switched off.
    Disabled,
    /// It was taken back for good.
    Revoked,
    /// Its newest secret became public and was ended, and no other works; rotate it.
    Leaked,
}

impl Key {
    /// The key at `now`.
    pub fn of(row: KeyRow, now: Timestamp) -> Key {
        let usage = Usage::of(&row, now);
        let unused_permissions = row.unused_permissions().into_iter().map(str::to_owned).collect();
        let refused_uses = row.refused_uses();
        let record = row.record;
        let status = match status(&record, now.to_system_time()) {
            KeyStatus::Active if is_without_secret(row.leak.as_ref(), row.grace_until, now) => {
                KeyStatus::Leaked
            }
            status => status,
        };
        let leak = row.leak.map(|leak| Leak {
            reported_at: leak.reported_at,
            works: status == KeyStatus::Active && leak.still_works(now),
            uses_since: row.use_count.saturating_sub(leak.uses_before).max(0),
            refused_since: (refused_uses - leak.refused_before).max(0),
            last_used_since: row.last_used_at.filter(|used| *used > leak.reported_at),
            url: leak.url,
        });
        let grace_until = running_grace(&record, row.grace_until, now);
        Key {
            id: record.id,
            name: record.name,
            user_id: record.owner,
            permissions: record.permissions.iter().map(str::to_owned).collect(),
            created_at: Timestamp::from_system_time(record.created_at),
            not_before: record.not_before.map(Timestamp::from_system_time),
            expires_at: record.expires_at.map(Timestamp::from_system_time),
            last_used: row.last_used_at,
            is_active: status == KeyStatus::Active,
            hint: row.hint,
            status,
            rate_limit: RateLimit::of(&record.rate_limits),
            rate_limits: RateWindow::all(&record.rate_limits),
            quotas: QuotaLimits::of(&record.quotas),
            usage,
            unused_permissions,
            allowed_ips: record.allowed_ips.to_strings(),
            revoked_at: record.revoked_at.map(Timestamp::from_system_time),
            grace_until,
            pending: row.pending.map(|secret| PendingSecret {
                hint: secret.hint,
                since: secret.since,
                grace_s: secret.grace_s,
            }),
            metadata: record.metadata,
            leak,
        }
    }

    /// Whether it works, and if not, why.
    pub fn status(&self) -> KeyStatus {
        self.status
    }
}

/// Whether the secret that leaked has ended and no other works: none that took its place, and none from before a
/// rotation whose grace still runs.
fn is_without_secret(
    leak: Option<&rr_store::Leak>,
    grace_until: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let drains = grace_until.is_some_and(|end| now < end);
    !drains && leak.is_some_and(|leak| !leak.replaced && !leak.still_works(now))
}

/// The end of a grace that is running; a key that ends earlier, or has ended, takes it along.
fn running_grace(
    record: &KeyRecord,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let key_ends = record.expires_at.map(Timestamp::from_system_time);
    let until = key_ends.map_or(until, |end| until.map(|until| until.min(end)))?;
    (record.revoked_at.is_none() && now < until).then_some(until)
}

/// The same order in which a use of the key is judged.
fn status(record: &KeyRecord, now: SystemTime) -> KeyStatus {
    if record.revoked_at.is_some() {
        KeyStatus::Revoked
    } else if !record.enabled {
        KeyStatus::Disabled
    } else if record.expires_at.is_some_and(|end| now >= end) {
        KeyStatus::Expired
    } else if record.not_before.is_some_and(|start| now < start) {
        KeyStatus::NotYetValid
    } else {
        KeyStatus::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rr_keys::{Denial, PermissionSet, Request, decide};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_grace_is_shown_while_it_runs_and_no_longer_than_the_key() {
        let at = |seconds| Timestamp::from_seconds(seconds).unwrap();
        let key = KeyRecord::new(Uuid::nil(), "k", UNIX_EPOCH);
        let ends = |end| KeyRecord { expires_at: Some(at(end).to_system_time()), ..key.clone() };
        let revoked = KeyRecord { revoked_at: Some(UNIX_EPOCH), ..key.clone() };
        for (record, until, expected) in [
            (&key, None, None),
            (&key, Some(101), Some(101)),
            (&key, Some(100), None),
            (&ends(200), Some(150), Some(150)),
            (&ends(120), Some(150), Some(120)),
            (&ends(100), Some(150), None),
            (&ends(200), None, None),
            (&revoked, Some(150), None),
        ] {
            let shown = running_grace(record, until.map(at), at(100));
            assert_eq!(shown, expected.map(at), "{until:?} {record:?}");
        }
    }

    #[test]
    fn the_status_agrees_with_the_judgement() {
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        let base = KeyRecord {
            permissions: PermissionSet::from_iter(["p"]),
            ..KeyRecord::new(Uuid::nil(), "k", UNIX_EPOCH)
        };
        let later = Some(now + Duration::from_secs(1));
        for (record, expected, denial) in [
            (base.clone(), KeyStatus::Active, None),
            (
                KeyRecord { revoked_at: later, enabled: false, ..base.clone() },
                KeyStatus::Revoked,
                Some(Denial::Revoked),
            ),
            (
                KeyRecord { enabled: false, expires_at: Some(now), ..base.clone() },
                KeyStatus::Disabled,
                Some(Denial::Disabled),
            ),
            (
                KeyRecord { expires_at: Some(now), ..base.clone() },
                KeyStatus::Expired,
                Some(Denial::Expired),
            ),
            (KeyRecord { expires_at: later, ..base.clone() }, KeyStatus::Active, None),
            (
                KeyRecord { not_before: later, ..base.clone() },
                KeyStatus::NotYetValid,
                Some(Denial::NotYetValid),
            ),
        ] {
            assert_eq!(status(&record, now), expected);
            assert_eq!(decide(&record, &Request::requires("p"), now).err(), denial);
        }
    }
}
