//! `GET /api/devops/metrics/{name}/explain`: the entries behind a figure, one after the other, with a running
//! total that ends at it.

use std::hash::Hash;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream;
use rr_domain::{Money, Timestamp};
use rr_sync::metrics::{Kind, Metric, Value};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::asked::Asked;
use super::place::{self, Place};
use super::walk::{Question, Step, Walk};
use super::{About, group, named};
use crate::auth::{Allowed, Permission, ReadMetrics};
use crate::format::{Format, lines};
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::seal::Seal;
use crate::state::AppState;
use crate::tag::Tag;

/// A figure and what it is made of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    #[serde(flatten)]
    head: Head,
    /// What follows `opening`, in the order of the dates.
    entries: Vec<Line>,
    next_cursor: Option<String>,
}

/// What is explained.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Head {
    #[serde(flatten)]
    about: About,
    /// Where the entries begin, if not with the first of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    from: Option<Timestamp>,
    /// The figure before the first of these entries.
    #[schema(value_type = f64)]
    opening: Value,
    /// The figure: the running total of the last entry of the last page.
    #[schema(value_type = f64)]
    total: Value,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The version of the ledger; all pages are of one.
    seq: i64,
}

/// An entry and what it does to the figure.
#[derive(Debug, Hash, Serialize, ToSchema)]
pub(crate) struct Line {
    /// From when on it counts.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The account of the ledger that it is booked on.
    #[schema(example = "subscriptions")]
    account: &'static str,
    /// The group within the account, such as tier and status.
    group: Vec<String>,
    /// What it adds to the group's count.
    count: i64,
    /// What it adds to the group's amount: of a subscription, its price of a year.
    #[schema(value_type = f64)]
    amount: Money,
    /// What it adds to the figure, rounded by itself.
    #[schema(value_type = f64)]
    adds: Value,
    /// The figure with it and all before it, exact and rounded once.
    #[schema(value_type = f64)]
    running: Value,
    /// The fact that brought it about, which belongs to a person: for callers with `read_users`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    fact: Option<Uuid>,
}

/// The entries behind a figure.
///
/// They add up from `opening` to `total`, which are exact. A figure that is a rate is made of others, which
/// can be explained; it can not.
#[utoipa::path(get, path = "/api/devops/metrics/{name}/explain", operation_id = "explain_metric", tag = "figures",
    params(
        ("name" = String, Path, description = "A stock or flow of `GET /api/devops/metrics`"),
        ("as_of" = Option<String>, Query, description = "All entries until this time (RFC 3339; now)"),
        ("from" = Option<String>, Query, description = "The entries of the period that begins at this time"),
        ("to" = Option<String>, Query, description = "The period ends before this time (now)"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Entries per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("format" = Option<String>, Query, description = "`json`, or `ndjson` for all at once, whatever `Accept` says")),
    responses(
        (status = 200, description = "A page of entries; as NDJSON a head, every entry, and a last line with `total`",
            content((Explanation = "application/json"), (String = "application/x-ndjson")),
            headers(("etag" = String, description = "Of a page: send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match"),
        (status = 404, description = "No figure has that name", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter makes no sense, or the figure is a rate; see `errors`", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn get(
    who: Allowed<ReadMetrics>,
    name: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let metric = named(&name)?;
    if metric.kind == Kind::Rate {
        return Err(is_rate(metric));
    }
    let names = ["as_of", "from", "to", "limit", "cursor", "format"];
    let query = Query::read(&request, &names)?;
    let now = state.now();
    let asked = Asked::read(&query, now)?;
    let with_facts = who.caller.may(Permission::ReadUsers);
    let present = state.store.present(now).await?;
    let rebuilds = present.rebuilds;
    let seal = place::seal(metric, asked, rebuilds);
    let question = Question { store: &state.store, metric, asked, rebuilds };
    let format = match Format::of(&request, &query)? {
        // What `Accept` would like best is a wish.
        Format::Csv if query.text("format")?.is_none() => Format::Json,
        format => format,
    };
    match (format, query.text("cursor")?) {
        (Format::Csv, _) => Err(Problem::unusable("format", "must be json or ndjson")),
        (Format::Ndjson, None) if query.text("limit")?.is_none() => {
            Ok(stream_of(question.begin(now).await?, with_facts))
        }
        (Format::Ndjson, _) => {
            Err(Problem::unusable("format", "ndjson is all at once, without limit and cursor"))
        }
        (Format::Json, cursor) => {
            let limit = usize::try_from(query.limit()?).unwrap_or(usize::MAX);
            let walk = match cursor {
                None => question.begin(now).await?,
                Some(text) => question.resume(&seal.open(&text, Place::of)?),
            };
            let page = page(walk, limit, with_facts, &seal).await?;
            let tag = Tag::of(&present, page.head.seq, &page.told()).of_people(with_facts);
            Ok(tag.answer(request.headers(), &page))
        }
    }
}

/// One page, and where the next one begins.
async fn page(mut walk: Walk, limit: usize, with_facts: bool, seal: &Seal) -> Outcome<Explanation> {
    /// So many reads at most: a figure that hardly any of its account's entries move gets shorter pages.
    const READS: u32 = 20;
    let head = Head::of(&walk);
    let mut steps = Vec::new();
    for _ in 0..READS {
        if steps.len() > limit || walk.is_over() {
            break;
        }
        steps.extend(walk.next().await?);
    }
    let place = match steps.get(limit) {
        Some(_) => steps.get(limit - 1).map(|last| walk.place_at(last)),
        None => walk.place(),
    };
    steps.truncate(limit);
    let entries = steps.iter().map(|step| Line::of(walk.metric, step, with_facts)).collect();
    let next_cursor = place.map(|place| seal.close(place.numbers()));
    Ok(Explanation { head, entries, next_cursor })
}

impl Explanation {
    /// What it says, but for the instants that follow from the clock.
    fn told(&self) -> impl Hash {
        let Head { about: _, from: _, opening, total, as_of: _, seq: _ } = &self.head;
        (opening, total, &self.entries, self.next_cursor.is_some())
    }
}

/// The last line of a stream. Without it the stream is not whole.
#[derive(Serialize)]
struct End {
    total: Value,
    entries: usize,
}

/// All entries, one a line, read as fast as they are taken.
fn stream_of(walk: Walk, with_facts: bool) -> HttpResponse {
    let head = lines([Head::of(&walk)]);
    let begin = (Some(walk), Some(head), 0);
    let body = stream::try_unfold(begin, move |(walk, head, mut told)| async move {
        if let Some(head) = head {
            return Ok(Some((Bytes::from(head?), (walk, None, told))));
        }
        let Some(mut walk) = walk else { return Ok(None) };
        let steps = walk.next().await?;
        told += steps.len();
        let mut text = lines(steps.iter().map(|step| Line::of(walk.metric, step, with_facts)))?;
        if !walk.is_over() {
            return Ok(Some((Bytes::from(text), (Some(walk), None, told))));
        }
        text.extend(lines([End { total: walk.metric.show(walk.total), entries: told }])?);
        Ok::<_, actix_web::Error>(Some((Bytes::from(text), (None, None, told))))
    });
    HttpResponse::Ok().content_type("application/x-ndjson").streaming(body)
}

impl Head {
    fn of(walk: &Walk) -> Head {
        let metric = walk.metric;
        Head {
            about: About::of(metric),
            from: walk.from,
            opening: metric.show(walk.running),
            total: metric.show(walk.total),
            as_of: walk.as_of,
            seq: walk.filter.seq,
        }
    }
}

impl Line {
    fn of(metric: &Metric, step: &Step, with_facts: bool) -> Line {
        let entry = &step.entry;
        Line {
            at: entry.at,
            account: entry.account.as_str(),
            group: group(&entry.group),
            count: entry.count,
            amount: Money::from_minor(entry.amount),
            adds: metric.show(step.adds),
            running: metric.show(step.running),
            fact: with_facts.then_some(entry.fact),
        }
    }
}

fn is_rate(metric: &Metric) -> Problem {
    let parts = metric.made_of.join(", ");
    Problem::unusable("name", &format!("is a rate, which is no sum of entries: explain {parts}"))
}
