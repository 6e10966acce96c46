//! GitLab's `X-Gitlab-Token`: the secret itself, in place of a signature. It says nothing about the body, so it is
//! looked at for sources of GitLab's format alone, and where there is no signature.

use rr_domain::Timestamp;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::headers::Headers;
use crate::{Refusal, WebhookSecret};

const HEADER: &str = "x-gitlab-token";

/// The token of a request.
pub(super) fn read(headers: Headers<'_>) -> Result<Option<&[u8]>, Refusal> {
    headers.single(HEADER)
}

/// Checks that a token is one of the secrets. Digests are compared: they are of one length, and what they have in
/// common says nothing about what the texts have.
pub(super) fn check(
    token: &[u8],
    received_at: Timestamp,
    secrets: &[WebhookSecret],
) -> Result<(), Refusal> {
    let shown = Sha256::digest(token);
    let valid = secrets.iter().filter(|secret| secret.is_valid_at(received_at));
    let any = valid.filter_map(WebhookSecret::text_key).fold(Choice::from(0), |any, text| {
        any | shown.as_slice().ct_eq(Sha256::digest(text).as_slice())
    });
    if bool::from(any) { Ok(()) } else { Err(Refusal::TokenInvalid) }
}
