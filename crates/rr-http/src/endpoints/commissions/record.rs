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
    /// `seq` of the list: what it knew.
    seq: i64,
    /// Those of its lines that were paid, as they are.
    #[schema(max_items = 1_000)]
    affiliates: Vec<PaidLine>,
}

/// A line of the list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaidLine {
    affiliate: String,
    #[schema(minimum = 0, maximum = 20_000)]
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
/// Every line has to be what the list says was payable to its affiliate, and nothing of it may have been recorded as
/// paid that the list did not know of, or nothing is recorded. The payout is dated at `as_of`, so that the list of that
/// instant holds nothing more of it. With an `Idempotency-Key` a repeat gets the first answer again; without one it is
/// refused, for it is paid.
#[utoipa::path(post, path = "/api/devops/commissions/payout", operation_id = "record_payout", tag = "figures",
    request_body = PaidOut,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repeat harmless")),
    responses(
        (status = 200, description = "It is recorded", body = RecordedPayout),
        (status = 409, description = "The list says something else, or some of it was paid since, see `errors`; or this \
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
    let seq = sent.seq;
    if !(0..=state.store.facts_version().await?).contains(&seq) {
        return Err(Problem::field("/seq", "is that of no list"));
    }
    let lines = lines(sent.affiliates)?;
    let once = once.map(|key| Idempotency {
        scope: format!("payout/{}", who.caller.id()),
        key,
        fingerprint: fingerprint(as_of, seq, &lines),
    });
    let affiliates = lines.len();
    let mut all = Sum::default();
    for (_, line) in &lines {
        all += line.sum;
    }
    let places: Vec<usize> = lines.iter().map(|(_, line)| line.place).collect();
    let lines = lines.into_iter().map(|(affiliate, line)| (affiliate, line.sum)).collect();
    let payout = NewPayout { id: new_id(audit.at, &state.random), as_of, seq, lines };
    let payout_id = match state.store.pay_out(payout, once, audit).await? {
        PayOut::Recorded(id) | PayOut::Repeated(id) => id,
        PayOut::Conflict => return Err(Problem::new(Code::IdempotencyConflict)),
        PayOut::Differs(line) => {
            let place = places.get(line).map_or(String::new(), |place| format!("/{place}"));
            let problem = Problem::field(
                &format!("/affiliates{place}"),
                "is not what that list says; ask for the list again",
            );
            return Err(problem.under(Code::Conflict));
        }
        PayOut::PaidSince => {
            let problem = Problem::field(
                "/affiliates",
                "has something that was paid since; ask for the list again",
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
    /// As many as are recorded at once.
    const COMMISSIONS: std::ops::RangeInclusive<i64> = 0..=20_000;
    if sent.len() > MOST {
        return Err(Problem::field("/affiliates", "may have at most 1000 entries"));
    }
    let mut lines = Vec::with_capacity(sent.len());
    for (place, PaidLine { affiliate, commissions, amount }) in sent.into_iter().enumerate() {
        if !COMMISSIONS.contains(&commissions) {
            let pointer = format!("/affiliates/{place}/commissions");
            return Err(Problem::field(&pointer, "must be 0 to 20000"));
        }
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
fn fingerprint(as_of: Timestamp, seq: i64, lines: &[(String, Line)]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(as_of.to_string());
    digest.update(seq.to_be_bytes());
    for (affiliate, Line { sum, .. }) in lines {
        digest.update(affiliate.len().to_be_bytes());
        digest.update(affiliate);
        digest.update(sum.count.to_be_bytes());
        digest.update(sum.amount.to_be_bytes());
    }
    digest.finalize().into()
}
