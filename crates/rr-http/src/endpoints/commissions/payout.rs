//! `GET /api/devops/commissions/payout`: what is to be paid out to each affiliate, with a control total.

use std::hash::Hash;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream;
use rr_domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::payables::{Payable, Payables, Payout, Place};
use crate::auth::{Allowed, Permission, ReadUsers};
use crate::csv;
use crate::format::{Format, lines};
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::seal::{Seal, no_place};
use crate::state::AppState;
use crate::tag::Tag;

/// A page of affiliates.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayoutPage {
    #[serde(flatten)]
    head: Head,
    /// What is payable in all, as the ledger has it: the affiliates of all pages add up to it.
    control_total: Payout,
    affiliates: Vec<Line>,
    next_cursor: Option<String>,
}

/// Of when the payout is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Head {
    #[schema(value_type = String, example = "USD")]
    currency: &'static str,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The version of the ledger; all pages are of one.
    seq: i64,
}

/// What is payable to an affiliate.
#[derive(Debug, Hash, Serialize, ToSchema)]
pub(crate) struct Line {
    affiliate: String,
    #[serde(flatten)]
    payout: Payout,
}

/// What is to be paid out to each affiliate, by name.
///
/// The commissions whose hold has ended, net of what was taken back and paid out. The control total comes
/// from the ledger, the affiliates from the facts: a list whose end is there adds up to it. Also needs the
/// permission `read_metrics`.
#[utoipa::path(get, path = "/api/devops/commissions/payout", operation_id = "payout", tag = "figures",
    params(
        ("as_of" = Option<String>, Query, description = "What was payable at this time (RFC 3339; now)"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Affiliates per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("format" = Option<String>, Query,
            description = "`json`, or `csv` or `ndjson` for all at once, whatever `Accept` says")),
    responses(
        (status = 200, description = "A page of affiliates; as NDJSON a head, every affiliate, and a last line \
            with `control_total`; as CSV every affiliate, and a last row with the control total",
            content((PayoutPage = "application/json"), (String = "application/x-ndjson"), (String = "text/csv")),
            headers(("etag" = String, description = "Of a page: send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match"),
        (status = 422, description = "A parameter makes no sense; see `errors`", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn get(
    who: Allowed<ReadUsers>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    if !who.caller.may(Permission::ReadMetrics) {
        let name = Permission::ReadMetrics.name();
        return Err(Problem::missing_permission(name, vec![name.to_owned()]));
    }
    let query = Query::read(&request, &["as_of", "limit", "cursor", "format"])?;
    let now = state.now();
    let asked = query.past_instant("as_of", now)?;
    let at = asked.unwrap_or(now);
    let seal = Seal::of(asked.map_or("payout".to_owned(), |at| format!("payout at {at}")));
    let is_paged = query.text("limit")?.is_some() || query.text("cursor")?.is_some();
    match Format::of(&request, &query)? {
        Format::Json => {
            let limit = usize::try_from(query.limit()?).unwrap_or(usize::MAX);
            let present = state.store.present(now).await?;
            let payables = match query.text("cursor")? {
                None => Payables::begin(&state.store, at).await?,
                Some(text) => {
                    let place = seal.open(&text, Place::of)?;
                    Payables::resume(&state.store, place).await?.ok_or_else(no_place)?
                }
            };
            let page = page(payables, limit, &seal).await?;
            let tag = Tag::of(&present, page.head.seq, &page.told()).of_people(true);
            Ok(tag.answer(request.headers(), &page))
        }
        _ if is_paged => Err(Problem::unusable(
            "format",
            "csv and ndjson are all at once, without limit and cursor",
        )),
        form => Ok(stream_of(Payables::begin(&state.store, at).await?, form)),
    }
}

/// One page, and where the next one begins.
async fn page(mut payables: Payables, limit: usize, seal: &Seal) -> Outcome<PayoutPage> {
    /// So many reads, unless one affiliate alone takes more: where little is payable pages are shorter.
    const READS: u32 = 20;
    let (head, control_total) = (Head::of(&payables), Payout::of(payables.control));
    let begin = payables.place();
    let mut found = Vec::new();
    let mut reads = 0;
    while found.len() <= limit && !payables.is_over() {
        if reads >= READS && payables.place() != begin {
            break;
        }
        found.extend(payables.next().await?);
        reads += 1;
    }
    let place = match found.get(limit) {
        Some(_) => found.get(limit - 1).map(|last| payables.place_at(last)),
        None => payables.place(),
    };
    found.truncate(limit);
    let affiliates = found.into_iter().map(Line::of).collect();
    let next_cursor = place.map(|place| seal.close(place.numbers()));
    Ok(PayoutPage { head, control_total, affiliates, next_cursor })
}

impl PayoutPage {
    /// What it says, but for the instants that follow from the clock.
    fn told(&self) -> impl Hash {
        (&self.control_total, &self.affiliates, self.next_cursor.is_some())
    }
}

/// The last line of a stream. Without it the stream is not whole.
#[derive(Serialize)]
struct End {
    control_total: ControlTotal,
}

/// What all lines add up to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ControlTotal {
    pub(super) affiliates: usize,
    #[serde(flatten)]
    pub(super) payout: Payout,
}

/// All affiliates, one a line, read as fast as they are taken. Should they not add up, the answer breaks off.
fn stream_of(payables: Payables, form: Format) -> HttpResponse {
    let head = Head::of(&payables);
    let begin = (Some(payables), Some(first_line(head, form)), 0);
    let body = stream::try_unfold(begin, move |(payables, first, mut told)| async move {
        if let Some(first) = first {
            return Ok(Some((Bytes::from(first?), (payables, None, told))));
        }
        let Some(mut payables) = payables else { return Ok(None) };
        let found = payables.next().await?;
        told += found.len();
        let mut text = text_of(head, found, form)?;
        if !payables.is_over() {
            return Ok(Some((Bytes::from(text), (Some(payables), None, told))));
        }
        text.extend(last_line(head, told, Payout::of(payables.control), form)?);
        Ok::<_, actix_web::Error>(Some((Bytes::from(text), (None, None, told))))
    });
    let mut response = HttpResponse::Ok();
    match form {
        Format::Csv => csv::attach(&mut response, "payout"),
        _ => response.content_type("application/x-ndjson"),
    };
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    response.streaming(body)
}

fn first_line(head: Head, form: Format) -> Outcome<Vec<u8>> {
    const NAMES: [&str; 7] =
        ["line", "affiliate", "commissions", "amount", "currency", "as_of", "seq"];
    match form {
        Format::Csv => Ok(csv::row(NAMES).into_bytes()),
        _ => lines([head]),
    }
}

fn text_of(head: Head, found: Vec<Payable>, form: Format) -> Outcome<Vec<u8>> {
    let found = found.into_iter().map(Line::of);
    match form {
        Format::Csv => Ok(found
            .map(|line| csv_row(head, "affiliate", &line.affiliate, &line.payout))
            .collect::<String>()
            .into_bytes()),
        _ => lines(found),
    }
}

fn last_line(head: Head, affiliates: usize, payout: Payout, form: Format) -> Outcome<Vec<u8>> {
    match form {
        Format::Csv => Ok(csv_row(head, "control_total", "", &payout).into_bytes()),
        _ => lines([End { control_total: ControlTotal { affiliates, payout } }]),
    }
}

fn csv_row(head: Head, kind: &str, affiliate: &str, payout: &Payout) -> String {
    let [commissions, amount] = payout.cells();
    let (as_of, seq) = (head.as_of.to_string(), head.seq.to_string());
    csv::row([kind, affiliate, &commissions, &amount, head.currency, &as_of, &seq])
}

impl Head {
    fn of(payables: &Payables) -> Head {
        Head { currency: rr_sync::CURRENCY, as_of: payables.as_of, seq: payables.seq }
    }
}

impl Line {
    fn of(one: Payable) -> Line {
        Line { affiliate: one.affiliate, payout: Payout::of(one.sum) }
    }
}
