//! `POST /api/devops/generate-key`: a new key, shown once.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::{Timestamp, new_id};
use rr_keys::{Beyond, KeyFormat, KeyRecord};
use rr_store::{CreateKey, Idempotency, NewKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::limits::{RateLimit, RateWindow};
use super::quotas::QuotaLimits;
use super::{fields, limits};
use crate::auth::{Allowed, Caller, ManageKeys, Permission};
use crate::body::Body;
use crate::codes::Code;
use crate::idempotency::idempotency_key;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// What the key shall be; every field may be left out.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    /// "DevOps Integration Key" unless given.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Whom the key belongs to. It proves nothing about who asks.
    #[schema(max_length = 64)]
    user_id: Option<String>,
    /// `read_metrics` and `write_webhooks` unless given.
    permissions: Option<Vec<Permission>>,
    /// The key's first instant, before its last; from now on unless given.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<String>,
    /// 365 unless given, or as long as the key that asks.
    #[schema(minimum = 1, maximum = 36_500)]
    expires_in_days: Option<u32>,
    /// Instead of `expires_in_days`; null is never.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "fields::present")]
    expires_at: Option<Option<String>>,
    /// Unless given, the limits of the key that asks.
    rate_limit: Option<RateLimit>,
    /// Instead of `rate_limit`: up to four limits that hold together.
    #[schema(max_items = 4)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limits: Option<Vec<RateWindow>>,
    /// Unless given, those of the key that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    quotas: Option<QuotaLimits>,
    /// Addresses and networks the key may be used from; unless given, those of the key that asks.
    allowed_ips: Option<Vec<String>>,
    /// Notes of yours: at most 20, names of at most 64 characters, texts of at most 500.
    metadata: Option<BTreeMap<String, String>>,
}

/// The new key. This is the only time that it can be seen.
#[derive(Serialize, ToSchema)]
pub(crate) struct GeneratedKey<'a> {
    api_key: &'a str,
    key_id: Uuid,
    name: String,
    permissions: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// Makes a key and shows it once. With an `Idempotency-Key`, a lost answer is safe to ask for
/// again: no second key is made.
#[utoipa::path(post, path = "/api/devops/generate-key", operation_id = "generate_key", tag = "keys", request_body = KeyRequest,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repeat harmless")),
    responses(
        (status = 200, description = "The key", body = GeneratedKey),
        (status = 409, description = "This Idempotency-Key made the key `key_id` already",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    who: Allowed<ManageKeys>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let once = idempotency_key(&request)?;
    let wanted: KeyRequest = body.json_or_default().await?;
    let idempotency = once.map(|key| idempotency(&who.caller, key, &wanted)).transpose()?;
    let record = record(wanted, &who.caller, &state)?;

    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| state.random.fill(buffer));
    let key = NewKey {
        record,
        hash: state.store.key_schemes().hash(&issued),
        hint: issued.hint,
        created_by: who.caller.label(),
        last_used_at: None,
    };
    let audit = state.audit(&who.caller, &request);
    match state.store.create_key(key, idempotency, audit).await? {
        CreateKey::Created(row) => Ok(HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .json(GeneratedKey {
                api_key: issued.secret.expose(),
                key_id: row.record.id,
                permissions: row.record.permissions.iter().map(str::to_owned).collect(),
                created_at: Timestamp::from_system_time(row.record.created_at),
                expires_at: row.record.expires_at.map(Timestamp::from_system_time),
                name: row.record.name,
            })),
        CreateKey::AlreadyCreated(id) => Err(Problem::new(Code::AlreadyCreated).key_id(id)),
    }
}

/// The same request is the same id from the same caller.
fn idempotency(caller: &Caller, key: String, wanted: &KeyRequest) -> Outcome<Idempotency> {
    let text = serde_json::to_vec(wanted).map_err(|_| Problem::new(Code::Internal))?;
    Ok(Idempotency {
        scope: format!("generate-key/{}", caller.id()),
        key,
        fingerprint: Sha256::digest(text).into(),
    })
}

fn record(wanted: KeyRequest, caller: &Caller, state: &AppState) -> Outcome<KeyRecord> {
    let now = state.now();
    let own = fields::reach(caller);
    let name = wanted.name.as_deref().unwrap_or("DevOps Integration Key");
    let permissions = wanted.permissions.as_deref().unwrap_or(&Permission::DEFAULT);
    let own_end = own.as_ref().and_then(|own| own.expires_at).map(Timestamp::from_system_time);
    let expires_at = expiry(&wanted, now, own_end)?;
    let begins_at = wanted.not_before.as_deref().map(fields::start).transpose()?;
    if begins_at.zip(expires_at).is_some_and(|(start, end)| start >= end) {
        return Err(fields::ends_before_it_begins("/not_before"));
    }
    let in_days = wanted.expires_in_days.is_some();
    let named_limits = if wanted.rate_limit.is_some() { "rate_limit" } else { "rate_limits" };
    // What is not said is as with the key that asks; an administrator has no bounds to hand on.
    let (own_limits, own_quotas, own_networks) = own
        .clone()
        .map_or_else(Default::default, |own| (own.rate_limits, own.quotas, own.allowed_ips));
    let id = new_id(now, &state.random);
    let record = KeyRecord {
        owner: wanted.user_id.as_deref().map(fields::owner).transpose()?,
        permissions: fields::permissions(permissions),
        not_before: begins_at.map(Timestamp::to_system_time),
        expires_at: expires_at.map(Timestamp::to_system_time),
        rate_limits: limits::parse(wanted.rate_limit.map(Some), wanted.rate_limits.map(Some))?
            .unwrap_or(own_limits),
        quotas: wanted.quotas.map_or(Ok(own_quotas), QuotaLimits::parse)?,
        allowed_ips: match &wanted.allowed_ips {
            Some(entries) => fields::allowed_ips(entries)?,
            None => own_networks,
        },
        metadata: fields::metadata(wanted.metadata.unwrap_or_default())?,
        ..KeyRecord::new(id, fields::name(name)?, now.to_system_time())
    };
    match own.and_then(|own| own.beyond(&record)) {
        None => Ok(record),
        Some(Beyond::Expiry) if in_days => {
            Err(Problem::field("/expires_in_days", "must not outlast the key that asks"))
        }
        Some(beyond) => {
            Err(fields::beyond_reach(beyond, &record.permissions, named_limits, caller))
        }
    }
}

/// When the key ends: in a year unless said otherwise, and with the key that asks if that ends earlier.
fn expiry(
    wanted: &KeyRequest,
    now: Timestamp,
    own_end: Option<Timestamp>,
) -> Outcome<Option<Timestamp>> {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    match (wanted.expires_in_days, &wanted.expires_at) {
        (Some(_), Some(_)) => {
            Err(Problem::field("/expires_at", "cannot be combined with expires_in_days"))
        }
        (None, Some(None)) => Ok(None),
        (None, Some(Some(text))) => fields::expiry(text, now).map(Some),
        (None, None) => {
            let year = now.plus(DAY * 365);
            Ok(Some(own_end.map_or(year, |own| own.min(year))))
        }
        (Some(days @ 1..=36_500), None) => Ok(Some(now.plus(DAY * days))),
        (Some(_), None) => Err(Problem::field("/expires_in_days", "must be 1 to 36500")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_given_one_way_or_defaults_to_a_year() {
        let now = Timestamp::parse("2024-01-01T00:00:00Z").unwrap();
        for (body, expected) in [
            ("{}", Some(Some("2024-12-31T00:00:00Z"))),
            (r#"{"expires_in_days":1}"#, Some(Some("2024-01-02T00:00:00Z"))),
            (r#"{"expires_at":"2024-06-01T00:00:00Z"}"#, Some(Some("2024-06-01T00:00:00Z"))),
            (r#"{"expires_at":null}"#, Some(None)),
            (r#"{"expires_in_days":0}"#, None),
            (r#"{"expires_in_days":36501}"#, None),
            (r#"{"expires_at":null,"expires_in_days":1}"#, None),
            (r#"{"expires_at":"2023-06-01T00:00:00Z"}"#, None),
        ] {
            let wanted: KeyRequest = serde_json::from_str(body).unwrap();
            let expected = expected.map(|end| end.map(|end| Timestamp::parse(end).unwrap()));
            assert_eq!(expiry(&wanted, now, None).ok(), expected, "{body}");
        }
    }

    #[test]
    fn unknown_fields_and_permissions_are_refused() {
        for body in [r#"{"isAdmin":true}"#, r#"{"permissions":["root"]}"#, r#"{"name":5}"#] {
            assert!(serde_json::from_str::<KeyRequest>(body).is_err(), "{body}");
        }
    }
}
