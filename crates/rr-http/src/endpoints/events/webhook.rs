//! `POST /api/devops/webhook`: an event, kept before it is acknowledged.

use actix_web::http::header::HeaderMap;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use rr_domain::{Timestamp, new_id};
use rr_store::{AcceptEvent, Idempotency, NewEvent};
use rr_webhooks::{Accepted, Incoming, Policy, WebhookSecret, accept};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::refused::refused;
use crate::auth::{Allowed, Caller, WriteWebhooks};
use crate::body::Body;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// The event is safe.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    #[schema(example = "success")]
    status: &'static str,
    webhook_id: Uuid,
}

/// Takes an event in. The 200 leaves after the event is synced to disk.
#[utoipa::path(post, path = "/api/devops/webhook", operation_id = "send_event", tag = "events",
    request_body(content = Object, content_type = "application/json",
        description = "Any JSON object; `event_type` or `event` names it. CloudEvents are recognised."),
    params(
        ("idempotency-key" = Option<String>, Header, description = "Makes a repeat harmless"),
        ("webhook-id" = Option<String>, Header, description = "The same, by Standard Webhooks"),
        ("x-webhook-signature" = Option<String>, Header,
            description = "`sha256=` and the hexadecimal HMAC-SHA256 of the body, when a secret is configured")),
    responses(
        (status = 200, description = "The event is safe", body = Receipt),
        (status = 409, description = "The same id with another body", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn post(
    who: Allowed<WriteWebhooks>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let secret = state.settings.webhook_secret.as_ref();
    let webhook_id = take_in(&who.caller, &request, &state, body, secret).await?;
    Ok(HttpResponse::Ok().json(Receipt { status: "success", webhook_id }))
}

/// Reads, judges and stores one event.
pub(super) async fn take_in(
    caller: &Caller,
    request: &HttpRequest,
    state: &AppState,
    body: Body,
    secret: Option<&WebhookSecret>,
) -> Outcome<Uuid> {
    refuse_when_full(state)?;
    let max_bytes = state.settings.webhook_max_bytes;
    let body = body.bytes(max_bytes).await?;
    let received_at = state.now();
    let headers = headers(request.headers());
    let incoming = Incoming { headers: &headers, body: &body, received_at, key_id: caller.id() };
    let policy = Policy { secret, max_bytes };
    let accepted = accept(&incoming, &policy).map_err(|refusal| refused(&refusal))?;
    store(accepted, body, received_at, caller, state).await
}

/// When too much waits already, the body is not even read.
fn refuse_when_full(state: &AppState) -> Outcome<()> {
    let stats = state.store.stats();
    if stats.writer_queue_depth >= stats.writer_queue_capacity {
        return Err(Problem::new(Code::Busy));
    }
    Ok(())
}

fn headers(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

async fn store(
    accepted: Accepted,
    body: Bytes,
    received_at: Timestamp,
    caller: &Caller,
    state: &AppState,
) -> Outcome<Uuid> {
    let Accepted { event, dedupe, fingerprint } = accepted;
    let event = NewEvent {
        id: new_id(received_at, &state.random),
        key_id: caller.key_id(),
        received_at,
        occurred_at: event.occurred_at,
        event_type: event.event_type,
        source: event.source,
        data: event.data,
        content_type: event.content_type,
        body: body.into(),
    };
    let ids = dedupe.into_iter();
    let ids = ids.map(|id| Idempotency { scope: id.scope, key: id.key, fingerprint });
    match state.store.accept_event(event, ids).await? {
        AcceptEvent::Stored(id) | AcceptEvent::Repeated(id) => Ok(id),
        AcceptEvent::Conflict => Err(Problem::new(Code::IdempotencyConflict)),
    }
}
