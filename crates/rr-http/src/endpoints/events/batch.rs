//! `POST /api/devops/webhook/batch`: many events at once, one a line, each with its own answer.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_store::{AcceptEvent, Together};
use rr_webhooks::{Incoming, Line, MOST_LINES, Policy, Refusal, accept_lines};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::refused::{hints, refused, sentence};
use super::webhook::{Arrival, headers, refuse_when_full};
use crate::auth::{Allowed, WriteWebhooks};
use crate::body::Body;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::sources::Terms;
use crate::state::AppState;

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchReceipt {
    /// `success`, or `partial` when a line was refused.
    #[schema(example = "success")]
    status: &'static str,
    /// One for each line that is not empty, in their order.
    results: Vec<LineResult>,
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineResult {
    /// Its number, from 1.
    line: usize,
    /// `stored`, `repeated` (it was stored before) or `refused`.
    #[schema(example = "stored")]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<Uuid>,
    /// Why it was refused, as the code of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "invalid_json")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Where in the line, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

/// How many times the largest event a batch may be, up to [`MOST_BYTES`].
const EVENTS: usize = 16;
/// The largest batch, unless one event may be larger.
const MOST_BYTES: usize = 16 << 20;

/// Takes many events in, one transaction for all: what the answer calls stored is synced to disk.
#[utoipa::path(post, path = "/api/devops/webhook/batch", operation_id = "send_events", tag = "events",
    request_body(content = String, content_type = "application/x-ndjson",
        description = "1 to 1000 lines, each a JSON object: a CloudEvent in its structured form, or any other"),
    params(
        ("idempotency-key" = Option<String>, Header,
            description = "Stands for each line together with its number: makes a repeat of the whole harmless"),
        ("x-webhook-signature" = Option<String>, Header,
            description = "As for one event, over the whole body")),
    responses((status = 200, description = "What became of each line", body = BatchReceipt)))]
pub(crate) async fn post(
    who: Allowed<WriteWebhooks>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    refuse_when_full(&state, &body)?;
    let intake = state.intake(&who.caller, None).await?;
    let Terms { secrets, format, source } = intake.terms();
    let max_bytes = state.settings.webhook_max_bytes;
    let body = body.bytes(max_bytes.max(MOST_BYTES.min(max_bytes * EVENTS))).await?;
    // Now that they can be counted: small ones take more room than their bytes, and understanding them time.
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    if !state.store.has_room(lines.take(MOST_LINES).count(), body.len()) {
        return Err(Problem::new(Code::Busy));
    }
    let headers = headers(request.headers());
    let arrival = Arrival { caller: &who.caller, state: &state, at: state.now(), source };
    let incoming = Incoming {
        headers: &headers,
        body: &body,
        received_at: arrival.at,
        key_id: who.caller.id(),
    };
    let lines =
        accept_lines(&incoming, &Policy { secrets, max_bytes, format }).map_err(|refusal| {
            refused(&refusal).signature_hints(hints(&refusal, &incoming, secrets))
        })?;
    let results = store(lines, arrival).await?;
    let all = results.iter().all(|result| result.webhook_id.is_some());
    let status = if all { "success" } else { "partial" };
    Ok(HttpResponse::Ok().json(BatchReceipt { status, results }))
}

/// Stores what can be stored; the answers come back in the order of the lines.
async fn store(lines: Vec<Line<'_>>, arrival: Arrival<'_>) -> Outcome<Vec<LineResult>> {
    let mut offers = Vec::new();
    let mut results = Vec::with_capacity(lines.len());
    for Line { number, text, event } in lines {
        results.push(match event {
            Ok(event) => {
                offers.push(arrival.offer(event, text.to_vec()));
                LineResult::waiting(number)
            }
            Err(refusal) => LineResult::refused(number, &refusal),
        });
    }
    let answers = match offers.is_empty() {
        true => Vec::new(),
        false => arrival.state.store.accept_events(offers, Together::EachByItself).await?,
    };
    let mut answers = answers.into_iter();
    for result in results.iter_mut().filter(|result| result.status == WAITING) {
        match answers.next().ok_or_else(|| Problem::new(Code::Internal))? {
            AcceptEvent::Stored(id) => result.kept("stored", id),
            AcceptEvent::Repeated(id) => result.kept("repeated", id),
            AcceptEvent::Conflict => *result = LineResult::conflict(result.line),
        }
    }
    Ok(results)
}

/// A line that the store has not answered for yet; no answer carries this word.
const WAITING: &str = "waiting";

impl LineResult {
    fn waiting(line: usize) -> LineResult {
        let status = WAITING;
        LineResult { line, status, webhook_id: None, code: None, detail: None, pointer: None }
    }

    fn kept(&mut self, status: &'static str, id: Uuid) {
        self.status = status;
        self.webhook_id = Some(id);
    }

    fn refused(line: usize, refusal: &Refusal) -> LineResult {
        LineResult {
            status: "refused",
            code: Some(refusal.code()),
            detail: Some(sentence(refusal.detail())),
            pointer: refusal.pointer().map(str::to_owned),
            ..LineResult::waiting(line)
        }
    }

    fn conflict(line: usize) -> LineResult {
        let code = Code::IdempotencyConflict;
        LineResult {
            status: "refused",
            code: Some(code.name()),
            detail: Some(code.text().to_owned()),
            ..LineResult::waiting(line)
        }
    }
}
