//! `PATCH /api/devops/keys/{id}`: a key's name, reach and life.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_store::{KeyPatch, UpdateKey};
use serde::Deserialize;
use utoipa::ToSchema;

use super::limits::{RateLimit, RateWindow};
use super::quotas::QuotaLimits;
use super::show::{key_id, no_such_key};
use super::view::Key;
use super::{fields, limits};
use crate::auth::{Allowed, Caller, ManageKeys, Permission};
use crate::body::Body;
use crate::codes::Code;
use crate::detached::detached;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// What shall change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyChange {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    permissions: Option<Vec<Permission>>,
    /// The key's first instant, before its last; null is at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "fields::present")]
    not_before: Option<Option<String>>,
    /// Null is never.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "fields::present")]
    expires_at: Option<Option<String>>,
    /// The only limit that it shall have; null removes all.
    #[schema(value_type = Option<RateLimit>)]
    #[serde(default, deserialize_with = "fields::present")]
    rate_limit: Option<Option<RateLimit>>,
    /// Instead of `rate_limit`: all limits that it shall have, up to four that hold together; null removes them. A
    /// limit that keeps its name keeps what is used of it.
    #[schema(value_type = Option<Vec<RateWindow>>, max_items = 4)]
    #[serde(default, deserialize_with = "fields::present")]
    rate_limits: Option<Option<Vec<RateWindow>>>,
    /// All quotas that it shall have; null removes them. What was used so far stays counted.
    #[schema(value_type = Option<QuotaLimits>)]
    #[serde(default, deserialize_with = "fields::present")]
    quotas: Option<Option<QuotaLimits>>,
    /// An empty list is anywhere.
    allowed_ips: Option<Vec<String>>,
    /// Notes of yours, all of them: what is not named is gone.
    metadata: Option<BTreeMap<String, String>>,
    enabled: Option<bool>,
}

/// Changes a key. When the answer is sent, this server already judges by the change. A key can
/// change only keys whose permissions it has itself, lifts nothing beyond its own bounds, and gets nothing
/// more out of changing itself. Of a revoked key, only name and notes can change.
#[utoipa::path(patch, path = "/api/devops/keys/{id}", operation_id = "change_key", tag = "keys", request_body = KeyChange,
    params(("id" = uuid::Uuid, Path, description = "The key's id")),
    responses(
        (status = 200, description = "The key as it is now", body = Key),
        (status = 404, description = "There is no such key", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "The key is revoked, and more than its name or notes was to change",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch(
    who: Allowed<ManageKeys>,
    id: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let id = key_id(&id)?;
    let change: KeyChange = body.json().await?;
    let begins = change.not_before.is_some();
    let limits = if change.rate_limit.is_some() { "rate_limit" } else { "rate_limits" };
    let patch = key_patch(change, &who.caller, state.now())?;
    let audit = state.audit(&who.caller, &request);
    let here = state.into_inner();
    let changed = detached(async move {
        let outcome = here.store.update_key(id, patch, audit).await;
        // Even after an error, which can hide that the change was committed. What was refused has changed
        // nothing.
        if matches!(outcome, Ok(UpdateKey::Updated(_)) | Err(_)) {
            here.forget_key(id);
        }
        Ok((outcome?, here.now()))
    });
    match changed.await? {
        (UpdateKey::Updated(row), now) => Ok(HttpResponse::Ok().json(Key::of(row, now))),
        (UpdateKey::NoSuchKey, _) => Err(no_such_key()),
        (UpdateKey::Revoked, _) => Err(Problem::new(Code::KeyNotChangeable).key_id(id)),
        (UpdateKey::EndsBeforeItBegins, _) => {
            let named = if begins { "/not_before" } else { "/expires_at" };
            Err(fields::ends_before_it_begins(named))
        }
        (UpdateKey::BeyondReach(beyond, permissions), _) => {
            Err(fields::beyond_reach(beyond, &permissions, limits, &who.caller))
        }
        (UpdateKey::WidensItself(member), _) => {
            let named = if member == "rate_limits" { limits } else { member };
            Err(Problem::new(Code::OwnBounds).at(&format!("/{named}")))
        }
    }
}

fn key_patch(change: KeyChange, caller: &Caller, now: Timestamp) -> Outcome<KeyPatch> {
    let permissions = change.permissions.as_deref();
    Ok(KeyPatch {
        name: change.name.as_deref().map(fields::name).transpose()?,
        permissions: permissions.map(fields::permissions),
        not_before: match change.not_before {
            None => None,
            Some(None) => Some(None),
            Some(Some(text)) => Some(Some(fields::start(&text)?)),
        },
        expires_at: match change.expires_at {
            None => None,
            Some(None) => Some(None),
            Some(Some(text)) => Some(Some(fields::expiry(&text, now)?)),
        },
        rate_limits: limits::parse(change.rate_limit, change.rate_limits)?,
        quotas: change.quotas.map(|quotas| quotas.unwrap_or_default().parse()).transpose()?,
        allowed_ips: change.allowed_ips.as_deref().map(fields::allowed_ips).transpose()?,
        metadata: change.metadata.map(fields::metadata).transpose()?,
        enabled: change.enabled,
        at_most: fields::reach(caller),
    })
}
