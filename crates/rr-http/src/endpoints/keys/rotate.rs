//! `POST /api/devops/keys/{id}/rotate`: a new secret for the same key, shown once.

use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_keys::{Beyond, KeyFormat};
use rr_store::{Idempotency, RotateKey, Rotation, RotationStart};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use super::show::{key_id, no_such_key};
use crate::auth::{Allowed, Caller, ManageKeys};
use crate::body::Body;
use crate::codes::Code;
use crate::detached::detached;
use crate::idempotency::idempotency_key;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

const DAY_S: u32 = 86_400;
const LONGEST_GRACE_S: u32 = 7 * DAY_S;

/// How the old secret goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RotateRequest {
    /// For how many seconds the old secret still works; 0 ends it at once. A day unless given,
    /// and never past the key's own expiry.
    #[schema(default = 86_400, minimum = 0, maximum = 604_800)]
    grace_s: u32,
    /// When the grace starts.
    #[schema(default = "now")]
    start: GraceStart,
}

/// When the grace of a rotation starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GraceStart {
    /// At once.
    #[default]
    Now,
    /// With the first use of the new secret. Until then the old one works on.
    FirstUse,
}

impl Default for RotateRequest {
    fn default() -> RotateRequest {
        RotateRequest { grace_s: DAY_S, start: GraceStart::Now }
    }
}

/// The new secret. This is the only time that it can be seen.
#[derive(Serialize, ToSchema)]
pub(crate) struct RotatedKey<'a> {
    api_key: &'a str,
    key_id: Uuid,
    /// The first instant at which the old secret works no more; null while the new one waits for its first
    /// use.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    grace_until: Option<Timestamp>,
}

/// Gives a key a new secret; its id, permissions, limits and expiry stay. The old secret works
/// until `grace_until`; a secret that an earlier rotation has replaced ends no later than it would
/// have anyway. With `"start": "first_use"` the grace starts when the new secret is used, and nothing ends
/// before; rotating again replaces a new secret that nobody has used. With an `Idempotency-Key`, a
/// lost answer is safe to ask for again: no second secret is made.
#[utoipa::path(post, path = "/api/devops/keys/{id}/rotate", operation_id = "rotate_key", tag = "keys",
    request_body = RotateRequest,
    params(
        ("id" = Uuid, Path, description = "The key's id"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a repeat harmless")),
    responses(
        (status = 200, description = "The new secret", body = RotatedKey),
        (status = 404, description = "There is no such key", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "This Idempotency-Key rotated the key already, or the key is revoked, expired or disabled",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    who: Allowed<ManageKeys>,
    id: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let id = key_id(&id)?;
    let once = idempotency_key(&request)?;
    let wanted = body.json_or_default().await?;
    let grace_s = grace(&wanted)?;
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| state.random.fill(buffer));
    let rotation = Rotation {
        key_id: id,
        hash: state.store.key_schemes().hash(&issued),
        hint: issued.hint,
        grace: Duration::from_secs(u64::from(grace_s)),
        start: match wanted.start {
            GraceStart::Now => RotationStart::Now,
            GraceStart::FirstUse => RotationStart::FirstUse,
        },
        at_most: fields::reach(&who.caller),
    };
    let once = once.map(|key| idempotency(&who.caller, id, key, &wanted));
    let audit = state.audit(&who.caller, &request);
    let here = state.into_inner();
    let rotated = detached(async move {
        let outcome = here.store.rotate_key(rotation, once, audit).await;
        // Even after an error, which can hide that the change was committed; a repeat tells of a rotation
        // that another server may have made. What was refused has changed nothing.
        use RotateKey::{AlreadyRotated, Pending, Rotated};
        if matches!(outcome, Ok(Rotated(_) | Pending | AlreadyRotated) | Err(_)) {
            here.forget_key(id);
        }
        Ok(outcome?)
    });
    let grace_until = granted(rotated.await?, id, &who.caller)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(RotatedKey { api_key: issued.secret.expose(), key_id: id, grace_until }))
}

fn grace(wanted: &RotateRequest) -> Outcome<u32> {
    if wanted.grace_s <= LONGEST_GRACE_S {
        Ok(wanted.grace_s)
    } else {
        Err(Problem::field("/grace_s", "must be 0 to 604800 seconds"))
    }
}

/// The id names one rotation of this key by this caller.
fn idempotency(caller: &Caller, id: Uuid, key: String, wanted: &RotateRequest) -> Idempotency {
    let on_first_use = u8::from(wanted.start == GraceStart::FirstUse);
    Idempotency {
        scope: format!("rotate-key/{id}/{}", caller.id()),
        key,
        fingerprint: Sha256::new()
            .chain_update(wanted.grace_s.to_be_bytes())
            .chain_update([on_first_use])
            .finalize()
            .into(),
    }
}

/// When the old secret ends, if it does yet, or why there is no new one.
fn granted(outcome: RotateKey, id: Uuid, caller: &Caller) -> Outcome<Option<Timestamp>> {
    let refused = |why| Err(Problem::new(Code::KeyNotRotatable).detail(why).key_id(id));
    match outcome {
        RotateKey::Rotated(grace_until) => Ok(Some(grace_until)),
        RotateKey::Pending => Ok(None),
        RotateKey::AlreadyRotated => Err(Problem::new(Code::AlreadyRotated).key_id(id)),
        RotateKey::NoSuchKey => Err(no_such_key()),
        RotateKey::BeyondReach(beyond, permissions) => match beyond {
            Beyond::Permissions => Err(fields::missing_permissions(&permissions, caller)),
            Beyond::Expiry => refused("The key ends later than the one that asks."),
            Beyond::Addresses => refused("The key works from more places than the one that asks."),
            Beyond::RateLimits => {
                refused("The key has other limits than the one that asks, or wider ones.")
            }
            Beyond::Quotas => refused("The key has wider quotas than the one that asks."),
        },
        RotateKey::Revoked => refused("The key was revoked, which is for good. Make a new one."),
        RotateKey::Expired => refused("The key has expired, and a new secret is no new life."),
        RotateKey::Disabled => refused("The key is disabled. Enable it first."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_a_day_unless_given_and_a_week_at_most() {
        for (body, expected) in [
            ("{}", Some(86_400)),
            (r#"{"grace_s":0}"#, Some(0)),
            (r#"{"grace_s":604800}"#, Some(604_800)),
            (r#"{"grace_s":604801}"#, None),
        ] {
            let wanted: RotateRequest = serde_json::from_str(body).unwrap();
            assert_eq!(grace(&wanted).ok(), expected, "{body}");
        }
        assert_eq!(grace(&RotateRequest::default()).unwrap(), 86_400, "no body at all");
    }

    /// Null could be meant as none or as endless, so it is neither.
    #[test]
    fn what_is_no_number_of_seconds_is_refused() {
        for body in ["null", "-1", "1.5", "\"60\"", "4294967296", "true"] {
            let body = format!(r#"{{"grace_s":{body}}}"#);
            assert!(serde_json::from_str::<RotateRequest>(&body).is_err(), "{body}");
        }
        assert!(serde_json::from_str::<RotateRequest>(r#"{"grace":5}"#).is_err());
    }
}
