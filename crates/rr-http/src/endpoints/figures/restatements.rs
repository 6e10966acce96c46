//! `GET /api/devops/restatements`: what late facts moved in the past.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::{Money, Timestamp};
use rr_store::Restatement;
use rr_sync::ledger::Account;
use rr_sync::metrics::METRICS;
use serde::Serialize;
use utoipa::ToSchema;

use super::group;
use crate::auth::{Allowed, Permission, ReadMetrics};
use crate::problem::Outcome;
use crate::query::Query;
use crate::state::AppState;
use crate::tag::{Tag, unchanged};

/// A page of restatements.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestatementList {
    restatements: Vec<Restated>,
    next_cursor: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The version of the ledger that the list was read from.
    seq: i64,
}

/// What one write moved in one group of an account. Entries dated more than a minute before they were
/// recorded did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Restated {
    /// The version of the ledger that the write made.
    seq: i64,
    #[schema(example = "revenue")]
    account: &'static str,
    /// The group within the account. An affiliate's name is left out for callers without `read_users`.
    group: Option<Vec<String>>,
    /// The figures that this group is a part of.
    metrics: Vec<&'static str>,
    /// From when on they are others: the first date of what moved.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The last date of what moved.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// By how many, all dates together.
    count: i64,
    /// By how much, all dates together; of subscriptions and their movements, in a year.
    #[schema(value_type = f64)]
    amount: Money,
    /// What was added.
    gained: Part,
    /// What was taken away: something that only changed its date is in both.
    lost: Part,
    /// Because of so many facts.
    facts: i64,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
}

/// One direction of what moved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Part {
    count: i64,
    #[schema(value_type = f64)]
    amount: Money,
}

/// What late facts moved in the past, newest first.
#[utoipa::path(get, path = "/api/devops/restatements", operation_id = "list_restatements", tag = "figures",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Restatements per page (50)"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses(
        (status = 200, description = "A page of restatements", body = RestatementList,
            headers(("etag" = String, description = "Send it back in If-None-Match"))),
        (status = 304, description = "Unchanged since If-None-Match")))]
pub(crate) async fn get(
    who: Allowed<ReadMetrics>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["limit", "cursor"])?;
    let wanted = query.page()?;
    let with_names = who.caller.may(Permission::ReadUsers);
    let now = state.now();
    let present = state.store.present(now).await?;
    // The ledger alone makes the list longer, and who asks decides about the names.
    let tag_of = |seq| Tag::of(&present, seq, &with_names).of_people(with_names);
    if let Some(response) = unchanged(request.headers(), &tag_of(present.seq)) {
        return Ok(response);
    }
    let (seq, page) = state.store.restatements(wanted).await?;
    let list = RestatementList {
        restatements: page.items.into_iter().map(|row| Restated::of(row, with_names)).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
        as_of: now,
        seq,
    };
    Ok(tag_of(seq).answer(request.headers(), &list))
}

impl Restated {
    fn of(row: Restatement, with_names: bool) -> Restated {
        let metrics = METRICS.iter().filter(|metric| metric.takes(row.account, &row.group));
        let is_shown = with_names || row.account != Account::Affiliates;
        Restated {
            seq: row.seq,
            account: row.account.as_str(),
            group: is_shown.then(|| group(&row.group)),
            metrics: metrics.map(|metric| metric.name).collect(),
            from: row.since,
            until: row.until,
            count: row.count,
            amount: Money::from_minor(row.amount),
            gained: Part::of(row.gained.count, row.gained.amount),
            lost: Part::of(row.gained.count - row.count, row.gained.amount - row.amount),
            facts: row.facts,
            recorded_at: row.recorded_at,
        }
    }
}

impl Part {
    fn of(count: i64, amount: i64) -> Self {
        Self { count, amount: Money::from_minor(amount) }
    }
}
