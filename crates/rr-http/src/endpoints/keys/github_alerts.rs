//! GitHub's secret-scanning alerts: many secrets at once, signed by GitHub, which is told of each
//! whether it is one of ours.

use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_store::Actor;
use rr_webhooks::{AlertRefusal, SecretAlert};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::auth::address_of;
use crate::body::Body;
use crate::codes::Code;
use crate::leaks::{self, Finding, LONGEST_URL};
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

const KEY: HeaderName = HeaderName::from_static("github-public-key-identifier");
const SIGNATURE: HeaderName = HeaderName::from_static("github-public-key-signature");

/// What became of one token, as GitHub asks for it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenFeedback {
    /// SHA-256 of the token, in hexadecimal.
    token_hash: String,
    token_type: String,
    label: TokenLabel,
}

/// Whether a token is one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenLabel {
    /// A key has, or had, this secret.
    TruePositive,
    /// It was never issued here.
    FalsePositive,
}

/// Whether the request means to come from GitHub.
pub(super) fn is_signed(request: &HttpRequest) -> bool {
    [KEY, SIGNATURE].iter().any(|name| request.headers().contains_key(name))
}

/// Takes the alerts of a request that GitHub has signed.
pub(super) async fn take_in(
    request: &HttpRequest,
    state: &Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let keys = state.settings.github_keys.as_ref();
    let keys = keys.ok_or_else(|| Problem::new(Code::GithubAlertsUnavailable))?;
    let attempt = state
        .report_throttle
        .report(address_of(state, request), state.now())
        .map_err(|wait| Problem::new(Code::TooManyAttempts).retry_after(wait))?;
    let body = body.bytes(state.settings.webhook_max_bytes).await?;
    let keys = keys.keys(state.now()).await;
    let header = |name| request.headers().get(name).map(|value| value.as_bytes());
    let alerts = keys.alerts(header(KEY), header(SIGNATURE), &body).map_err(refused)?;
    state.report_throttle.succeeded(&attempt);

    let findings: Vec<Finding> = alerts.iter().map(finding).collect();
    let whose = leaks::report(state, &findings, state.audit_of(Actor::Github, request)).await?;
    let feedback = alerts.into_iter().zip(whose).map(|(alert, key)| TokenFeedback {
        token_hash: sha256_hex(&alert.token),
        token_type: alert.token_type,
        label: if key.is_some() { TokenLabel::TruePositive } else { TokenLabel::FalsePositive },
    });
    Ok(HttpResponse::Ok().json(feedback.collect::<Vec<_>>()))
}

/// GitHub's word is taken as it comes; only what could not be shown is left out.
fn finding(alert: &SecretAlert) -> Finding {
    let url = alert.url.as_deref().unwrap_or_default();
    let mut shown: String = url.chars().filter(|c| !c.is_control()).collect();
    shown.truncate(shown.floor_char_boundary(LONGEST_URL));
    Finding { secret: Zeroizing::new(alert.token.clone()), url: Some(shown) }
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused(refusal: AlertRefusal) -> Problem {
    match refusal {
        AlertRefusal::Unsigned => Problem::new(Code::SignatureMissing)
            .detail("GitHub's alerts carry both a key identifier and a signature."),
        AlertRefusal::UnknownKey => Problem::new(Code::SignatureInvalid)
            .detail("The signature was made with no current key of GitHub that this server knows."),
        AlertRefusal::Signature => {
            Problem::new(Code::SignatureInvalid).detail("The signature does not match the body.")
        }
        AlertRefusal::Json(_) => Problem::new(Code::InvalidJson),
        AlertRefusal::Form => Problem::field("", "must be a list of alerts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_code() {
        let fault = rr_webhooks::check_json(b"{", rr_webhooks::JsonLimits::default()).unwrap_err();
        for (refusal, status, code) in [
            (AlertRefusal::Unsigned, 401, "signature_missing"),
            (AlertRefusal::UnknownKey, 401, "signature_invalid"),
            (AlertRefusal::Signature, 401, "signature_invalid"),
            (AlertRefusal::Json(fault), 400, "invalid_json"),
            (AlertRefusal::Form, 422, "invalid_body"),
        ] {
            let problem = refused(refusal);
            assert_eq!((problem.status().as_u16(), problem.code().name()), (status, code));
        }
    }
}
