//! The id that ties an answer, a log line and a complaint together.

use std::fmt;

use actix_web::http::header::HeaderName;
use rr_domain::{Clock, Random, Timestamp, new_id};
use uuid::Uuid;

/// The header that carries it, both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id: the caller's own when it is sane, else a new one.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(String);

/// Where new ids come from.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds {
    clock: Clock,
    random: Random,
}

impl RequestId {
    /// The longest id that is taken over from a caller.
    const MAX: usize = 64;

    /// Takes an id that is safe to echo into headers, logs and JSON.
    pub fn parse(text: &str) -> Option<RequestId> {
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
        let fits = (1..=RequestId::MAX).contains(&text.len()) && text.bytes().all(sane);
        // A caller who puts its key into the wrong header must not find it in our log.
        (fits && !text.starts_with("rr_")).then(|| RequestId(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RequestIds {
    pub(crate) fn new(clock: Clock, random: Random) -> RequestIds {
        RequestIds { clock, random }
    }

    /// A new id.
    pub(crate) fn make(&self) -> RequestId {
        self.make_at(self.clock.now())
    }

    fn make_at(&self, now: Timestamp) -> RequestId {
        let id = new_id(now, &self.random).hyphenated();
        RequestId(id.encode_lower(&mut Uuid::encode_buffer()).to_owned())
    }

    /// The caller's id when it is sane, else a new one.
    pub(crate) fn take(&self, sent: Option<&str>, now: Timestamp) -> RequestId {
        sent.and_then(RequestId::parse).unwrap_or_else(|| self.make_at(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_are_taken_over() {
        let ids = RequestIds::new(Clock::new(|| Timestamp::EPOCH), Random::new(|b| b.fill(7)));
        for good in ["a", "018f2b5e-0000-7000-8000-000000000001", "trace/1:2.3", &"x".repeat(64)] {
            assert_eq!(ids.take(Some(good), Timestamp::EPOCH).as_str(), good);
        }
        let secret = concat!("rr_", "0123456789ABCDEFGHIJabcdefghij4Us3aw");
        for bad in ["", "a b", "a\"b", "é", "<script>", &"x".repeat(65), secret] {
            assert_ne!(ids.take(Some(bad), Timestamp::EPOCH).as_str(), bad);
        }
        assert_eq!(ids.take(None, Timestamp::EPOCH).as_str().len(), 36);
    }
}
