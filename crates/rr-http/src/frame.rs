//! What happens around every request: its id, its line in the log, its place in the metrics, the
//! security headers of its answer, and a problem for every way in which it can fail.

mod answer;
mod head;

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_http::{Request, Response};
use actix_service::Service;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::ConnectionType;
use actix_web::http::StatusCode;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::Either;
use rr_domain::Timestamp;
use uuid::Uuid;

use answer::{as_problem, finish};
use head::{check_head, has_body, method_name, sent_id};

use crate::codes::Code;
use crate::connection::{Activity, Serving};
use crate::exchange::Exchange;
use crate::problem::{Outcome, Problem};
use crate::routes::Place;
use crate::short_way::ShortWay;
use crate::state::AppState;
use crate::traffic::{Counters, RequestLabels};

/// Runs one request: what can be answered at once is, all else is for the application.
pub(crate) fn frame<S, B>(
    request: Request,
    app: &S,
    worker: &Rc<Worker>,
) -> impl Future<Output = Result<Response<Tracked>, Error>> + use<S, B>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    let turn = Turn::begin(&request, worker);
    if let Err(problem) = check_head(&request, &worker.state.settings) {
        return Either::Left(ready(Ok(turn.end(Err(problem), Went::astray(request.path())))));
    }
    // A panic takes down one request and not those that its connection or worker still has to serve.
    let short = || worker.short_way.answer(&worker.state, &request, &turn);
    match catch_unwind(AssertUnwindSafe(short)) {
        Ok(Some((place, answer))) => {
            return Either::Left(ready(Ok(turn.end(answer, Went::to(place)))));
        }
        Ok(None) => {}
        Err(_) => return Either::Left(ready(Ok(turn.end(Err(internal()), Went::DOWN)))),
    }
    let answering = AssertUnwindSafe(app.call(request)).catch_unwind();
    Either::Right(async move {
        Ok(match answering.await {
            Ok(Ok(answer)) => {
                let (request, answer) = answer.into_parts();
                let place = request.app_data::<Place>();
                let went = place.map_or_else(|| Went::astray(request.path()), Went::to);
                turn.end(Ok(answer.map_into_boxed_body()), went)
            }
            Ok(Err(error)) => {
                let problem = as_problem(&error, error.as_response_error().status_code());
                turn.end(Err(problem), Went::DOWN)
            }
            Err(_) => turn.end(Err(internal()), Went::DOWN),
        })
    })
}

fn internal() -> Problem {
    Problem::new(Code::Internal)
}

/// What one worker keeps beside the application.
pub(crate) struct Worker {
    state: Arc<AppState>,
    short_way: ShortWay,
    /// Of requests that went to no route of the table.
    astray: Counters,
}

impl Worker {
    pub(crate) fn new(state: &Arc<AppState>) -> Rc<Worker> {
        Rc::new(Worker {
            state: Arc::clone(state),
            short_way: ShortWay::new(),
            astray: Counters::default(),
        })
    }
}

/// A request between its head and its answer.
pub(crate) struct Turn {
    worker: Rc<Worker>,
    /// When it began, for spans of time and for all else.
    pub(crate) started: Instant,
    pub(crate) now: Timestamp,
    method: &'static str,
    pub(crate) exchange: Rc<Exchange>,
    /// What the connection is told, and that it has something to do.
    connection: Option<(Rc<Activity>, Serving)>,
}

impl Turn {
    fn begin(request: &Request, worker: &Rc<Worker>) -> Turn {
        let (started, now) = (Instant::now(), worker.state.now());
        let id = worker.state.request_ids.take(sent_id(request.headers()), now);
        let exchange = Exchange::new(id);
        let connection = request.conn_data::<Rc<Activity>>().map(|activity| {
            activity.keep_exchange(&exchange);
            let serving = activity.serve(has_body(request.headers()), request.head().expect());
            (Rc::clone(activity), serving)
        });
        let (worker, method) = (Rc::clone(worker), method_name(request.method()));
        Turn { worker, started, now, method, exchange, connection }
    }

    /// Gives the answer what every answer has, notes it, and sends it on its way.
    fn end(self, answer: Outcome<HttpResponse>, went: Went<'_>) -> Response<Tracked> {
        let mut answer = finish(answer, &self.exchange, self.worker.state.settings.is_https());
        self.note(answer.status(), went);
        let (activity, serving) = self.connection.unzip();
        if activity.is_some_and(|activity| activity.was_never_asked()) {
            // The client may send the body all the same: nobody could tell it from a request.
            answer.head_mut().set_connection_type(ConnectionType::Close);
        }
        Response::from(answer).map_body(|_, inner| Tracked { inner, _serving: serving })
    }

    /// One line in the log, one more in the metrics.
    fn note(&self, status: StatusCode, Went { route, counters }: Went<'_>) {
        let (worker, method, status) = (&self.worker, self.method, status.as_u16());
        let took = self.started.elapsed();
        let counters = counters.unwrap_or(&worker.astray);
        let labels = RequestLabels { method, route, status };
        worker.state.metrics.traffic.answered(counters, labels, took);
        let caller = self.exchange.caller.borrow();
        let mut text = Uuid::encode_buffer();
        let (is_key, id) = match &*caller {
            Some(caller) => (caller.is_key, Some(&*caller.id.hyphenated().encode_lower(&mut text))),
            None => (false, None),
        };
        tracing::info!(
            target: "rr_http::request",
            method,
            route,
            status,
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            key = id.filter(|_| is_key),
            user = id.filter(|_| !is_key),
            request_id = self.exchange.id.as_str(),
            "request"
        );
    }
}

/// Where a request went, as the log and the metrics have it: the pattern and never the path, for a path
/// may carry anything, and there is no end of paths.
struct Went<'a> {
    route: &'static str,
    /// Where the worker counts it, if not among those astray.
    counters: Option<&'a Counters>,
}

impl<'a> Went<'a> {
    /// To a handler that was lost on the way.
    const DOWN: Went<'static> = Went { route: "panic", counters: None };

    fn to(place: &'a Place) -> Went<'a> {
        Went { route: place.path, counters: Some(&place.counters) }
    }

    /// To no route of the table.
    fn astray(path: &str) -> Went<'static> {
        let route = if path.starts_with("/admin") { "/admin" } else { "unmatched" };
        Went { route, counters: None }
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
