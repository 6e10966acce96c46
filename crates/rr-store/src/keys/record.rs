//! Keys on their way to and from their table.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_domain::Timestamp;
use rr_keys::{
    AllowList, KeyRecord, PermissionSet, QuotaPeriod, QuotaUse, Quotas, RateLimit, RateLimits,
    WindowName,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{KeyRow, NewKey, Rotation, RotationStart, UseTally};
use crate::schema::{api_key_secrets, api_keys};
use crate::types::{At, Id, JsonText};

pub(super) const KEY_COLUMNS: usize = 30;

/// A row of `api_keys`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub(super) struct KeyTableRow {
    pub(super) id: Id,
    name: String,
    owner: Option<String>,
    permissions: JsonText,
    allowed_ips: JsonText,
    rate_limits: JsonText,
    metadata: JsonText,
    enabled: bool,
    created_at: At,
    not_before: Option<At>,
    expires_at: Option<At>,
    revoked_at: Option<At>,
    created_by: String,
    hint: String,
    last_used_at: Option<At>,
    last_used_address: Option<String>,
    use_count: i64,
    version: i64,
    quotas: Option<JsonText>,
    quota_day: Option<At>,
    quota_day_uses: i64,
    quota_month: Option<At>,
    quota_month_uses: i64,
    quota_total_uses: i64,
    superseded_uses: i64,
    superseded_last_used_at: Option<At>,
    superseded_last_address: Option<String>,
    refused_uses: i64,
    refused_last_at: Option<At>,
    refused_last_address: Option<String>,
}

/// A row of `api_key_secrets`.
#[derive(Insertable)]
#[diesel(table_name = api_key_secrets, treat_none_as_default_value = false)]
pub(super) struct SecretTableRow<'a> {
    hash: &'a [u8],
    key_id: Id,
    created_at: At,
    expires_at: Option<At>,
    pending_grace_s: Option<i64>,
    pending_hint: Option<&'a str>,
    pepper: Option<i64>,
}

/// A window as JSON.
#[derive(Serialize, Deserialize)]
struct WindowJson {
    name: String,
    limit: NonZeroU32,
    window_us: u64,
}

impl KeyTableRow {
    pub(super) fn of(key: &NewKey, version: i64) -> KeyTableRow {
        let record = &key.record;
        KeyTableRow {
            id: Id(record.id),
            name: record.name.clone(),
            owner: record.owner.clone(),
            permissions: permissions_json(&record.permissions),
            allowed_ips: allow_list_json(&record.allowed_ips),
            rate_limits: rate_limits_json(&record.rate_limits),
            metadata: metadata_json(&record.metadata),
            enabled: record.enabled,
            created_at: at(record.created_at),
            not_before: record.not_before.map(at),
            expires_at: record.expires_at.map(at),
            revoked_at: record.revoked_at.map(at),
            created_by: key.created_by.clone(),
            hint: key.hint.clone(),
            last_used_at: key.last_used_at.map(At),
            last_used_address: None,
            use_count: 0,
            version,
            quotas: quotas_json(&record.quotas),
            quota_day: None,
            quota_day_uses: 0,
            quota_month: None,
            quota_month_uses: 0,
            quota_total_uses: 0,
            superseded_uses: 0,
            superseded_last_used_at: None,
            superseded_last_address: None,
            refused_uses: 0,
            refused_last_at: None,
            refused_last_address: None,
        }
    }

    /// Without `grace_until`, `pending` and `leak`, which stand with the secrets, and the uses by permission.
    pub(super) fn into_row(self) -> QueryResult<KeyRow> {
        let networks: Vec<String> = read(&self.allowed_ips)?;
        let quotas = self.quotas.as_ref().map(quotas).transpose()?.unwrap_or_default();
        let counted = |uses: i64| u64::try_from(uses).unwrap_or_default();
        let start = |at: Option<At>| at.map_or(SystemTime::UNIX_EPOCH, moment);
        let used = QuotaUse {
            day_start: start(self.quota_day),
            day: counted(self.quota_day_uses),
            month_start: start(self.quota_month),
            month: counted(self.quota_month_uses),
            total: counted(self.quota_total_uses),
        };
        let record = KeyRecord {
            owner: self.owner,
            permissions: read::<Vec<String>>(&self.permissions)?.into_iter().collect(),
            not_before: self.not_before.map(moment),
            expires_at: self.expires_at.map(moment),
            revoked_at: self.revoked_at.map(moment),
            enabled: self.enabled,
            allowed_ips: AllowList::parse(networks).map_err(unreadable)?,
            rate_limits: rate_limits(&self.rate_limits)?,
            quotas: quotas.with_used(used),
            metadata: read::<BTreeMap<String, String>>(&self.metadata)?,
            ..KeyRecord::new(self.id.0, self.name, moment(self.created_at))
        };
        Ok(KeyRow {
            record,
            hint: self.hint,
            created_by: self.created_by,
            last_used_at: self.last_used_at.map(|at| at.0),
            last_used_address: self.last_used_address.and_then(|address| address.parse().ok()),
            use_count: self.use_count,
            permission_uses: Vec::new(),
            superseded: tally(
                self.superseded_uses,
                self.superseded_last_used_at,
                self.superseded_last_address,
            ),
            refused: tally(self.refused_uses, self.refused_last_at, self.refused_last_address),
            version: self.version,
            grace_until: None,
            pending: None,
            leak: None,
        })
    }
}

impl<'a> SecretTableRow<'a> {
    pub(super) fn of(key: &'a NewKey) -> SecretTableRow<'a> {
        SecretTableRow {
            hash: key.hash.hash.as_bytes(),
            key_id: Id(key.record.id),
            created_at: at(key.record.created_at),
            expires_at: key.record.secret_ends_at.map(at),
            pending_grace_s: None,
            pending_hint: None,
            pepper: key.hash.pepper.map(i64::from),
        }
    }

    /// A secret without an end, for a key that is there.
    pub(super) fn newest(rotation: &'a Rotation, now: Timestamp) -> SecretTableRow<'a> {
        let pending = rotation.start == RotationStart::FirstUse;
        let grace_s = i64::try_from(rotation.grace.as_secs()).unwrap_or(i64::MAX);
        SecretTableRow {
            hash: rotation.hash.hash.as_bytes(),
            key_id: Id(rotation.key_id),
            created_at: At(now),
            expires_at: None,
            pending_grace_s: pending.then_some(grace_s),
            pending_hint: pending.then_some(&rotation.hint),
            pepper: rotation.hash.pepper.map(i64::from),
        }
    }
}

pub(super) fn permissions_json(permissions: &PermissionSet) -> JsonText {
    JsonText(json!(permissions.iter().collect::<Vec<_>>()).to_string())
}

pub(super) fn allow_list_json(list: &AllowList) -> JsonText {
    JsonText(json!(list.to_strings()).to_string())
}

pub(super) fn metadata_json(metadata: &BTreeMap<String, String>) -> JsonText {
    JsonText(json!(metadata).to_string())
}

pub(super) fn rate_limits_json(limits: &RateLimits) -> JsonText {
    let window = |(name, limit): (WindowName, RateLimit)| WindowJson {
        name: name.to_string(),
        limit: limit.limit,
        window_us: u64::try_from(limit.window.as_micros()).unwrap_or(u64::MAX),
    };
    JsonText(json!(limits.iter().map(window).collect::<Vec<_>>()).to_string())
}

fn rate_limits(text: &JsonText) -> QueryResult<RateLimits> {
    let mut windows = Vec::new();
    for window in read::<Vec<WindowJson>>(text)? {
        let name: WindowName = window.name.parse().map_err(unreadable)?;
        let length = Duration::from_micros(window.window_us);
        windows.push((name, RateLimit { limit: window.limit, window: length }));
    }
    RateLimits::new(windows).map_err(unreadable)
}

/// `{"day": 10000}`; null without any.
pub(super) fn quotas_json(quotas: &Quotas) -> Option<JsonText> {
    let by_name: BTreeMap<_, _> =
        quotas.iter().map(|(period, limit)| (period.name(), limit)).collect();
    (!by_name.is_empty()).then(|| JsonText(json!(by_name).to_string()))
}

fn quotas(text: &JsonText) -> QueryResult<Quotas> {
    let by_name: BTreeMap<String, NonZeroU32> = read(text)?;
    let limit = |period: QuotaPeriod| Some((period, *by_name.get(period.name())?));
    Ok(Quotas::new(QuotaPeriod::ALL.into_iter().filter_map(limit)))
}

fn read<T: DeserializeOwned>(text: &JsonText) -> QueryResult<T> {
    serde_json::from_str(&text.0).map_err(unreadable)
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::DeserializationError(Box::new(error))
}

fn tally(uses: i64, last: Option<At>, address: Option<String>) -> Option<UseTally> {
    let last_address = address.and_then(|text| text.parse().ok());
    last.map(|last| UseTally { uses, last_used_at: last.0, last_address })
}

fn at(moment: SystemTime) -> At {
    At(Timestamp::from_system_time(moment))
}

pub(super) fn moment(at: At) -> SystemTime {
    at.0.to_system_time()
}
