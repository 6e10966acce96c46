//! `POST /api/devops/webhook`: an event, kept before it is acknowledged.

use actix_web::http::header::HeaderMap;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use rr_domain::{Timestamp, new_id};
use rr_store::{AcceptEvent, Idempotency, NewEvent, OfferedEvent, Together};
use rr_webhooks::{Event, Incoming, Policy, accept};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::refused::{hints, refused};
use super::signed;
use crate::auth::{Allowed, Caller, WriteWebhooks, perhaps_allowed};
use crate::body::Body;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::sources::Terms;
use crate::state::AppState;

/// The event is safe.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    #[schema(example = "success")]
    status: &'static str,
    /// The event's id, or that of the first one; left out where there was none, as in a batch without events.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<Uuid>,
}

/// Takes an event in. The 200 leaves after the event is synced to disk. It belongs to the source that
/// its key is bound to, else to the source `default`.
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
    let intake = state.intake(&who.caller, None).await?;
    let webhook_id = take_in(&who.caller, &request, &state, body, intake.terms()).await?;
    Ok(HttpResponse::Ok().json(Receipt { status: "success", webhook_id }))
}

/// The same for a source that is named. Tools whose webhooks can carry no key of ours sign them: what is
/// signed with the source's own secret is taken as sent by the key that the source is bound to.
#[utoipa::path(post, path = "/api/devops/webhook/{source}", operation_id = "send_event_of_source", tag = "events",
    request_body(content = Object, content_type = "application/json",
        description = "What the source sends"),
    params(("source" = String, Path, description = "The source's name")),
    responses(
        (status = 200, description = "The event is safe", body = Receipt),
        (status = 404, description = "There is no such source", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 409, description = "The same id with another body", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn post_named(
    source: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let webhook_id = match perhaps_allowed::<WriteWebhooks>(&request).await? {
        Some(caller) => {
            let intake = state.intake(&caller, Some(&source)).await?;
            take_in(&caller, &request, &state, body, intake.terms()).await?
        }
        None => signed::take_in(&source, &request, &state, body).await?,
    };
    Ok(HttpResponse::Ok().json(Receipt { status: "success", webhook_id }))
}

/// Reads, judges and stores what one request brings; gives the id of its first event, if there is one.
async fn take_in(
    caller: &Caller,
    request: &HttpRequest,
    state: &AppState,
    body: Body,
    terms: Terms<'_>,
) -> Outcome<Option<Uuid>> {
    refuse_when_full(state, &body)?;
    let max_bytes = state.settings.webhook_max_bytes;
    let body = body.bytes(max_bytes).await?;
    let headers = headers(request.headers());
    let (at, key_id) = (state.now(), caller.id());
    let incoming = Incoming { headers: &headers, body: &body, received_at: at, key_id };
    let Terms { secrets, format, source } = terms;
    let policy = Policy { secrets, max_bytes, format };
    let events = accept(&incoming, &policy).map_err(|refusal| {
        refused(&refusal).signature_hints(hints(&refusal, &incoming, secrets))
    })?;
    store(events, body, Arrival { caller, state, at, source }).await
}

/// Stores what one request brought, all of it or nothing; gives the id of its first event, if there is one.
pub(super) async fn store(
    events: Vec<Event>,
    body: Bytes,
    arrival: Arrival<'_>,
) -> Outcome<Option<Uuid>> {
    if events.is_empty() {
        return Ok(None);
    }
    // The first event that is stored keeps the body as it came; the others keep their parts of it.
    let mut whole = Some(Vec::from(body));
    let is_alone = events.len() == 1;
    let offers = events.into_iter().map(|event| {
        let own = if is_alone { whole.take() } else { None };
        let own = own.unwrap_or_else(|| event.data.get().as_bytes().to_vec());
        arrival.offer(event, own)
    });
    let offers = offers.collect();
    let all = Together::AllOrNothing(whole);
    let answers = arrival.state.store.accept_events(offers, all).await?;
    if answers.contains(&AcceptEvent::Conflict) {
        return Err(Problem::new(Code::IdempotencyConflict));
    }
    match answers.first() {
        Some(AcceptEvent::Stored(id) | AcceptEvent::Repeated(id)) => Ok(Some(*id)),
        Some(AcceptEvent::Conflict) | None => Err(Problem::new(Code::Internal)),
    }
}

/// When too much waits already to take this as well, the body is not even read.
pub(super) fn refuse_when_full(state: &AppState, body: &Body) -> Outcome<()> {
    let has_room = state.store.has_room(1, body.declared().unwrap_or(0));
    if has_room { Ok(()) } else { Err(Problem::new(Code::Busy)) }
}

pub(super) fn headers(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// What the store is told of every event of a request.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub(super) caller: &'a Caller,
    pub(super) state: &'a AppState,
    pub(super) at: Timestamp,
    /// The source of webhooks; none: the default one.
    pub(super) source: Option<Uuid>,
}

impl Arrival<'_> {
    pub(super) fn offer(self, event: Event, body: Vec<u8>) -> OfferedEvent {
        let ids = event.dedupe.into_iter().map(|id| Idempotency {
            scope: id.scope,
            key: id.key,
            fingerprint: id.fingerprint,
        });
        OfferedEvent {
            ids: ids.collect(),
            event: NewEvent {
                id: new_id(self.at, &self.state.random),
                key_id: self.caller.key_id(),
                webhook_source: self.source,
                received_at: self.at,
                occurred_at: event.occurred_at,
                event_type: event.event_type,
                source: event.source,
                meaning: event.meaning,
                data: event.data,
                content_type: event.content_type,
                body,
            },
        }
    }
}
