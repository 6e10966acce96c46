//! A new secret for a key that stays the same key.

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_keys::{CannotRotate, KeyRecord};
use serde_json::json;
use uuid::Uuid;

use super::create::claim_one;
use super::find::find_row;
use super::record::SecretTableRow;
use super::{RotateKey, Rotation};
use crate::conn::{Conn, on_each};
use crate::idempotency::Claim;
use crate::schema::{api_key_secrets, api_keys};
use crate::sequence::Sequence;
use crate::types::{At, Id};
use crate::{Audit, Idempotency, Store, StoreError};

impl Store {
    /// Gives a key a new secret; those it had work until the grace is over, by the rule of
    /// [`rr_keys::rotate`]. Everything is judged in the transaction that changes the key, so
    /// nothing that is revoked or given more permissions meanwhile slips through.
    pub async fn rotate_key(
        &self,
        rotation: Rotation,
        idempotency: Option<Idempotency>,
        audit: Audit,
    ) -> Result<RotateKey, StoreError> {
        self.write(move |conn| {
            // Taken first: from here to the commit nobody else changes a key.
            let version = Sequence::Keys.take(conn, 1)?;
            let key_id = rotation.key_id;
            let Some(before) = find_row(conn, key_id)? else { return Ok(RotateKey::NoSuchKey) };
            let grace_until = match judge(&before.record, &rotation, audit.at) {
                Ok(grace_until) => grace_until,
                Err(refused) => return Ok(refused),
            };
            if let Some(id) = &idempotency {
                let wanted = Claim { id, result: key_id, at: audit.at };
                if claim_one(conn, wanted)?.is_some() {
                    return Ok(RotateKey::AlreadyRotated);
                }
            }
            end_secrets(conn, key_id, grace_until)?;
            let secret = SecretTableRow::newest(key_id, &rotation.hash, audit.at);
            on_each!(conn, |c| diesel::insert_into(api_key_secrets::table)
                .values(&secret)
                .execute(c))?;
            on_each!(conn, |c| diesel::update(api_keys::table.find(Id(key_id)))
                .set((
                    api_keys::hint.eq(&rotation.hint),
                    api_keys::version.eq(version),
                    // From here on those are counted who still have to change.
                    api_keys::superseded_uses.eq(0),
                    api_keys::superseded_last_used_at.eq(None::<At>),
                    api_keys::superseded_last_address.eq(None::<String>),
                ))
                .execute(c))?;
            let detail = json!({
                "before": { "hint": before.hint, "grace_until": before.grace_until },
                "after": { "hint": rotation.hint, "grace_until": grace_until },
            });
            audit.record(conn, "key.rotated", Some(format!("key:{key_id}")), &detail)?;
            Ok(RotateKey::Rotated(grace_until))
        })
        .await
    }
}

/// Until when the secrets of now work, or why the key stays as it is.
fn judge(record: &KeyRecord, rotation: &Rotation, now: Timestamp) -> Result<Timestamp, RotateKey> {
    if let Some(beyond) = rotation.at_most.as_ref().and_then(|own| own.beyond(record)) {
        return Err(RotateKey::BeyondReach(beyond, record.permissions.clone()));
    }
    let end =
        rr_keys::rotate(record, now.to_system_time(), rotation.grace).map_err(
            |reason| match reason {
                CannotRotate::Revoked => RotateKey::Revoked,
                CannotRotate::Expired => RotateKey::Expired,
            },
        )?;
    // rr-keys leaves this one open. Here a key that somebody has switched off stays untouched
    // until somebody switches it on again.
    if record.enabled { Ok(Timestamp::from_system_time(end)) } else { Err(RotateKey::Disabled) }
}

/// What [`rr_keys::secret_end`] says, for every secret at once: an earlier end stays.
fn end_secrets(conn: &mut Conn, key_id: Uuid, grace_until: Timestamp) -> QueryResult<()> {
    let ends_later = || {
        api_key_secrets::expires_at
            .is_null()
            .or(api_key_secrets::expires_at.gt(Some(At(grace_until))))
    };
    on_each!(conn, |c| diesel::update(
        api_key_secrets::table.filter(api_key_secrets::key_id.eq(Id(key_id))).filter(ends_later())
    )
    .set(api_key_secrets::expires_at.eq(Some(At(grace_until))))
    .execute(c))?;
    Ok(())
}
