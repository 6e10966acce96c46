//! What every answer has, and how a failed one becomes a problem.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse};

use crate::exchange::Exchange;
use crate::problem::{Outcome, Problem};
use crate::request_id::{RequestId, X_REQUEST_ID};

/// Gives an answer what every answer has, and a failed one its problem.
pub(super) fn finish(
    answer: Outcome<HttpResponse>,
    exchange: &Exchange,
    https: bool,
) -> HttpResponse {
    let mut answer = answer.unwrap_or_else(HttpResponse::from_error);
    let problem = answer.error().map(|error| as_problem(error, answer.status()));
    if let Some(problem) = problem {
        let body = problem.body(exchange.id.as_str());
        *answer.status_mut() = problem.status();
        write_problem_headers(answer.headers_mut(), &problem);
        answer = answer.set_body(BoxBody::new(body));
    }
    let headers = answer.headers_mut();
    let caller = exchange.caller.borrow();
    if let Some(limits) = caller.as_ref().and_then(|caller| caller.limits.as_ref()) {
        put(headers, HeaderName::from_static("ratelimit"), &limits.rate_limit());
        put(headers, HeaderName::from_static("ratelimit-policy"), &limits.rate_limit_policy());
    }
    write_common_headers(headers, &exchange.id, https);
    answer
}

/// Our own problem, or what a failure of the framework's amounts to.
pub(super) fn as_problem(error: &Error, status: StatusCode) -> Problem {
    match error.as_error::<Problem>() {
        Some(problem) => problem.clone(),
        None => Problem::from_status(status),
    }
}

fn write_problem_headers(headers: &mut HeaderMap, problem: &Problem) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    problem.write_headers(headers);
}

/// Answers are data and nothing else: no page may run, frame, guess or keep them. What an endpoint
/// has set itself of `UNLESS_SET` (the docs page, the panel, figures with a tag) stays.
fn write_common_headers(headers: &mut HeaderMap, id: &RequestId, https: bool) {
    const fn text(value: &'static str) -> HeaderValue {
        HeaderValue::from_static(value)
    }
    const ALWAYS: [(HeaderName, HeaderValue); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, text("nosniff")),
        (header::X_FRAME_OPTIONS, text("DENY")),
        (header::REFERRER_POLICY, text("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), text("same-origin")),
        (HeaderName::from_static("cross-origin-resource-policy"), text("same-origin")),
    ];
    const UNLESS_SET: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_SECURITY_POLICY, text("default-src 'none'; frame-ancestors 'none'")),
        (header::CACHE_CONTROL, text("no-store")),
    ];
    // Without room for all, the map would grow and hash everything anew on the way.
    headers.reserve(ALWAYS.len() + UNLESS_SET.len() + 3);
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    for (name, value) in UNLESS_SET {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    put(headers, X_REQUEST_ID, id.as_str());
}

fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
