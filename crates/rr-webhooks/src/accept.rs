//! The decision: is this request an event, and which.

use rr_domain::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::event::{Dedupe, Event};
use crate::formats::{Format, Source, is_binary, read};
use crate::headers::Headers;
use crate::media::Media;
use crate::signature::prove;
use crate::{Refusal, WebhookSecret};

/// A request as it arrived, authorised by a key but not yet believed.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Its header fields, names in any case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Its body, byte for byte.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: Timestamp,
    /// The key that authorised it; an id chosen by one sender means nothing to another.
    pub key_id: Uuid,
}

/// What this installation asks of a webhook.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The secrets it may be signed with; none: it need not be signed.
    pub secrets: &'a [WebhookSecret],
    /// The longest body in bytes; of a batch of lines, the longest line.
    pub max_bytes: usize,
    /// What is taken; everything else is refused.
    pub format: Format,
}

/// Decides whether a request is an event, or several (a batch of CloudEvents, which may hold none, a group of
/// alerts), in the order of the body. The ids of the request as a whole are the first one's.
///
/// In this order: the size, the signature over the bytes as they came, the declared type, strict
/// JSON, and only then what the body says.
pub fn accept(incoming: &Incoming<'_>, policy: &Policy<'_>) -> Result<Vec<Event>, Refusal> {
    let Incoming { body, key_id, .. } = *incoming;
    if body.len() > policy.max_bytes {
        return Err(Refusal::TooLarge { limit: policy.max_bytes });
    }
    authenticate(incoming, policy)?;
    let headers = Headers(incoming.headers);
    let ids = request_ids(headers, key_id, || Sha256::digest(body).into())?;
    let media = match (is_binary(headers), headers.id("x-github-event")?) {
        (true, _) => Media::of_data(headers),
        (false, Some(_)) => Media::of_github(headers),
        (false, None) => Media::read(headers),
    }?;
    let mut events = read(Source { headers, media: &media, body, key_id }, policy.format)?;
    if let Some(first) = events.first_mut() {
        first.dedupe.splice(0..0, ids);
    }
    Ok(events)
}

/// The signature, where one is asked for.
pub(crate) fn authenticate(incoming: &Incoming<'_>, policy: &Policy<'_>) -> Result<(), Refusal> {
    if policy.secrets.is_empty() { Ok(()) } else { prove(incoming, policy) }
}

/// The ids of the request as a whole. One does not stand in for the other: `webhook-id` is signed
/// and `Idempotency-Key` is not, so a new key must not make a captured request new. Most requests have
/// none, so `fingerprint` is worked out where an id asks for it.
pub(crate) fn request_ids(
    headers: Headers<'_>,
    key_id: Uuid,
    fingerprint: impl Fn() -> [u8; 32],
) -> Result<Vec<Dedupe>, Refusal> {
    let mut ids = Vec::new();
    for (header, scope) in
        [("idempotency-key", "idempotency"), ("webhook-id", "webhook-id"), ("svix-id", "svix-id")]
    {
        if let Some(id) = headers.id(header)? {
            ids.push(Dedupe {
                scope: format!("{scope}/{key_id}"),
                key: id.to_owned(),
                fingerprint: fingerprint(),
            });
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests;
