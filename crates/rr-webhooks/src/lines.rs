//! A batch of lines: each an event of its own, taken or refused by itself.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::accept::{authenticate, request_ids};
use crate::event::Event;
use crate::formats::{Source, read_line};
use crate::headers::Headers;
use crate::media::Media;
use crate::{Incoming, Policy, Refusal};

/// The most lines that one request may bring.
pub const MOST_LINES: usize = 1_000;

/// A line that is not empty.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// Its number, from 1, empty ones counted.
    pub number: usize,
    /// The line as it came.
    pub text: &'a [u8],
    /// What it is.
    pub event: Result<Event, Refusal>,
}

/// Reads a body of JSON objects, one a line; each is a CloudEvent in its structured form or free
/// form. The whole is refused for its signature, its type, or when it holds no line or too many.
///
/// The ids of the request stand for every line together with its number, so that a batch that is
/// sent again, whole, stores nothing twice.
pub fn accept_lines<'a>(
    incoming: &Incoming<'a>,
    policy: &Policy<'_>,
) -> Result<Vec<Line<'a>>, Refusal> {
    authenticate(incoming, policy)?;
    let headers = Headers(incoming.headers);
    Media::lines(headers)?;
    let whole = request_ids(headers, incoming.key_id, || [0; 32])?;
    let numbered = (1..).zip(incoming.body.split(|byte| *byte == b'\n'));
    let texts: Vec<(usize, &[u8])> = numbered
        .map(|(number, text)| (number, text.trim_ascii()))
        .filter(|(_, text)| !text.is_empty())
        .take(MOST_LINES + 1)
        .collect();
    if texts.is_empty() || texts.len() > MOST_LINES {
        return Err(Refusal::member("", "must hold 1 to 1000 lines"));
    }
    let read = |(number, text): (usize, &'a [u8])| {
        let mut event = line(text, incoming.key_id, policy);
        if let Ok(event) = &mut event {
            let fingerprint = Sha256::digest(text).into();
            let mut ids = whole.clone();
            for id in &mut ids {
                id.key = format!("{}#{number}", id.key);
                id.fingerprint = fingerprint;
            }
            event.dedupe.splice(0..0, ids);
        }
        Line { number, text, event }
    };
    Ok(texts.into_iter().map(read).collect())
}

fn line(body: &[u8], key_id: Uuid, policy: &Policy<'_>) -> Result<Event, Refusal> {
    if body.len() > policy.max_bytes {
        return Err(Refusal::TooLarge { limit: policy.max_bytes });
    }
    let (headers, media) = (Headers(&[]), &Media::line());
    read_line(Source { headers, media, body, key_id }, policy.format)
}
