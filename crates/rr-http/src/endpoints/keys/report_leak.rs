//! `POST /api/devops/keys/report-leak`: a secret became public.
//!
//! Whoever holds a secret may report it, and knowing it is the proof. So that nobody learns here
//! which keys exist, whoever shows no credential gets one answer for all secrets, at one time.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_store::Actor;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::github_alerts;
use super::view::Key;
use crate::auth::{Caller, ManageKeys, address_of, perhaps_allowed};
use crate::body::Body;
use crate::codes::Code;
use crate::leaks::{self, Finding, LONGEST_URL};
use crate::openapi::{LeakAnswer, LeakBody};
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// An anonymous report is answered this long after it was read: longer than the writing takes that
/// only a secret of ours causes.
const ANSWERED_AFTER: Duration = Duration::from_millis(100);

/// A secret that became public.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeakForm {
    /// The whole secret.
    #[schema(min_length = 1, max_length = 256, format = Password)]
    secret: String,
    /// Where it was found.
    #[schema(max_length = 2_048)]
    url: Option<String>,
}

/// The report was taken.
#[derive(Serialize, ToSchema)]
pub(crate) struct LeakReceipt {
    #[schema(example = "received")]
    status: &'static str,
    /// The key, or null for a secret that no key has had. Only for an administrator or a key with
    /// `manage_keys`.
    #[schema(value_type = Option<Key>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Option<Key>>,
}

/// Reports a secret that became public. No credential is needed: whoever knows the secret may
/// report it. The secret ends at once, and if it is the newest of its key, the key is disabled;
/// under the policy `notify` it is only marked. Reporting it again changes nothing.
///
/// GitHub's secret scanning sends its alerts here too, signed, and gets its own kind of answer.
#[utoipa::path(post, path = "/api/devops/keys/report-leak", operation_id = "report_leak", tag = "keys",
    request_body = LeakBody,
    params(
        ("github-public-key-identifier" = Option<String>, Header, description = "Which of its keys GitHub signed with"),
        ("github-public-key-signature" = Option<String>, Header, description = "GitHub's signature of the body")),
    responses(
        (status = 200, description = "Taken; the same for every secret, unless the caller may manage keys", body = LeakAnswer),
        (status = 401, description = "A credential or signature that is not valid", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many reports; see Retry-After", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "Temporary trouble, or a GitHub alert on a server without GitHub's keys",
            body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn post(
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    if github_alerts::is_signed(&request) {
        return github_alerts::take_in(&request, &state, body).await;
    }
    let caller = perhaps_allowed::<ManageKeys>(&request).await?;
    let finding = finding(body.json().await?)?;
    let key = match caller {
        Some(caller) => Some(report_as(&caller, finding, &request, &state).await?),
        None => {
            report_as_anyone(finding, &request, &state).await?;
            None
        }
    };
    Ok(HttpResponse::Ok().json(LeakReceipt { status: "received", key }))
}

async fn report_as(
    caller: &Caller,
    finding: Finding,
    request: &HttpRequest,
    state: &Data<AppState>,
) -> Outcome<Option<Key>> {
    let audit = state.audit(caller, request);
    let whose = leaks::report(state, &[finding], audit).await?;
    let Some(Some(key_id)) = whose.first() else { return Ok(None) };
    Ok(state.store.key(*key_id).await?.map(|row| Key::of(row, state.now())))
}

async fn report_as_anyone(
    finding: Finding,
    request: &HttpRequest,
    state: &Data<AppState>,
) -> Outcome<()> {
    let answer_at = Instant::now() + ANSWERED_AFTER;
    brake(request, state)?;
    leaks::report(state, &[finding], state.audit_of(Actor::Anyone, request)).await?;
    sleep_until(answer_at).await;
    Ok(())
}

/// Counts every report alike: to forgive the right ones would tell which those are.
fn brake(request: &HttpRequest, state: &AppState) -> Outcome<()> {
    let attempt = state.report_throttle.report(address_of(state, request), state.now());
    attempt.map_err(|wait| Problem::new(Code::TooManyAttempts).retry_after(wait))?;
    Ok(())
}

fn finding(form: LeakForm) -> Outcome<Finding> {
    let secret = Zeroizing::new(form.secret);
    if !(1..=256).contains(&secret.len()) {
        return Err(Problem::field("/secret", "must have 1 to 256 bytes"));
    }
    let fits = |url: &str| url.len() <= LONGEST_URL && !url.chars().any(char::is_control);
    match form.url.as_deref() {
        Some(url) if !fits(url) => {
            Err(Problem::field("/url", "must have at most 2048 bytes, without control characters"))
        }
        _ => Ok(Finding { secret, url: form.url }),
    }
}
