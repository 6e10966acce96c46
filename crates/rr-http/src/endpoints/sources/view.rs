//! A source as the wire shows it, and what can go wrong with one. A secret is never shown.

use actix_web::HttpResponse;
use rr_domain::Timestamp;
use rr_store::{SourceOutcome, SourceSecret, WebhookSource};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::sources::no_such_source;
use crate::state::AppState;

/// A source of webhooks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    #[schema(example = "github")]
    name: String,
    /// What it sends: `auto`, or one format alone.
    #[schema(example = "auto")]
    format: &'static str,
    /// The key that alone may send as this source, and sends as no other.
    #[schema(required = true)]
    key_id: Option<Uuid>,
    enabled: bool,
    /// Whether its key is proof enough, because its sender cannot sign. Only while it has a key and no secret of its
    /// own.
    unsigned: bool,
    /// How many days its events are kept; null: for ever.
    #[schema(required = true)]
    retention_days: Option<i64>,
    /// How many bytes of bodies are kept; null: all.
    #[schema(required = true)]
    retention_bytes: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    secrets: Vec<Secret>,
}

/// A secret, by its fingerprint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Secret {
    id: Uuid,
    /// The first 12 hexadecimal digits of its SHA-256.
    #[schema(example = "2bb80d537b1d")]
    fingerprint: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The first instant at which it is good no more.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    expires_at: Option<Timestamp>,
}

impl From<WebhookSource> for Source {
    fn from(source: WebhookSource) -> Source {
        Source {
            name: source.name,
            format: source.format.name(),
            key_id: source.key_id,
            enabled: source.enabled,
            unsigned: source.unsigned,
            retention_days: source.retention_days,
            retention_bytes: source.retention_bytes,
            created_at: source.created_at,
            updated_at: source.updated_at,
            secrets: source.secrets.into_iter().map(Secret::from).collect(),
        }
    }
}

impl From<SourceSecret> for Secret {
    fn from(secret: SourceSecret) -> Secret {
        Secret {
            id: secret.id,
            fingerprint: secret.fingerprint,
            created_at: secret.created_at,
            expires_at: secret.expires_at,
        }
    }
}

/// Answers a change with the source as it is now. This server judges by it from then on.
pub(super) async fn answer(state: &AppState, outcome: SourceOutcome) -> Outcome<HttpResponse> {
    state.read_sources().await?;
    match outcome {
        SourceOutcome::Done(source) => Ok(HttpResponse::Ok().json(Source::from(*source))),
        SourceOutcome::NoSuchSource => Err(no_such_source()),
        SourceOutcome::NameTaken => Err(conflict("A webhook source of that name exists.")),
        SourceOutcome::KeyTaken => Err(conflict("Another webhook source is bound to that key.")),
        SourceOutcome::NoSuchKey => Err(Problem::field("/key_id", "names no key")),
        SourceOutcome::TooMany => Err(conflict("There are as many as there may be.")),
        SourceOutcome::LastSecret => {
            Err(conflict("No other secret is good: add another first, or remove the source."))
        }
    }
}

pub(super) fn conflict(why: &'static str) -> Problem {
    Problem::new(Code::Conflict).detail(why)
}
