//! `POST /api/devops/sources/{source}/secrets`: a new secret, the old ones for an overlap.

use std::time::Duration;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::new_id;
use rr_store::NewSourceSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::fields;
use super::view::{Source, answer};
use crate::auth::{Allowed, ManageWebhooks};
use crate::body::Body;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

const DAY_S: u32 = 86_400;
const LONGEST_OVERLAP_S: u32 = 30 * DAY_S;

/// A secret to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSecret {
    /// As the sender has it, with its prefix (`whsec_`, `whpk_`) where it has one. It is not shown again.
    #[schema(min_length = 16, max_length = 512)]
    secret: String,
    /// For how many seconds the secrets that are there already still work; a day unless given.
    #[schema(default = 86_400, minimum = 0, maximum = 2_592_000)]
    overlap_s: Option<u32>,
}

/// Adds a secret: from now on what the source sends must be signed, with this one or, until the overlap
/// ends, with one of those before it.
#[utoipa::path(post, path = "/api/devops/sources/{source}/secrets", operation_id = "add_source_secret",
    tag = "sources", request_body = NewSecret,
    params(("source" = String, Path, description = "The source's name")),
    responses(
        (status = 200, description = "The source as it is now", body = Source),
        (status = 404, description = "There is no such source", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "It has ten secrets that have not ended", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn post(
    who: Allowed<ManageWebhooks>,
    name: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let new: NewSecret = body.json().await?;
    fields::secret(&new.secret)?;
    let overlap_s = new.overlap_s.unwrap_or(DAY_S);
    if overlap_s > LONGEST_OVERLAP_S {
        return Err(Problem::field("/overlap_s", "must be 0 to 2592000 seconds"));
    }
    let audit = state.audit(&who.caller, &request);
    let secret = NewSourceSecret {
        id: new_id(audit.at, &state.random),
        fingerprint: fields::fingerprint(&new.secret),
        text: new.secret,
        others_end_at: audit.at.plus(Duration::from_secs(u64::from(overlap_s))),
    };
    let outcome = state.store.add_source_secret(name.into_inner(), secret, audit).await?;
    answer(&state, outcome).await
}
