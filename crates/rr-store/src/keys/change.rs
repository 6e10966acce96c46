//! Changing and revoking keys.

use std::collections::BTreeMap;
use std::time::SystemTime;

use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_keys::{Beyond, KeyRecord, PermissionSet, RateLimit, Reach, WindowName};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::find::{complete, find_row};
use super::record::{
    KeyTableRow, allow_list_json, metadata_json, permissions_json, quotas_json, rate_limits_json,
};
use super::{KeyPatch, UpdateKey};
use crate::conn::on_each;
use crate::schema::api_keys;
use crate::sequence::Sequence;
use crate::types::{At, Id, JsonText};
use crate::{Actor, Audit, Store, StoreError};

impl Store {
    /// Changes a key. Whether it may be changed is judged in the transaction that changes it, so
    /// no key that is given more permissions meanwhile slips through. One that is revoked stays
    /// revoked: only what people know it by can still change.
    pub async fn update_key(
        &self,
        id: Uuid,
        patch: KeyPatch,
        audit: Audit,
    ) -> Result<UpdateKey, StoreError> {
        self.write(move |conn| {
            // From here to the commit nobody else changes a key. What is refused takes no number, for each
            // number makes every process look for what changed.
            Sequence::Keys.hold(conn)?;
            let Some(before) = find_row(conn, id)? else { return Ok(UpdateKey::NoSuchKey) };
            if let Some(refused) = patch.refused_to(audit.actor, &before.record) {
                return Ok(refused);
            }
            if before.record.revoked_at.is_some() && !patch.is_only_words() {
                return Ok(UpdateKey::Revoked);
            }
            if patch.leaves_no_instant(&before.record) {
                return Ok(UpdateKey::EndsBeforeItBegins);
            }
            let changes = Changes::of(&patch, Sequence::Keys.take(conn, 1)?);
            let after: KeyTableRow =
                on_each!(conn, |c| diesel::update(api_keys::table.find(Id(id)))
                    .set(&changes)
                    .returning(KeyTableRow::as_returning())
                    .get_result(c))?;
            let after = complete(conn, after.into_row()?)?;
            let detail = patch.difference(&before.record, &after.record);
            audit.record(conn, "key.updated", Some(format!("key:{id}")), &detail)?;
            Ok(UpdateKey::Updated(after))
        })
        .await
    }

    /// Revokes a key for good; says whether it exists. A second time changes nothing.
    pub async fn revoke_key(&self, id: Uuid, audit: Audit) -> Result<bool, StoreError> {
        self.write(move |conn| {
            Sequence::Keys.hold(conn)?;
            let before: Option<Option<At>> = on_each!(conn, |c| api_keys::table
                .find(Id(id))
                .select(api_keys::revoked_at)
                .first(c)
                .optional())?;
            let Some(revoked_at) = before else { return Ok(false) };
            if revoked_at.is_some() {
                return Ok(true);
            }
            let version = Sequence::Keys.take(conn, 1)?;
            on_each!(conn, |c| diesel::update(api_keys::table.find(Id(id)))
                .set((api_keys::revoked_at.eq(Some(At(audit.at))), api_keys::version.eq(version)))
                .execute(c))?;
            let detail =
                json!({ "before": { "revoked_at": null }, "after": { "revoked_at": audit.at } });
            audit.record(conn, "key.revoked", Some(format!("key:{id}")), &detail)?;
            Ok(true)
        })
        .await
    }
}

/// The columns that a patch sets; `None` leaves a column as it is, `Some(None)` empties it.
#[derive(AsChangeset)]
#[diesel(table_name = api_keys)]
struct Changes {
    name: Option<String>,
    permissions: Option<JsonText>,
    not_before: Option<Option<At>>,
    expires_at: Option<Option<At>>,
    rate_limits: Option<JsonText>,
    quotas: Option<Option<JsonText>>,
    allowed_ips: Option<JsonText>,
    metadata: Option<JsonText>,
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
            rate_limits: patch.rate_limits.as_ref().map(rate_limits_json),
            quotas: patch.quotas.as_ref().map(quotas_json),
            allowed_ips: patch.allowed_ips.as_ref().map(allow_list_json),
            metadata: patch.metadata.as_ref().map(metadata_json),
            enabled: patch.enabled,
            version,
        }
    }
}

impl KeyPatch {
    /// Why whoever asks may not change the key like this.
    fn refused_to(&self, actor: Actor, before: &KeyRecord) -> Option<UpdateKey> {
        if actor == Actor::Key(before.id) { self.widens(before) } else { self.goes_beyond(before) }
    }

    /// Whether the key may more than whoever changes it, or the change grants it something and then it
    /// reaches farther: what only takes away, or grants nothing, is free on keys that last longer.
    fn goes_beyond(&self, before: &KeyRecord) -> Option<UpdateKey> {
        let own = self.at_most.as_ref()?;
        let refused = |beyond, permissions: &PermissionSet| {
            Some(UpdateKey::BeyondReach(beyond, permissions.clone()))
        };
        if !own.permissions.is_superset(&before.permissions) {
            return refused(Beyond::Permissions, &before.permissions);
        }
        let after = self.applied_to(before);
        let grants = Reach::of(before).beyond(&after).is_some() || wakes(before, &after).is_some();
        let beyond = own.beyond(&after).filter(|_| grants)?;
        refused(beyond, &after.permissions)
    }

    /// Whether the key, which changes itself, would have more than the database gives it now: what it was
    /// let in with may be a moment older.
    fn widens(&self, before: &KeyRecord) -> Option<UpdateKey> {
        let after = self.applied_to(before);
        let member = match Reach::of(before).beyond(&after) {
            Some(Beyond::Permissions) => {
                return Some(UpdateKey::BeyondReach(Beyond::Permissions, after.permissions));
            }
            Some(Beyond::Expiry) => "expires_at",
            Some(Beyond::Addresses) => "allowed_ips",
            Some(Beyond::RateLimits) => "rate_limits",
            Some(Beyond::Quotas) => "quotas",
            None => wakes(before, &after)?,
        };
        Some(UpdateKey::WidensItself(member))
    }

    /// The key as far as the change decides what it can do.
    fn applied_to(&self, before: &KeyRecord) -> KeyRecord {
        let (not_before, expires_at) = self.life(before);
        let kept = before.clone();
        KeyRecord {
            permissions: self.permissions.clone().unwrap_or(kept.permissions),
            not_before,
            expires_at,
            rate_limits: self.rate_limits.clone().unwrap_or(kept.rate_limits),
            quotas: self.quotas.clone().unwrap_or(kept.quotas),
            allowed_ips: self.allowed_ips.clone().unwrap_or(kept.allowed_ips),
            enabled: self.enabled.unwrap_or(kept.enabled),
            ..kept
        }
    }

    /// The first and the last instant of the key when it is changed.
    fn life(&self, before: &KeyRecord) -> (Option<SystemTime>, Option<SystemTime>) {
        let changed = |to: Option<Option<Timestamp>>, from: Option<SystemTime>| match to {
            Some(to) => to.map(Timestamp::to_system_time),
            None => from,
        };
        (changed(self.not_before, before.not_before), changed(self.expires_at, before.expires_at))
    }

    fn leaves_no_instant(&self, before: &KeyRecord) -> bool {
        let (start, end) = self.life(before);
        start.zip(end).is_some_and(|(start, end)| start >= end)
            && (self.not_before.is_some() || self.expires_at.is_some())
    }

    /// Whether nothing is to change but name and notes, by which people know the key.
    fn is_only_words(&self) -> bool {
        let rest = KeyPatch { name: None, metadata: None, at_most: None, ..self.clone() };
        rest == KeyPatch::default()
    }

    /// What the audit row says: the members that the patch names, before and after.
    fn difference(&self, before: &KeyRecord, after: &KeyRecord) -> Value {
        json!({ "before": self.named(before), "after": self.named(after) })
    }

    fn named(&self, record: &KeyRecord) -> Map<String, Value> {
        let mut members = decided(record);
        members.retain(|name, _| match name.as_str() {
            "name" => self.name.is_some(),
            "permissions" => self.permissions.is_some(),
            "not_before" => self.not_before.is_some(),
            "expires_at" => self.expires_at.is_some(),
            "rate_limits" => self.rate_limits.is_some(),
            "quotas" => self.quotas.is_some(),
            "allowed_ips" => self.allowed_ips.is_some(),
            "metadata" => self.metadata.is_some(),
            "enabled" => self.enabled.is_some(),
            _ => false,
        });
        members
    }
}

/// The member of a change that lets a key work when it would not have.
fn wakes(before: &KeyRecord, after: &KeyRecord) -> Option<&'static str> {
    if after.enabled && !before.enabled {
        return Some("enabled");
    }
    // None is the earliest start.
    (after.not_before < before.not_before).then_some("not_before")
}

/// All that somebody decides about a key, in the words of the audit log.
pub(super) fn decided(record: &KeyRecord) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    let time = |at: Option<SystemTime>| json!(at.map(Timestamp::from_system_time));
    put("name", json!(record.name));
    put("owner", json!(record.owner));
    put("permissions", json!(record.permissions.iter().collect::<Vec<_>>()));
    put("not_before", time(record.not_before));
    put("expires_at", time(record.expires_at));
    let window = |(name, limit): (WindowName, RateLimit)| json!({ "name": name.as_str(), "limit": limit.limit, "window_s": limit.window.as_secs() });
    put("rate_limits", json!(record.rate_limits.iter().map(window).collect::<Vec<_>>()));
    let quotas = record.quotas.iter().map(|(period, limit)| (period.name(), limit));
    put("quotas", json!(quotas.collect::<BTreeMap<_, _>>()));
    put("allowed_ips", json!(record.allowed_ips.to_strings()));
    put("metadata", json!(record.metadata));
    put("enabled", json!(record.enabled));
    members
}
