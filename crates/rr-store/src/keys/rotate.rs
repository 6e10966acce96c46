//! A new secret for a key that stays the same key: made, and used for the first time.

use std::time::Duration;

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_keys::{CannotRotate, KeyHash, KeyRecord};
use serde_json::{Value, json};
use uuid::Uuid;

use super::create::claim_one;
use super::find::find_row;
use super::record::SecretTableRow;
use super::{KeyRow, RotateKey, Rotation, RotationStart};
use crate::conn::{Conn, on_each};
use crate::idempotency::Claim;
use crate::schema::{api_key_secrets, api_keys};
use crate::sequence::Sequence;
use crate::types::{At, Id};
use crate::{Actor, Audit, Idempotency, Store, StoreError};

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
            // From here to the commit nobody else changes a key. What is refused takes no number.
            Sequence::Keys.hold(conn)?;
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
            let version = Sequence::Keys.take(conn, 1)?;
            drop_pending(conn, key_id, audit.at)?;
            let secret = SecretTableRow::newest(&rotation, audit.at);
            if rotation.start == RotationStart::FirstUse {
                insert(conn, &secret)?;
                touch(conn, key_id, version)?;
                let grace_s = rotation.grace.as_secs();
                let after = json!({ "pending_hint": rotation.hint, "pending_grace_s": grace_s });
                log(conn, &audit, "key.rotation_prepared", &before, &after)?;
                return Ok(RotateKey::Pending);
            }
            end_others(conn, key_id, &rotation.hash.hash, grace_until)?;
            insert(conn, &secret)?;
            supersede(conn, key_id, &rotation.hint, version)?;
            let after = json!({ "hint": rotation.hint, "grace_until": grace_until });
            log(conn, &audit, "key.rotated", &before, &after)?;
            Ok(RotateKey::Rotated(grace_until))
        })
        .await
    }

    /// The first use of a secret that waits for it: now the key is rotated. Says whether that is so.
    /// A key that has ended or was switched off meanwhile is left as it is. Of several first uses at once one
    /// rotates, and the grace counts from the earliest, whichever the database hears of first.
    pub(super) async fn activate_secret(
        &self,
        hash: KeyHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |conn| {
            Sequence::Keys.hold(conn)?;
            let Some(prepared) = Prepared::find(conn, &hash)? else { return Ok(false) };
            let is_first = prepared.pending_grace_s.is_some();
            let is_earlier = prepared.expires_at.is_none()
                && prepared.first_used_at.is_some_and(|first| now < first.0);
            let grace_s = prepared.pending_grace_s.or(prepared.first_use_grace_s);
            let Some(grace_s) = grace_s.filter(|_| is_first || is_earlier) else {
                return Ok(false);
            };
            let key_id = prepared.key_id.0;
            let Some(before) = find_row(conn, key_id)? else { return Ok(false) };
            let grace = Duration::from_secs(u64::try_from(grace_s).unwrap_or_default());
            let Ok(grace_until) = ends_at(&before.record, grace, now) else { return Ok(false) };
            let hint = prepared.pending_hint.unwrap_or_else(|| before.hint.clone());
            let version = Sequence::Keys.take(conn, 1)?;
            set_in_use(conn, &hash, grace_s, now)?;
            end_others(conn, key_id, &hash, grace_until)?;
            if is_first {
                supersede(conn, key_id, &hint, version)?;
            } else {
                touch(conn, key_id, version)?;
            }
            let actor = Actor::Key(key_id);
            let audit = Audit { at: now, actor, request_id: None, address: None };
            let after = json!({ "hint": hint, "grace_until": grace_until });
            log(conn, &audit, "key.rotated", &before, &after)?;
            Ok(is_first)
        })
        .await
    }
}

/// A secret that waits for its first use, or did.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_key_secrets)]
struct Prepared {
    key_id: Id,
    expires_at: Option<At>,
    pending_grace_s: Option<i64>,
    pending_hint: Option<String>,
    first_used_at: Option<At>,
    first_use_grace_s: Option<i64>,
}

impl Prepared {
    fn find(conn: &mut Conn, hash: &KeyHash) -> QueryResult<Option<Prepared>> {
        on_each!(conn, |c| api_key_secrets::table
            .find(&hash.as_bytes()[..])
            .select(Prepared::as_select())
            .first(c)
            .optional())
    }
}

/// Until when the secrets of now work, or why the key stays as it is.
fn judge(record: &KeyRecord, rotation: &Rotation, now: Timestamp) -> Result<Timestamp, RotateKey> {
    if let Some(beyond) = rotation.at_most.as_ref().and_then(|own| own.beyond(record)) {
        return Err(RotateKey::BeyondReach(beyond, record.permissions.clone()));
    }
    ends_at(record, rotation.grace, now)
}

/// The end of the secrets of now.
fn ends_at(record: &KeyRecord, grace: Duration, now: Timestamp) -> Result<Timestamp, RotateKey> {
    let end = rr_keys::rotate(record, now.to_system_time(), grace).map_err(|why| match why {
        CannotRotate::Revoked => RotateKey::Revoked,
        CannotRotate::Expired => RotateKey::Expired,
    })?;
    // rr-keys leaves this one open. Here a key that somebody has switched off stays untouched
    // until somebody switches it on again.
    if record.enabled { Ok(Timestamp::from_system_time(end)) } else { Err(RotateKey::Disabled) }
}

fn insert(conn: &mut Conn, secret: &SecretTableRow<'_>) -> QueryResult<()> {
    on_each!(conn, |c| diesel::insert_into(api_key_secrets::table).values(secret).execute(c))?;
    Ok(())
}

/// A secret that nobody has used and another replaces ends at once; who finds it later hears of that.
fn drop_pending(conn: &mut Conn, key_id: Uuid, now: Timestamp) -> QueryResult<()> {
    on_each!(conn, |c| diesel::update(
        api_key_secrets::table
            .filter(api_key_secrets::key_id.eq(Id(key_id)))
            .filter(api_key_secrets::pending_grace_s.is_not_null())
    )
    .set((
        api_key_secrets::expires_at.eq(Some(At(now))),
        api_key_secrets::pending_grace_s.eq(None::<i64>),
        api_key_secrets::pending_hint.eq(None::<String>),
    ))
    .execute(c))?;
    Ok(())
}

/// The grace is kept: another first use may have come earlier and be told of later.
fn set_in_use(conn: &mut Conn, hash: &KeyHash, grace_s: i64, now: Timestamp) -> QueryResult<()> {
    on_each!(conn, |c| diesel::update(api_key_secrets::table.find(&hash.as_bytes()[..]))
        .set((
            api_key_secrets::pending_grace_s.eq(None::<i64>),
            api_key_secrets::pending_hint.eq(None::<String>),
            api_key_secrets::first_used_at.eq(Some(At(now))),
            api_key_secrets::first_use_grace_s.eq(Some(grace_s)),
        ))
        .execute(c))?;
    Ok(())
}

/// What [`rr_keys::secret_end`] says, for every secret but the new one at once: an earlier end stays. One that
/// a later rotation has prepared is not among those before.
fn end_others(
    conn: &mut Conn,
    key_id: Uuid,
    new: &KeyHash,
    grace_until: Timestamp,
) -> QueryResult<()> {
    let ends_later = || {
        api_key_secrets::expires_at
            .is_null()
            .or(api_key_secrets::expires_at.gt(Some(At(grace_until))))
    };
    on_each!(conn, |c| diesel::update(
        api_key_secrets::table
            .filter(api_key_secrets::key_id.eq(Id(key_id)))
            .filter(api_key_secrets::hash.ne(&new.as_bytes()[..]))
            .filter(api_key_secrets::pending_grace_s.is_null())
            .filter(ends_later())
    )
    .set(api_key_secrets::expires_at.eq(Some(At(grace_until))))
    .execute(c))?;
    Ok(())
}

fn touch(conn: &mut Conn, key_id: Uuid, version: i64) -> QueryResult<()> {
    on_each!(conn, |c| diesel::update(api_keys::table.find(Id(key_id)))
        .set(api_keys::version.eq(version))
        .execute(c))?;
    Ok(())
}

/// The key goes on under the secret with this start; from here on those are counted who still have to
/// change.
fn supersede(conn: &mut Conn, key_id: Uuid, hint: &str, version: i64) -> QueryResult<()> {
    on_each!(conn, |c| diesel::update(api_keys::table.find(Id(key_id)))
        .set((
            api_keys::hint.eq(hint),
            api_keys::version.eq(version),
            api_keys::superseded_uses.eq(0),
            api_keys::superseded_last_used_at.eq(None::<At>),
            api_keys::superseded_last_address.eq(None::<String>),
        ))
        .execute(c))?;
    Ok(())
}

fn log(
    conn: &mut Conn,
    audit: &Audit,
    action: &'static str,
    before: &KeyRow,
    after: &Value,
) -> QueryResult<()> {
    let detail = json!({
        "before": { "hint": before.hint, "grace_until": before.grace_until },
        "after": after,
    });
    audit.record(conn, action, Some(format!("key:{}", before.record.id)), &detail)
}
