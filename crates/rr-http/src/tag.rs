//! Tags of answers: what is known already is not sent again.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use rr_store::Present;
use serde::Serialize;

use crate::format::Format;

/// The tag of an answer. A weak one: two answers with the same tag say the same, but for the instants that
/// follow from the clock: `as_of`, `timestamp`, `from` of a rate, and the end of a period that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    text: HeaderValue,
    tells_of_people: bool,
}

impl Tag {
    /// Of what was read of the past, in one of its forms: the ledger alone changes it. Nothing has to be read
    /// to know it.
    pub(crate) fn at(present: &Present, seq: i64, format: Format) -> Tag {
        Tag::new(&format!("{}-{seq}-{}", present.rebuilds, format.letter()))
    }

    /// Of what time moves too: the version of the ledger and a fingerprint of what is told. It costs the
    /// reading and no writing. The instant until which an answer holds would cost neither, but every server
    /// knows another (as far as it looked ahead), and where windows slide it is never further than a minute.
    pub(crate) fn of(present: &Present, seq: i64, told: &impl Hash) -> Tag {
        Tag::new(&format!("{}-{seq}-{:016x}", present.rebuilds, fingerprint(told)))
    }

    /// Of what the build alone changes.
    pub(crate) fn of_build(told: &impl Hash) -> Tag {
        Tag::new(&format!("{:016x}", fingerprint(told)))
    }

    /// Of an answer that names people, if it does: the caller may know it, and no browser keeps it.
    pub(crate) fn of_people(self, tells_of_people: bool) -> Tag {
        Tag { tells_of_people, ..self }
    }

    /// 304 for a caller that has this already, else what it wants as JSON.
    pub(crate) fn answer(&self, asked: &HeaderMap, body: &impl Serialize) -> HttpResponse {
        unchanged(asked, self).unwrap_or_else(|| tagged(self).json(body))
    }

    #[expect(clippy::expect_used, reason = "digits, letters and dashes may stand in a header")]
    fn new(text: &str) -> Tag {
        let text = HeaderValue::try_from(format!("W/\"{text}\"")).expect("visible ASCII");
        Tag { text, tells_of_people: false }
    }
}

/// Without a secret, so that all servers of one build come to the same.
fn fingerprint(told: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    told.hash(&mut hasher);
    hasher.finish()
}

/// 304 for a caller that has this already.
pub(crate) fn unchanged(asked: &HeaderMap, tag: &Tag) -> Option<HttpResponse> {
    let response = || HttpResponse::new(StatusCode::NOT_MODIFIED);
    has_tag(asked, &tag.text).then(|| with_tag(response(), tag))
}

/// This answer, with its tag.
pub(crate) fn with_tag(mut response: HttpResponse, tag: &Tag) -> HttpResponse {
    for (name, value) in tag_headers(tag) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// An answer with this tag.
pub(crate) fn tagged(tag: &Tag) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    for header in tag_headers(tag) {
        response.insert_header(header);
    }
    response
}

/// Kept by nobody but the caller, and only to be asked about again.
fn tag_headers(tag: &Tag) -> [(HeaderName, HeaderValue); 2] {
    // A copy: all workers would count the holders of a shared text in one place.
    let text = HeaderValue::from_bytes(tag.text.as_bytes()).unwrap_or_else(|_| tag.text.clone());
    let cache = if tag.tells_of_people { "no-store" } else { "private, no-cache" };
    let cache = HeaderValue::from_static(cache);
    [(header::ETAG, text), (header::CACHE_CONTROL, cache)]
}

/// `If-None-Match`, compared weakly (RFC 9110 §13.1.2). Most callers send none, and nothing is read for them.
fn has_tag(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || opaque(known) == tag.to_str().map_or("", opaque))
}

/// A tag without the mark of a weak one.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_and_compared_weakly() {
        let tag = HeaderValue::from_static("W/\"abc\"");
        for (sent, expected) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("\"x\"", false),
            ("abc", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(sent).unwrap());
            assert_eq!(has_tag(&headers, &tag), expected, "{sent}");
        }
        assert!(!has_tag(&HeaderMap::new(), &tag));
    }
}
