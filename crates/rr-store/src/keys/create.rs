//! New keys.

use std::collections::HashSet;

use diesel::QueryResult;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::change::decided;
use super::record::{KEY_COLUMNS, KeyTableRow, SecretTableRow};
use super::{CreateKey, NewKey};
use crate::conn::{Conn, on_each};
use crate::idempotency::{Claim, Claimed, claim};
use crate::schema::{api_key_secrets, api_keys};
use crate::sequence::Sequence;
use crate::types::Id;
use crate::{Audit, Idempotency, Store, StoreError};

impl Store {
    /// Stores a key. A repeat of the same request, or a key whose id or hash is there already,
    /// makes nothing and names the key that is there.
    pub async fn create_key(
        &self,
        key: NewKey,
        idempotency: Option<Idempotency>,
        audit: Audit,
    ) -> Result<CreateKey, StoreError> {
        self.write(move |conn| {
            // First: every transaction locks in this order. A repeat takes no number.
            Sequence::Keys.hold(conn)?;
            if let Some(existing) = find_existing(conn, &key)? {
                return Ok(CreateKey::AlreadyCreated(existing));
            }
            if let Some(id) = &idempotency {
                let wanted = Claim { id, result: key.record.id, at: audit.at };
                if let Some(earlier) = claim_one(conn, wanted)? {
                    return Ok(CreateKey::AlreadyCreated(earlier));
                }
            }
            let row = KeyTableRow::of(&key, Sequence::Keys.take(conn, 1)?);
            let secret = SecretTableRow::of(&key);
            on_each!(conn, |c| diesel::insert_into(api_keys::table).values(&row).execute(c))?;
            on_each!(conn, |c| diesel::insert_into(api_key_secrets::table)
                .values(&secret)
                .execute(c))?;
            let mut after = decided(&key.record);
            after.insert("hint".to_owned(), json!(key.hint));
            let detail = json!({ "before": null, "after": after });
            audit.record(conn, "key.created", Some(format!("key:{}", key.record.id)), &detail)?;
            row.into_row().map(CreateKey::Created)
        })
        .await
    }
}

/// The key that an earlier request of this id made; the secret is gone, so another body under the
/// same id is told the same.
pub(super) fn claim_one(conn: &mut Conn, wanted: Claim<'_>) -> QueryResult<Option<Uuid>> {
    let id = wanted.id;
    match claim(conn, &[wanted])?.first() {
        Some(Claimed::Repeat(earlier)) => Ok(Some(*earlier)),
        Some(Claimed::Conflict) => crate::idempotency::result_of(conn, id).map(Some),
        Some(Claimed::First) | None => Ok(None),
    }
}

fn find_existing(conn: &mut Conn, key: &NewKey) -> QueryResult<Option<Uuid>> {
    let by_hash: Option<Id> = on_each!(conn, |c| api_key_secrets::table
        .find(&key.hash.hash.as_bytes()[..])
        .select(api_key_secrets::key_id)
        .first(c)
        .optional())?;
    let by_id: Option<Id> = on_each!(conn, |c| api_keys::table
        .find(Id(key.record.id))
        .select(api_keys::id)
        .first(c)
        .optional())?;
    Ok(by_hash.or(by_id).map(|id| id.0))
}

/// Brings keys in, inside the caller's transaction; says how many are new.
pub(crate) fn import(conn: &mut Conn, all: &[NewKey]) -> QueryResult<usize> {
    let mut fresh = Vec::new();
    let mut seen = HashSet::new();
    if all.is_empty() {
        return Ok(0);
    }
    for key in all {
        let new_here = seen.insert(*key.hash.hash.as_bytes());
        if new_here && find_existing(conn, key)?.is_none() {
            fresh.push(key);
        }
    }
    if fresh.is_empty() {
        return Ok(0);
    }
    let first = Sequence::Keys.take(conn, fresh.len())?;
    let rows: Vec<KeyTableRow> =
        (first..).zip(&fresh).map(|(version, key)| KeyTableRow::of(key, version)).collect();
    let secrets: Vec<SecretTableRow<'_>> =
        fresh.iter().map(|key| SecretTableRow::of(key)).collect();
    for part in rows.chunks(conn.bind_limit() / KEY_COLUMNS) {
        on_each!(conn, |c| diesel::insert_into(api_keys::table).values(part).execute(c))?;
    }
    for part in secrets.chunks(1_000) {
        on_each!(conn, |c| diesel::insert_into(api_key_secrets::table).values(part).execute(c))?;
    }
    Ok(fresh.len())
}
