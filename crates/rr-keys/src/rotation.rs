//! A new secret for the same key: what becomes of the old ones.

use std::time::{Duration, SystemTime};

use crate::KeyRecord;

/// Why a key cannot be given a new secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotRotate {
    /// A revoked key is gone for good; make a new one.
    #[error("a revoked key cannot be rotated")]
    Revoked,
    /// Its time is over, and a new secret is no new life.
    #[error("an expired key cannot be rotated")]
    Expired,
}

/// When the secrets that a key has now stop working, if it is rotated `now` with this grace.
///
/// A rotation changes the secret and nothing else. The record keeps its identity, and with it limits, usage,
/// permissions, expiry and the switch that turned it off; so the grace never outlives the key, a disabled
/// key stays disabled under its new secret, and both secrets share one limit. To carry it out, in one
/// transaction: give every secret of the key the end [`secret_end`] makes of this instant, store the new
/// secret's hash without an end, commit; then [`forget`](crate::Verifier::forget) the key. With a grace of
/// zero the old secret is refused from then on.
///
/// A deployment may take longer than any grace. So that nobody is locked out, a rotation can begin on the
/// first use of the new secret: store its hash as [pending](KeyRecord::secret_pending), the grace beside it,
/// and leave the others alone. All of the above then happens in [`KeyStore::activate`], with the instant of
/// that use for `now`. One pending secret is enough: a further rotation ends it and puts its own in place.
///
/// [`KeyStore::activate`]: crate::KeyStore::activate
///
/// ```
/// # use std::time::{Duration, SystemTime};
/// # use rr_keys::{CannotRotate, KeyRecord, rotate, secret_end};
/// # let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let day = Duration::from_secs(86_400);
/// let record = KeyRecord {
///     expires_at: Some(now + day),
///     ..KeyRecord::new(uuid::Uuid::from_u128(1), "deploys", now)
/// };
/// assert_eq!(rotate(&record, now, 7 * day), Ok(now + day), "not past the key's own end");
/// assert_eq!(rotate(&record, now + day, day), Err(CannotRotate::Expired));
/// // A secret that was already on its way out keeps its earlier end.
/// assert_eq!(secret_end(Some(now), now + day), now);
/// ```
pub fn rotate(
    record: &KeyRecord,
    now: SystemTime,
    grace: Duration,
) -> Result<SystemTime, CannotRotate> {
    if record.revoked_at.is_some() {
        return Err(CannotRotate::Revoked);
    }
    if record.expires_at.is_some_and(|end| now >= end) {
        return Err(CannotRotate::Expired);
    }
    // A grace beyond what the clock can say is bounded by the key's own end, or else is no grace at all.
    let wished = now.checked_add(grace).or(record.expires_at).unwrap_or(now);
    Ok(record.expires_at.map_or(wished, |end| end.min(wished)))
}

/// The end of one secret after a rotation whose grace ends at `grace_until`: never later than before.
pub fn secret_end(before: Option<SystemTime>, grace_until: SystemTime) -> SystemTime {
    before.map_or(grace_until, |end| end.min(grace_until))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    const HOUR: Duration = Duration::from_secs(3_600);

    fn key() -> KeyRecord {
        KeyRecord::new(Uuid::nil(), "key", NOW)
    }

    #[test]
    fn the_grace_is_as_long_as_asked_and_never_outlives_the_key() {
        assert_eq!(rotate(&key(), NOW, HOUR), Ok(NOW + HOUR));
        assert_eq!(rotate(&key(), NOW, Duration::ZERO), Ok(NOW));
        let ending = KeyRecord { expires_at: Some(NOW + HOUR), ..key() };
        assert_eq!(rotate(&ending, NOW, 2 * HOUR), Ok(NOW + HOUR));
        assert_eq!(rotate(&ending, NOW, Duration::MAX), Ok(NOW + HOUR));
        assert_eq!(rotate(&key(), NOW, Duration::MAX), Ok(NOW), "no instant is that late");
    }

    #[test]
    fn nothing_dead_is_revived_and_nothing_disabled_enabled() {
        let expired = KeyRecord { expires_at: Some(NOW), ..key() };
        assert_eq!(rotate(&expired, NOW, HOUR), Err(CannotRotate::Expired));
        let revoked = KeyRecord { revoked_at: Some(NOW), ..expired };
        assert_eq!(rotate(&revoked, NOW, HOUR), Err(CannotRotate::Revoked));
        let disabled = KeyRecord { enabled: false, ..key() };
        assert_eq!(rotate(&disabled, NOW, HOUR), Ok(NOW + HOUR));
    }

    #[test]
    fn a_second_rotation_never_lengthens_the_first_grace() {
        assert_eq!(secret_end(None, NOW + HOUR), NOW + HOUR);
        assert_eq!(secret_end(Some(NOW + HOUR), NOW + 2 * HOUR), NOW + HOUR);
        assert_eq!(secret_end(Some(NOW + HOUR), NOW), NOW);
    }
}
