//! `POST /api/devops/commissions/payout`: what was paid out, by the list that told what to pay.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::{Money, Timestamp, new_id};
use rr_store::{Idempotency, NewPayout, PayOut};
use rr_sync::ledger::Sum;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::payables::Payout;
use super::payout::ControlTotal;
use crate::auth::Administrator;
use crate::body::Body;
use crate::codes::Code;
use crate::idempotency::idempotency_key;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// Who was paid, by the list of an instant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaidOut {
    /// `as_of` of the list.
    #[schema(format = DateTime)]
    as_of: String,
    /// Those of its lines that were paid, as they are.
    #[schema(max_items = 1_000)]
    affiliates: Vec<PaidLine>,
}

/// A line of the list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaidLine {
    affiliate: String,
    commissions: i64,
    /// Above 0: nobody is paid less.
    #[schema(value_type = f64)]
    amount: Box<RawValue>,
}

/// What is recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedPayout {
    payout_id: Uuid,
    #[schema(value_type = String, example = "USD")]
    currency: &'static str,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// What the lines add up to.
    control_total: ControlTotal,
}

/// Records that affiliates were paid what a list says.
///
/// Every line has to be what is payable to its affiliate at `as_of`, or nothing is recorded. The payout is dated
/// then, so that the list of that instant holds nothing more of it. With an `Idempotency-Key` a repeat gets the first
/// answer again; without one nothing is payable any more.
#[utoipa::path(post, path = "/api/devops/commissions/payout", operation_id = "record_payout", tag = "figures",
    request_body = PaidOut,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repeat harmless")),
    responses(
        (status = 200, description = "It is recorded", body = RecordedPayout),
        (status = 409, description = "Something else is payable to an affiliate, see `errors`; or this \
            Idempotency-Key recorded another payout",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    who: Administrator,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let once = idempotency_key(&request)?;
    let sent: PaidOut = body.json().await?;
    let audit = state.audit(&who.caller, &request);
    let as_of = past_instant(&sent.as_of, audit.at)?;
    let lines = lines(sent.affiliates)?;
    let once = once.map(|key| Idempotency {
        scope: format!("payout/{}", who.caller.id()),
        key,
        fingerprint: fingerprint(as_of, &lines),
    });
    let affiliates = lines.len();
    let mut all = Sum::default();
    for (_, line) in &lines {
        all += line.sum;
    }
    let places: Vec<usize> = lines.iter().map(|(_, line)| line.place).collect();
    let lines = lines.into_iter().map(|(affiliate, line)| (affiliate, line.sum)).collect();
    let payout = NewPayout { id: new_id(audit.at, &state.random), as_of, lines };
    let payout_id = match state.store.pay_out(payout, once, audit).await? {
        PayOut::Recorded(id) | PayOut::Repeated(id) => id,
        PayOut::Conflict => return Err(Problem::new(Code::IdempotencyConflict)),
        PayOut::Differs(line) => {
            let place = places.get(line).map_or(String::new(), |place| format!("/{place}"));
            let problem = Problem::field(
                &format!("/affiliates{place}"),
                "is not what is payable at `as_of`; ask for the list again",
            );
            return Err(problem.under(Code::Conflict));
        }
        PayOut::TooMany => {
            return Err(Problem::field(
                "/affiliates",
                "may have at most 20000 commissions together; name fewer, or an earlier `as_of`",
            ));
        }
    };
    Ok(HttpResponse::Ok().json(RecordedPayout {
        payout_id,
        currency: rr_sync::CURRENCY,
        as_of,
        control_total: ControlTotal { affiliates, payout: Payout::of(all) },
    }))
}

/// What a line says, and which one it was.
struct Line {
    sum: Sum,
    place: usize,
}

/// The lines by the names of the affiliates.
fn lines(sent: Vec<PaidLine>) -> Outcome<Vec<(String, Line)>> {
    const MOST: usize = 1_000;
    if sent.len() > MOST {
        return Err(Problem::field("/affiliates", "may have at most 1000 entries"));
    }
    let mut lines = Vec::with_capacity(sent.len());
    for (place, PaidLine { affiliate, commissions, amount }) in sent.into_iter().enumerate() {
        let wrong = |detail: &str| Problem::field(&format!("/affiliates/{place}/amount"), detail);
        let amount = Money::parse(amount.get()).map_err(|error| wrong(&error.to_string()))?;
        if amount <= Money::ZERO {
            return Err(wrong("must be above 0"));
        }
        let sum = Sum { count: commissions, amount: amount.minor().into() };
        lines.push((affiliate, Line { sum, place }));
    }
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    match lines.windows(2).find(|two| two[0].0 == two[1].0) {
        Some(two) => {
            Err(Problem::field(&format!("/affiliates/{}", two[1].1.place), "is there twice"))
        }
        None => Ok(lines),
    }
}

fn past_instant(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    let wrong = |detail| Problem::field("/as_of", detail);
    let at = Timestamp::parse(text).map_err(|_| wrong("must be an RFC 3339 time"))?;
    if at <= now { Ok(at) } else { Err(wrong("must not lie in the future")) }
}

/// The same payout is the same whatever the order of its lines.
fn fingerprint(as_of: Timestamp, lines: &[(String, Line)]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(as_of.to_string());
    for (affiliate, Line { sum, .. }) in lines {
        digest.update(affiliate.len().to_be_bytes());
        digest.update(affiliate);
        digest.update(sum.count.to_be_bytes());
        digest.update(sum.amount.to_be_bytes());
    }
    digest.finalize().into()
}
