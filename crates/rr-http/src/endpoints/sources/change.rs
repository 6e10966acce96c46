//! `PATCH /api/devops/sources/{source}`: what a source sends, by which key, and how long it is kept.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use rr_store::{DEFAULT_SOURCE, SourcePatch};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;
use super::view::{Source, answer, conflict};
use crate::auth::{Allowed, ManageWebhooks};
use crate::body::Body;
use crate::endpoints::keys::present;
use crate::problem::Outcome;
use crate::state::AppState;

/// What shall change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceChange {
    format: Option<String>,
    /// Null binds it to no key.
    #[schema(value_type = Option<Uuid>)]
    #[serde(default, deserialize_with = "present")]
    key_id: Option<Option<Uuid>>,
    enabled: Option<bool>,
    /// Its sender cannot sign, so its key is proof enough.
    unsigned: Option<bool>,
    /// Null keeps its events for ever.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 3650)]
    #[serde(default, deserialize_with = "present")]
    retention_days: Option<Option<i64>>,
    /// Null keeps all of its bodies.
    #[schema(value_type = Option<i64>, minimum = 1)]
    #[serde(default, deserialize_with = "present")]
    retention_bytes: Option<Option<i64>>,
}

/// Changes a source. When the answer is sent, this server already judges by the change. The default
/// source is bound to no key.
#[utoipa::path(patch, path = "/api/devops/sources/{source}", operation_id = "change_source", tag = "sources",
    request_body = SourceChange,
    params(("source" = String, Path, description = "The source's name")),
    responses(
        (status = 200, description = "The source as it is now", body = Source),
        (status = 404, description = "There is no such source", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "The key belongs to another source, or the source is the default one",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn patch(
    who: Allowed<ManageWebhooks>,
    name: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let change: SourceChange = body.json().await?;
    let patch = SourcePatch {
        format: change.format.as_deref().map(fields::format).transpose()?,
        key_id: change.key_id,
        enabled: change.enabled,
        unsigned: change.unsigned,
        retention_days: change.retention_days.map(fields::days).transpose()?,
        retention_bytes: change.retention_bytes.map(fields::bytes).transpose()?,
    };
    if *name == DEFAULT_SOURCE && matches!(patch.key_id, Some(Some(_))) {
        return Err(conflict("The default source takes what comes with a key of no source."));
    }
    let audit = state.audit(&who.caller, &request);
    let outcome = state.store.change_webhook_source(name.into_inner(), patch, audit).await?;
    answer(&state, outcome).await
}
