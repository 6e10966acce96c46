//! Reading keys.

use std::collections::HashMap;
use std::time::SystemTime;

use diesel::dsl::max;
use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_keys::{KeyHash, KeyRecord, KeyStore};
use uuid::Uuid;

use super::leak::add_leaks;
use super::peppers::{key_can_work, secret_can_work};
use super::record::{KeyTableRow, moment};
use super::{KeyRow, PendingSecret, PepperVersion, PermissionUses};
use crate::conn::{Conn, on_each};
use crate::page::{cut, fetch_limit};
use crate::schema::{api_key_permission_uses, api_key_secrets, api_keys};
use crate::types::{At, Id};
use crate::{Cursor, Page, PageRequest, Store, StoreError};

impl Store {
    /// A key by id.
    pub async fn key(&self, id: Uuid) -> Result<Option<KeyRow>, StoreError> {
        self.read(move |conn| find_row(conn, id)).await
    }

    /// What a key is and may, without its life's figures, in one look.
    pub async fn key_record(&self, id: Uuid) -> Result<Option<KeyRecord>, StoreError> {
        self.read(move |conn| {
            let found: Option<KeyTableRow> = on_each!(conn, |c| api_keys::table
                .find(Id(id))
                .select(KeyTableRow::as_select())
                .first(c)
                .optional())?;
            found.map(|row| row.into_row().map(|row| row.record)).transpose()
        })
        .await
    }

    /// Keys, newest first.
    pub async fn keys(&self, page: PageRequest) -> Result<Page<KeyRow>, StoreError> {
        self.read(move |conn| newest_first(conn, &page, None)).await
    }

    /// What the key of a secret is and may, which stands under one of these hashes. In one look: it may be moved
    /// from one to the other at any time.
    pub async fn find_any(&self, hashes: Vec<KeyHash>) -> Result<Option<KeyRecord>, StoreError> {
        self.read(move |conn| {
            let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash.as_bytes()[..]).collect();
            let found: Option<Found> = on_each!(conn, |c| api_key_secrets::table
                .inner_join(api_keys::table)
                .filter(api_key_secrets::hash.eq_any(&hashes))
                .select(Found::as_select())
                .first(c)
                .optional())?;
            found.map(Found::into_record).transpose()
        })
        .await
    }

    /// Working keys that end after `now` and by `until`, those that end first at the top.
    pub async fn expiring_keys(
        &self,
        now: Timestamp,
        until: Timestamp,
        page: PageRequest,
    ) -> Result<Page<KeyRow>, StoreError> {
        self.read(move |conn| {
            let records: Vec<KeyTableRow> = on_each!(conn, |c| {
                let mut query = api_keys::table
                    .filter(api_keys::revoked_at.is_null())
                    .filter(api_keys::enabled.eq(true))
                    .filter(api_keys::expires_at.gt(Some(At(now))))
                    .filter(api_keys::expires_at.le(Some(At(until))))
                    .select(KeyTableRow::as_select())
                    .into_boxed();
                if let Some(last) = page.cursor {
                    let end = Some(At(last.at));
                    query = query.filter(
                        api_keys::expires_at
                            .gt(end)
                            .or(api_keys::expires_at.eq(end).and(api_keys::id.gt(Id(last.id())))),
                    );
                }
                query
                    .order((api_keys::expires_at.asc(), api_keys::id.asc()))
                    .limit(fetch_limit(&page))
                    .load(c)
            })?;
            let rows = records.into_iter().map(KeyTableRow::into_row);
            let mut rows = rows.collect::<QueryResult<Vec<_>>>()?;
            complete_all(conn, &mut rows)?;
            Ok(cut(rows, &page, |row| {
                let end = row.record.expires_at.unwrap_or(row.record.created_at);
                Cursor::after_id(Timestamp::from_system_time(end), row.record.id)
            }))
        })
        .await
    }
}

/// Keys, newest first: all, or those with a secret under a pepper that can still work at an instant.
pub(super) fn newest_first(
    conn: &mut Conn,
    page: &PageRequest,
    under: Option<(Option<PepperVersion>, Timestamp)>,
) -> QueryResult<Page<KeyRow>> {
    let records: Vec<KeyTableRow> = on_each!(conn, |c| {
        let mut query = api_keys::table.select(KeyTableRow::as_select()).into_boxed();
        if let Some((pepper, now)) = under {
            let secrets = api_key_secrets::table
                .filter(secret_can_work(Some(At(now))))
                .select(api_key_secrets::key_id)
                .into_boxed();
            let secrets = match pepper {
                Some(number) => secrets.filter(api_key_secrets::pepper.eq(Some(i64::from(number)))),
                None => secrets.filter(api_key_secrets::pepper.is_null()),
            };
            let can_work = key_can_work(Some(At(now)));
            query = query.filter(can_work).filter(api_keys::id.eq_any(secrets));
        }
        if let Some(last) = page.cursor {
            query = query.filter(
                api_keys::created_at
                    .lt(At(last.at))
                    .or(api_keys::created_at.eq(At(last.at)).and(api_keys::id.lt(Id(last.id())))),
            );
        }
        query
            .order((api_keys::created_at.desc(), api_keys::id.desc()))
            .limit(fetch_limit(page))
            .load(c)
    })?;
    let rows = records.into_iter().map(KeyTableRow::into_row);
    let mut rows = rows.collect::<QueryResult<Vec<_>>>()?;
    complete_all(conn, &mut rows)?;
    Ok(cut(rows, page, |row| {
        Cursor::after_id(Timestamp::from_system_time(row.record.created_at), row.record.id)
    }))
}

/// A key by id.
pub(super) fn find_row(conn: &mut Conn, id: Uuid) -> QueryResult<Option<KeyRow>> {
    let found: Option<KeyTableRow> = on_each!(conn, |c| api_keys::table
        .find(Id(id))
        .select(KeyTableRow::as_select())
        .first(c)
        .optional())?;
    let Some(row) = found else { return Ok(None) };
    complete(conn, row.into_row()?).map(Some)
}

/// The row with what stands in other tables.
pub(super) fn complete(conn: &mut Conn, mut row: KeyRow) -> QueryResult<KeyRow> {
    complete_all(conn, std::slice::from_mut(&mut row))?;
    Ok(row)
}

fn complete_all(conn: &mut Conn, rows: &mut [KeyRow]) -> QueryResult<()> {
    add_graces(conn, rows)?;
    add_pending(conn, rows)?;
    add_leaks(conn, rows)?;
    add_permission_uses(conn, rows)
}

/// Says for each key when the last of its replaced secrets ends, with one query for all.
fn add_graces(conn: &mut Conn, rows: &mut [KeyRow]) -> QueryResult<()> {
    let ids: Vec<Id> = rows.iter().map(|row| Id(row.record.id)).collect();
    let ends: Vec<(Id, Option<At>)> = on_each!(conn, |c| api_key_secrets::table
        .filter(api_key_secrets::key_id.eq_any(&ids))
        .filter(api_key_secrets::expires_at.is_not_null())
        .group_by(api_key_secrets::key_id)
        .select((api_key_secrets::key_id, max(api_key_secrets::expires_at)))
        .load(c))?;
    let ends: HashMap<Id, Option<At>> = ends.into_iter().collect();
    for row in rows {
        row.grace_until = ends.get(&Id(row.record.id)).copied().flatten().map(|end| end.0);
    }
    Ok(())
}

/// Adds to each key the secret that waits for its first use; there is at most one.
fn add_pending(conn: &mut Conn, rows: &mut [KeyRow]) -> QueryResult<()> {
    let ids: Vec<Id> = rows.iter().map(|row| Id(row.record.id)).collect();
    let waiting: Vec<(Id, At, Option<i64>, Option<String>)> =
        on_each!(conn, |c| api_key_secrets::table
            .filter(api_key_secrets::key_id.eq_any(&ids))
            .filter(api_key_secrets::pending_grace_s.is_not_null())
            .select((
                api_key_secrets::key_id,
                api_key_secrets::created_at,
                api_key_secrets::pending_grace_s,
                api_key_secrets::pending_hint,
            ))
            .load(c))?;
    for (key, since, grace_s, hint) in waiting {
        if let Some(row) = rows.iter_mut().find(|row| row.record.id == key.0) {
            let (hint, grace_s) = (hint.unwrap_or_default(), grace_s.unwrap_or_default());
            row.pending = Some(PendingSecret { hint, since: since.0, grace_s });
        }
    }
    Ok(())
}

/// Adds to each key how its permissions were used, with one query for all.
fn add_permission_uses(conn: &mut Conn, rows: &mut [KeyRow]) -> QueryResult<()> {
    let ids: Vec<Id> = rows.iter().map(|row| Id(row.record.id)).collect();
    let uses: Vec<(Id, String, i64, At)> = on_each!(conn, |c| api_key_permission_uses::table
        .filter(api_key_permission_uses::key_id.eq_any(&ids))
        .order((api_key_permission_uses::key_id, api_key_permission_uses::permission))
        .select(api_key_permission_uses::all_columns)
        .load(c))?;
    let mut by_key: HashMap<Uuid, Vec<PermissionUses>> = HashMap::new();
    for (key, permission, uses, at) in uses {
        let uses = PermissionUses { permission, uses, last_used_at: at.0 };
        by_key.entry(key.0).or_default().push(uses);
    }
    for row in rows {
        row.permission_uses = by_key.remove(&row.record.id).unwrap_or_default();
    }
    Ok(())
}

/// A key, by way of one of its secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = api_key_secrets)]
struct Found {
    #[diesel(embed)]
    key: KeyTableRow,
    expires_at: Option<At>,
    pending_grace_s: Option<i64>,
}

impl Found {
    fn into_record(self) -> QueryResult<KeyRecord> {
        Ok(KeyRecord {
            secret_ends_at: self.expires_at.map(moment),
            secret_pending: self.pending_grace_s.is_some(),
            ..self.key.into_row()?.record
        })
    }
}

impl KeyStore for Store {
    type Error = StoreError;

    async fn find(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        self.read(move |conn| {
            let found: Option<Found> = on_each!(conn, |c| api_key_secrets::table
                .inner_join(api_keys::table)
                .filter(api_key_secrets::hash.eq(&hash.as_bytes()[..]))
                .select(Found::as_select())
                .first(c)
                .optional())?;
            found.map(Found::into_record).transpose()
        })
        .await
    }

    /// Once queued it is committed, also when the caller hangs up. Like every change of a key it moves the number
    /// that all servers follow, the one that made it too, so the old secrets end then for all of them.
    async fn activate(&self, hash: KeyHash, now: SystemTime) -> Result<bool, StoreError> {
        self.activate_secret(hash, Timestamp::from_system_time(now)).await
    }
}
