//! Reading a request's body, strictly and not for ever.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use rr_webhooks::{JsonLimits, check_json};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::auth::state_of;
use crate::codes::Code;
use crate::connection::Activity;
use crate::json_fault;
use crate::limits::Limits;
use crate::problem::{FieldError, Outcome, Problem};
use crate::room::Room;
use crate::state::AppState;

/// A body that nobody has read yet. Taking it as an argument reads nothing, so a handler decides
/// who is calling before it spends anything on what they send.
pub(crate) struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = std::future::Ready<Outcome<Body>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Body { request: request.clone(), payload: payload.take() }))
    }
}

impl Body {
    /// The body as JSON of the form `T`.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Outcome<T> {
        require_json(self.request.headers())?;
        let bytes = self.standard().await?;
        parse(&bytes)
    }

    /// The same for endpoints whose every field may be left out: nothing at all, neither body nor
    /// content type, is `T`'s default.
    pub(crate) async fn json_or_default<T: DeserializeOwned + Default>(self) -> Outcome<T> {
        let declared = self.request.headers().contains_key(header::CONTENT_TYPE);
        if declared {
            require_json(self.request.headers())?;
        }
        match (declared, self.standard().await?) {
            (false, empty) if empty.is_empty() => Ok(T::default()),
            (false, _) => Err(Problem::new(Code::UnsupportedMediaType)),
            (true, bytes) => parse(&bytes),
        }
    }

    /// How long the client says that it is.
    pub(crate) fn declared(&self) -> Option<usize> {
        let length = self.request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.trim();
        // What no machine could hold is too long for any limit.
        length.parse::<u64>().ok().map(|length| usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The body as it is, at most `limit` bytes of it.
    pub(crate) async fn bytes(mut self, limit: usize) -> Outcome<Bytes> {
        let declared = self.declared().unwrap_or(0);
        if declared > limit {
            return Err(too_large(limit));
        }
        let AppState { settings, room, .. } = &**state_of(&self.request)?;
        if declared > AT_ONCE {
            room.expect(declared)?;
        }
        let activity = self.request.conn_data::<Rc<Activity>>();
        if let Some(activity) = activity {
            activity.wants_body();
        }
        let bytes = collect(&mut self.payload, limit, &settings.limits, room).await?;
        if let Some(activity) = activity {
            activity.body_was_read();
        }
        Ok(bytes)
    }

    async fn standard(self) -> Outcome<Bytes> {
        let limit = state_of(&self.request)?.settings.limits.body_bytes;
        self.bytes(limit).await
    }
}

/// A body of so many bytes mostly is there at once and never unfinished.
const AT_ONCE: usize = 16 * 1024;

/// Gathers chunks until the end. The deadline moves with what has arrived: a large body may take
/// its time, a dripping one may not.
async fn collect(
    payload: &mut Payload,
    limit: usize,
    limits: &Limits,
    room: &Room,
) -> Outcome<Bytes> {
    let mut share = room.share();
    let started = Instant::now();
    let mut looked_twice = false;
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let received = first.len() + rest.len();
        let chunk = match payload.next().now_or_never() {
            Some(chunk) => chunk,
            // The framework hands a request on before it looks at what came behind its head. Mostly that
            // is the whole body, which needs no timer.
            None if !std::mem::replace(&mut looked_twice, true) => {
                next_turn().await;
                continue;
            }
            None => {
                share.grow_to(received)?;
                timeout_at(started + limits.body_deadline(received), payload.next())
                    .await
                    .map_err(|_| Problem::new(Code::Timeout))?
            }
        };
        match chunk {
            None if rest.is_empty() => return Ok(first),
            None => return Ok(rest.freeze()),
            Some(Err(error)) => return Err(broken(&error, limit)),
            Some(Ok(chunk)) if received + chunk.len() > limit => return Err(too_large(limit)),
            Some(Ok(chunk)) if received == 0 => first = chunk,
            Some(Ok(chunk)) => {
                share.grow_to(received + chunk.len())?;
                rest.extend_from_slice(&std::mem::take(&mut first));
                rest.extend_from_slice(&chunk);
            }
        }
    }
}

/// Lets everything else of this connection have its turn.
async fn next_turn() {
    let mut is_next = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_next, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::TooLarge).detail(format!("The body is longer than {limit} bytes."))
}

fn broken(error: &PayloadError, limit: usize) -> Problem {
    match error {
        PayloadError::Overflow => too_large(limit),
        _ => Problem::new(Code::InvalidEncoding),
    }
}

/// `application/json`, UTF-8 if anything is said about it, and no content coding.
fn require_json(headers: &HeaderMap) -> Outcome<()> {
    let plain = |value: &str| value.trim().eq_ignore_ascii_case("identity");
    let coded = headers.get_all(header::CONTENT_ENCODING);
    if !coded.map(|value| value.to_str().unwrap_or("?")).all(plain) {
        return Err(Problem::new(Code::UnsupportedContentEncoding));
    }
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if declared.is_some_and(is_json) {
        Ok(())
    } else {
        Err(Problem::new(Code::UnsupportedMediaType))
    }
}

fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}

/// Strict JSON first, then the expected form, then what is wrong with it, by field.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Outcome<T> {
    check_json(bytes, JsonLimits::default()).map_err(|fault| {
        let mut detail = fault.to_string();
        if let Some(first) = detail.get(..1) {
            let first = first.to_uppercase();
            detail.replace_range(..1, &first);
        }
        let error = FieldError::new(fault.pointer, fault.kind.to_string());
        Problem::fields(Code::InvalidJson, vec![error]).detail(detail)
    })?;
    // Every form here is an object; serde alone would take a list of its fields for one as well.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Problem::field("", "must be a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| Problem::fields(Code::InvalidBody, vec![json_fault::field_error(&error)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn only_json_in_utf_8_is_json() {
        for (media_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json; v=1", true),
            ("application/json; charset=latin-1", false),
            ("application/jsonp", false),
            ("text/json", false),
            ("text/plain", false),
            ("", false),
        ] {
            assert_eq!(is_json(media_type), expected, "{media_type}");
        }
    }

    #[test]
    fn a_coded_body_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert!(require_json(&headers).is_ok());
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
        assert!(require_json(&headers).is_ok());
        headers.append(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let code = require_json(&headers).unwrap_err().code();
        assert_eq!(code, Code::UnsupportedContentEncoding);
    }

    /// A body that comes in pieces, with a pause before each.
    fn pieces(pieces: Vec<(u64, &'static [u8])>) -> Payload {
        let stream = futures_util::stream::iter(pieces).then(|(pause, piece)| async move {
            tokio::time::sleep(std::time::Duration::from_secs(pause)).await;
            Ok::<_, PayloadError>(Bytes::from_static(piece))
        });
        Payload::Stream { payload: Box::pin(stream) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_gathered_within_its_limit() {
        let (limits, room) = (Limits::STANDARD, Room::new(5));
        let mut whole = pieces(vec![(0, b"ab"), (1, b""), (1, b"cd"), (1, b"e")]);
        assert_eq!(collect(&mut whole, 5, &limits, &room).await.unwrap(), "abcde");
        let mut long = pieces(vec![(0, b"ab"), (1, b"cd"), (1, b"e")]);
        let problem = collect(&mut long, 4, &limits, &room).await.unwrap_err();
        assert_eq!(problem.code(), Code::TooLarge);
        let mut empty = pieces(vec![]);
        assert_eq!(collect(&mut empty, 0, &limits, &room).await.unwrap(), "");
        // What is unfinished is bounded by the room as well, what comes at once is not.
        let room = Room::new(4);
        let mut late = pieces(vec![(0, b"ab"), (1, b"cd"), (1, b"e")]);
        let problem = collect(&mut late, 5, &limits, &room).await.unwrap_err();
        assert_eq!(problem.code(), Code::Busy);
        let mut at_once = pieces(vec![(0, b"abcde")]);
        assert_eq!(collect(&mut at_once, 5, &limits, &room).await.unwrap(), "abcde");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dripping_body_is_cut_although_it_never_stops() {
        let began = Instant::now();
        let mut drip = pieces(vec![(2, b"x"); 100]);
        let problem =
            collect(&mut drip, 1000, &Limits::STANDARD, &Room::new(1000)).await.unwrap_err();
        assert_eq!(problem.code(), Code::Timeout);
        assert!(began.elapsed().as_secs() < 6, "{:?}", began.elapsed());
    }

    #[test]
    fn a_form_that_does_not_fit_is_named_by_its_field() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {
            #[expect(dead_code, reason = "only its absence is looked at")]
            name: String,
        }
        let fault = |text: &str| {
            let problem = parse::<Form>(text.as_bytes()).unwrap_err();
            let body: serde_json::Value = serde_json::from_slice(&problem.body("r")).unwrap();
            (problem.code(), body["errors"][0]["pointer"].as_str().unwrap().to_owned())
        };
        assert_eq!(fault("{}"), (Code::InvalidBody, "/name".to_owned()));
        assert_eq!(fault(r#"{"name":1}"#), (Code::InvalidBody, "/name".to_owned()));
        assert_eq!(fault(r#"{"name":"x","a":1}"#), (Code::InvalidBody, "/a".to_owned()));
        for no_object in ["[]", r#"["x"]"#, "null", " 5"] {
            assert_eq!(fault(no_object), (Code::InvalidBody, String::new()));
        }
    }
}
