//! `POST /api/devops/sources`: a new source of webhooks.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::new_id;
use rr_store::WebhookSource;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use super::view::{Source, answer};
use crate::auth::{Allowed, ManageWebhooks};
use crate::body::Body;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// A source to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSource {
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9][a-z0-9-]*$")]
    name: String,
    /// `auto` (the default), `free`, `cloudevents`, `cdevents`, `github`, `gitlab`, `alertmanager`,
    /// `pagerduty`, `argocd` or `standard`.
    format: Option<String>,
    /// The key that alone may send as this source, and then sends as no other.
    key_id: Option<Uuid>,
    /// Its sender cannot sign, so its key is proof enough; it needs one.
    #[serde(default)]
    unsigned: bool,
    #[schema(minimum = 1, maximum = 3650)]
    retention_days: Option<i64>,
    #[schema(minimum = 1)]
    retention_bytes: Option<i64>,
}

/// Makes a source, enabled and without secrets: until it has one, what it sends is signed
/// as for the default source, if at all.
#[utoipa::path(post, path = "/api/devops/sources", operation_id = "create_source", tag = "sources",
    request_body = NewSource,
    responses(
        (status = 200, description = "The source", body = Source),
        (status = 409, description = "The name or the key belongs to another source",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    who: Allowed<ManageWebhooks>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let new: NewSource = body.json().await?;
    if new.unsigned && new.key_id.is_none() {
        return Err(Problem::field("/unsigned", "needs a `key_id`, or nothing would be proved"));
    }
    let audit = state.audit(&who.caller, &request);
    let source = WebhookSource {
        name: fields::name(new.name)?,
        id: Some(new_id(audit.at, &state.random)),
        format: fields::format(new.format.as_deref().unwrap_or("auto"))?,
        key_id: new.key_id,
        enabled: true,
        unsigned: new.unsigned,
        retention_days: fields::days(new.retention_days)?,
        retention_bytes: fields::bytes(new.retention_bytes)?,
        created_at: audit.at,
        updated_at: audit.at,
        secrets: Vec::new(),
    };
    let outcome = state.store.create_webhook_source(source, audit).await?;
    answer(&state, outcome).await
}
