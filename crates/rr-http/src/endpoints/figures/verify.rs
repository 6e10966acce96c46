//! `GET /api/devops/verify`: everything computed again from the facts and compared.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use rr_domain::Timestamp;
use rr_store::Progress;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Administrator;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// What a verification found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerifyAnswer {
    /// `agrees` or `differs`.
    #[schema(example = "agrees")]
    status: &'static str,
    /// How many values were compared.
    compared: usize,
    faults: Vec<FaultLine>,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// The version of the ledger that was verified.
    seq: i64,
}

/// A value that is not what it should be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FaultLine {
    figure: String,
    group: Option<String>,
    /// What the facts say.
    expected: String,
    found: String,
}

/// Everything computed again from the facts and compared.
///
/// It reads every fact, beside everything else that goes on, and may take minutes. One at a time: while it
/// runs, another gets 503 with `Retry-After` and is told how far it is.
#[utoipa::path(get, path = "/api/devops/verify", operation_id = "verify", tag = "figures",
    responses((status = 200, description = "What was found", body = VerifyAnswer)))]
pub(crate) async fn get(_: Administrator, state: Data<AppState>) -> Outcome<HttpResponse> {
    let turn = state.verifications.begin().map_err(|Progress { done, of }| {
        let how_far = format!("A verification is running: {done} of {of} facts are compared.");
        Problem::new(Code::Busy).detail(how_far).retry_after(Duration::from_secs(10))
    })?;
    let now = state.now();
    let found = state.store.verify(now, |progress| turn.tell(progress)).await?;
    turn.ended(now, found.faults.len());
    let faults: Vec<FaultLine> = found
        .faults
        .into_iter()
        .map(|fault| FaultLine {
            figure: fault.figure,
            group: fault.group,
            expected: fault.expected,
            found: fault.found,
        })
        .collect();
    Ok(HttpResponse::Ok().json(VerifyAnswer {
        status: if faults.is_empty() { "agrees" } else { "differs" },
        compared: found.compared,
        faults,
        as_of: now,
        seq: found.seq,
    }))
}
