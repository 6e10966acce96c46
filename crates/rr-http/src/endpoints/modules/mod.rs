//! `GET /ws/devops-modules`: the WebSocket that the DevOps module's script opens.
//!
//! Its first message shows a key; what follows are the changed figures and those events that the
//! script knows. It is the live stream in other words: the same reader, the same places, the same end.

mod hello;
mod socket;

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::auth::{address_of, is_own_origin};
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::settings::HttpSettings;
use crate::state::AppState;
use socket::Socket;

/// Bytes of a message that the server reads: a key and some words around it.
const MESSAGE_BYTES: usize = 8 << 10;

/// A WebSocket. The first message, `{"type":"auth","apiKey":"…"}`, must come within five seconds and
/// show a key with `read_metrics`. The server then sends `metrics_update` with the figures that
/// changed (all of them at first), and `revenue_generated` and `agent_status` when events say so: the
/// script's own two kinds, which say nothing about a person. Other events are for the stream, and for
/// keys with `read_events`.
#[utoipa::path(get, path = "/ws/devops-modules", operation_id = "devops_modules", tag = "events",
    responses(
        (status = 101, description = "A WebSocket"),
        (status = 400, description = "No handshake of a WebSocket", body = crate::openapi::Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "The page of another site asks", body = crate::openapi::Problem,
            content_type = "application/problem+json")))]
pub(crate) async fn get(
    request: HttpRequest,
    body: Payload,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    check_origin(request.headers(), &state.settings)?;
    if state.is_draining() {
        return Err(Problem::new(Code::Draining));
    }
    let no_handshake =
        |_| Problem::new(Code::BadRequest).detail("This is a WebSocket; open it as one.");
    let (answer, session, messages) = actix_ws::handle(&request, body).map_err(no_handshake)?;
    let address = address_of(&state, &request);
    let messages = messages.max_frame_size(MESSAGE_BYTES);
    let socket = Socket::new(state.into_inner(), address, session, messages);
    actix_web::rt::spawn(socket.run());
    Ok(answer)
}

/// A browser says which page opens a WebSocket, and opens it for any: only our own pages and those of
/// configured origins are let in. What sends no origin is no page.
fn check_origin(headers: &HeaderMap, settings: &HttpSettings) -> Outcome<()> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let is_known = settings.cors_origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
        || is_own_origin(origin, text(header::HOST), settings.public_url.as_deref());
    if is_known {
        Ok(())
    } else {
        Err(Problem::new(Code::CrossSite)
            .detail("A page of this origin may not open the WebSocket; see RR_CORS_ORIGINS."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn only_known_pages_may_open_it() {
        let settings = HttpSettings {
            cors_origins: vec!["https://shop.example.com".to_owned()],
            public_url: Some("https://rr.example.com".to_owned()),
            ..HttpSettings::default()
        };
        for (origin, allowed) in [
            (None, true),
            (Some("https://rr.example.com"), true),
            (Some("https://shop.example.com"), true),
            (Some("http://127.0.0.1:5000"), true),
            (Some("https://evil.example"), false),
            (Some("https://shop.example.com.evil.example"), false),
            (Some("null"), false),
            (Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:5000"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(check_origin(&headers, &settings).is_ok(), allowed, "{origin:?}");
        }
    }
}
