//! Changing and revoking keys.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::find::complete;
use super::record::{KeyTableRow, allow_list_json, limit_json, permissions_json, quotas_json};
use super::{KeyPatch, KeyRow};
use crate::conn::{Conn, on_each};
use crate::schema::api_keys;
use crate::sequence::Sequence;
use crate::types::{At, Id, JsonText};
use crate::{Audit, Store, StoreError};

impl Store {
    /// Changes a key; `None` when there is none.
    pub async fn update_key(
        &self,
        id: Uuid,
        patch: KeyPatch,
        audit: Audit,
    ) -> Result<Option<KeyRow>, StoreError> {
        self.write(move |conn| {
            let changes = Changes::of(&patch, Sequence::Keys.take(conn, 1)?);
            let changed: Option<KeyTableRow> =
                on_each!(conn, |c| diesel::update(api_keys::table.find(Id(id)))
                    .set(&changes)
                    .returning(KeyTableRow::as_returning())
                    .get_result(c)
                    .optional())?;
            let Some(row) = changed else { return Ok(None) };
            audit.record(conn, "key.updated", Some(format!("key:{id}")), &patch.to_json())?;
            complete(conn, row.into_row()?).map(Some)
        })
        .await
    }

    /// Revokes a key for good; says whether it exists. A second time changes nothing.
    pub async fn revoke_key(&self, id: Uuid, audit: Audit) -> Result<bool, StoreError> {
        self.write(move |conn| {
            let version = Sequence::Keys.take(conn, 1)?;
            let revoked = on_each!(conn, |c| diesel::update(
                api_keys::table.find(Id(id)).filter(api_keys::revoked_at.is_null())
            )
            .set((api_keys::revoked_at.eq(Some(At(audit.at))), api_keys::version.eq(version)))
            .execute(c))?;
            if revoked == 0 {
                return exists(conn, id);
            }
            audit.record(conn, "key.revoked", Some(format!("key:{id}")), &json!({}))?;
            Ok(true)
        })
        .await
    }
}

fn exists(conn: &mut Conn, id: Uuid) -> QueryResult<bool> {
    let found: Option<Id> =
        on_each!(conn, |c| api_keys::table.find(Id(id)).select(api_keys::id).first(c).optional())?;
    Ok(found.is_some())
}

/// The columns that a patch sets; `None` leaves a column as it is, `Some(None)` empties it.
#[derive(AsChangeset)]
#[diesel(table_name = api_keys)]
struct Changes {
    name: Option<String>,
    permissions: Option<JsonText>,
    not_before: Option<Option<At>>,
    expires_at: Option<Option<At>>,
    rate_limit: Option<Option<JsonText>>,
    quotas: Option<Option<JsonText>>,
    allowed_ips: Option<JsonText>,
    enabled: Option<bool>,
    version: i64,
}

impl Changes {
    fn of(patch: &KeyPatch, version: i64) -> Changes {
        Changes {
            name: patch.name.clone(),
            permissions: patch.permissions.as_ref().map(permissions_json),
            not_before: patch.not_before.map(|at| at.map(At)),
            expires_at: patch.expires_at.map(|at| at.map(At)),
            rate_limit: patch.rate_limit.map(|limit| limit.map(limit_json)),
            quotas: patch.quotas.as_ref().map(quotas_json),
            allowed_ips: patch.allowed_ips.as_ref().map(allow_list_json),
            enabled: patch.enabled,
            version,
        }
    }
}

impl KeyPatch {
    /// What the audit row says: each changed member with its new value.
    fn to_json(&self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        if let Some(name) = &self.name {
            put("name", json!(name));
        }
        if let Some(permissions) = &self.permissions {
            put("permissions", json!(permissions.iter().collect::<Vec<_>>()));
        }
        if let Some(not_before) = self.not_before {
            put("not_before", json!(not_before));
        }
        if let Some(expires_at) = self.expires_at {
            put("expires_at", json!(expires_at));
        }
        if let Some(limit) = self.rate_limit {
            let limit = limit
                .map(|limit| json!({ "limit": limit.limit, "window_s": limit.window.as_secs() }));
            put("rate_limit", json!(limit));
        }
        if let Some(quotas) = &self.quotas {
            let quotas = quotas.iter().map(|(period, limit)| (period.name(), limit));
            put("quotas", json!(quotas.collect::<BTreeMap<_, _>>()));
        }
        if let Some(allowed) = &self.allowed_ips {
            put("allowed_ips", json!(allowed.to_strings()));
        }
        if let Some(enabled) = self.enabled {
            put("enabled", json!(enabled));
        }
        Value::Object(members)
    }
}
