//! What the frame reads off the head of a request.

use actix_http::Request;
use actix_web::HttpMessage as _;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::codes::Code;
use crate::host::check_host;
use crate::problem::{Outcome, Problem};
use crate::request_id::X_REQUEST_ID;
use crate::settings::HttpSettings;

/// Headers that decide who may do what, or how a request is read. Sent twice, one party might
/// believe the first and another the second.
static ONCE: [HeaderName; 9] = [
    header::HOST,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::ORIGIN,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("webhook-id"),
    HeaderName::from_static("sec-fetch-site"),
];

/// The id that the caller gave to the request.
pub(super) fn sent_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(&X_REQUEST_ID)?.to_str().ok()
}

/// Whether a body comes behind the head.
pub(super) fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

/// A method as a label: names that nobody defined must not fill the metrics.
pub(super) fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Refuses a head that is too large, that two parties could read differently, or that is not for us.
pub(super) fn check_head(request: &Request, settings: &HttpSettings) -> Outcome<()> {
    let (headers, uri) = (request.headers(), request.uri());
    let line = uri.path().len() + uri.query().map_or(0, str::len);
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    if line + bytes.sum::<usize>() > settings.limits.head_bytes {
        return Err(Problem::new(Code::HeadersTooLarge));
    }
    // Mostly nothing at all appears twice, and no name need be looked for.
    let is_repeated = |name: &&HeaderName| headers.get_all(*name).nth(1).is_some();
    let some_repeat = headers.len() > headers.len_keys();
    match ONCE.iter().find(|name| some_repeat && is_repeated(name)) {
        None => check_host(headers, uri, &settings.hosts),
        Some(name) => {
            let detail = format!("The header {name} appears more than once.");
            Err(Problem::new(Code::RepeatedHeader).detail(detail))
        }
    }
}
