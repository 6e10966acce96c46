//! `GET /api/devops/sources`: where webhooks come from.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::Source;
use crate::auth::{Allowed, ManageWebhooks};
use crate::problem::Outcome;
use crate::state::AppState;

/// All sources.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceList {
    sources: Vec<Source>,
}

/// All webhook sources, by name; of secrets, only their fingerprints. `default` takes what comes with a
/// key of no source; the secrets of the configuration are its own as well.
#[utoipa::path(get, path = "/api/devops/sources", operation_id = "list_sources", tag = "sources",
    responses((status = 200, description = "All sources", body = SourceList)))]
pub(crate) async fn get(
    _: Allowed<ManageWebhooks>,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let (_, sources) = state.store.webhook_sources().await?;
    let sources = sources.into_iter().map(Source::from).collect();
    Ok(HttpResponse::Ok().json(SourceList { sources }))
}
