//! What happens around every request: its id, its line in the log, its place in the metrics, the
//! security headers of its answer, and a problem for every way in which it can fail.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use bytes::Bytes;
use futures_util::FutureExt;
use uuid::Uuid;

use crate::codes::Code;
use crate::connection::{Activity, Serving};
use crate::exchange::Exchange;
use crate::host::check_host;
use crate::metrics::RequestLabels;
use crate::problem::{Outcome, Problem};
use crate::request_id::RequestId;
use crate::routes::Place;
use crate::settings::HttpSettings;
use crate::state::AppState;

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

/// Runs one request.
pub(crate) async fn frame<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Tracked>, Error> {
    let started = Instant::now();
    let state = request.app_data::<Data<AppState>>().map(|state| Arc::clone(state));
    let Some(state) = state else {
        return Err(Problem::new(Code::Internal).into());
    };
    let exchange = Exchange::new(state.request_ids.take(sent_id(request.headers())));
    let method = method_name(request.method());
    let activity = request.conn_data::<Rc<Activity>>().cloned();
    let serving = activity.as_ref().map(|activity| {
        activity.keep_exchange(&exchange);
        activity.serve(has_body(request.headers()), request.head().expect())
    });

    let answered = match check_head(&request, &state.settings) {
        Err(problem) => Ok(Ok(request.error_response(problem))),
        // A panic takes down one request and not the worker that serves many.
        Ok(()) => AssertUnwindSafe(next.call(request))
            .catch_unwind()
            .await
            .map(|answer| answer.map(ServiceResponse::map_into_boxed_body)),
    };
    let answered = answered.unwrap_or_else(|_| Err(Problem::new(Code::Internal).into()));
    let https = state.settings.is_https();
    match answered {
        Ok(answer) => {
            let mut answer = finish(answer, &exchange, https);
            if activity.is_some_and(|activity| activity.was_never_asked()) {
                // The client may send the body all the same: nobody could tell it from a request.
                answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            note(&state, method, Some(answer.request()), answer.status(), &exchange, started);
            Ok(answer.map_body(|_, inner| Tracked { inner, _serving: serving }))
        }
        Err(error) => {
            let problem = as_problem(&error, error.as_response_error().status_code());
            note(&state, method, None, problem.status(), &exchange, started);
            Err(Last { problem, id: exchange.id.clone(), https }.into())
        }
    }
}

fn sent_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(&X_REQUEST_ID)?.to_str().ok()
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

/// A method as a label: names that nobody defined must not fill the metrics.
fn method_name(method: &Method) -> &'static str {
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

fn check_head(request: &ServiceRequest, settings: &HttpSettings) -> Outcome<()> {
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

/// Gives an answer what every answer has, and a failed one its problem.
fn finish(
    mut answer: ServiceResponse<BoxBody>,
    exchange: &Exchange,
    https: bool,
) -> ServiceResponse<BoxBody> {
    let problem = answer.response().error().map(|error| as_problem(error, answer.status()));
    if let Some(problem) = problem {
        let body = problem.body(exchange.id.as_str());
        *answer.response_mut().status_mut() = problem.status();
        write_problem_headers(answer.headers_mut(), &problem);
        answer = answer.map_body(|_, _| BoxBody::new(body));
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
fn as_problem(error: &Error, status: StatusCode) -> Problem {
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

/// One line in the log, one more in the metrics.
fn note(
    state: &AppState,
    method: &'static str,
    request: Option<&HttpRequest>,
    status: StatusCode,
    exchange: &Exchange,
    started: Instant,
) {
    let took = started.elapsed();
    let place = request.and_then(|request| request.app_data::<Place>());
    let route = place.map_or_else(|| route_without_place(request), |place| place.path);
    let labels = RequestLabels { method, route, status: status.as_u16() };
    state.metrics.answered(place.map(|place| &place.counters), labels, took);
    let caller = exchange.caller.borrow();
    let mut text = Uuid::encode_buffer();
    let (is_key, id) = match &*caller {
        Some(caller) => (caller.is_key, Some(&*caller.id.hyphenated().encode_lower(&mut text))),
        None => (false, None),
    };
    tracing::info!(
        target: "rr_http::request",
        method,
        route,
        status = status.as_u16(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        key = id.filter(|_| is_key),
        user = id.filter(|_| !is_key),
        request_id = exchange.id.as_str(),
        "request"
    );
}

/// The pattern and never the path: a path may carry anything, and there is no end of paths.
fn route_without_place(request: Option<&HttpRequest>) -> &'static str {
    match request {
        Some(request) if request.path().starts_with("/admin") => "/admin",
        Some(_) => "unmatched",
        None => "panic",
    }
}

/// The answer when nothing is left that could carry one: a panic, or a middleware that failed.
#[derive(Debug)]
struct Last {
    problem: Problem,
    id: RequestId,
    https: bool,
}

impl std::fmt::Display for Last {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for Last {
    fn status_code(&self) -> StatusCode {
        self.problem.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response =
            HttpResponse::build(self.problem.status()).body(self.problem.body(self.id.as_str()));
        let headers = response.headers_mut();
        write_problem_headers(headers, &self.problem);
        write_common_headers(headers, &self.id, self.https);
        response
    }
}

/// A body that tells its connection when the last byte of it is out.
pub(crate) struct Tracked {
    inner: BoxBody,
    _serving: Option<Serving>,
}

impl MessageBody for Tracked {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().inner).poll_next(cx)
    }
}
