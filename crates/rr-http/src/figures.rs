//! Answers made of figures: written out once, sent many times.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use rr_domain::Timestamp;
use rr_sync::Figures;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// The four bodies of one set of figures.
pub(crate) struct Rendered {
    figures: Arc<Figures>,
    pub(crate) users: Answer,
    pub(crate) revenue: Answer,
    pub(crate) commissions: Answer,
    pub(crate) dashboard: Answer,
}

/// The last figures that were written out.
pub(crate) struct FiguresCache(ArcSwapOption<Rendered>);

/// One body and its tag. A body that begins with `timestamp` says the present instant there: the
/// figures hold from when they were computed until now, and a caller judges by it how fresh they
/// are. The tag speaks of the figures alone, so it is a weak one.
pub(crate) struct Answer {
    body: Bytes,
    /// Where in the body the instant stands.
    instant: Option<Range<usize>>,
    tag: HeaderValue,
}

impl FiguresCache {
    pub(crate) fn new() -> FiguresCache {
        FiguresCache(ArcSwapOption::empty())
    }
}

impl AppState {
    /// The present figures, written out. The store hands out the same figures until something
    /// changes them, and as long as it does nothing is written out anew.
    pub(crate) async fn rendered_figures(&self) -> Outcome<Arc<Rendered>> {
        let figures = self.store.figures(self.now()).await?;
        if let Some(known) = &*self.figures.0.load()
            && Arc::ptr_eq(&known.figures, &figures)
        {
            return Ok(Arc::clone(known));
        }
        let rendered = Arc::new(Rendered {
            users: Answer::of(&figures.users)?,
            revenue: Answer::of(&figures.revenue)?,
            commissions: Answer::of(&figures.commissions)?,
            dashboard: Answer::of(&figures.dashboard)?,
            figures,
        });
        self.figures.0.store(Some(Arc::clone(&rendered)));
        Ok(rendered)
    }
}

impl Answer {
    fn of(figures: &impl Serialize) -> Outcome<Answer> {
        let body = serde_json::to_vec(figures).map_err(|error| {
            tracing::error!(%error, "figures could not be written as JSON");
            Problem::new(Code::Internal)
        })?;
        let instant = instant(&body);
        let figures = instant.as_ref().map_or(&body[..], |instant| &body[instant.end..]);
        let mut tag = String::from("W/\"");
        for byte in &Sha256::digest(figures)[..16] {
            // Writing to a String cannot fail.
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        let tag = HeaderValue::try_from(tag).map_err(|_| Problem::new(Code::Internal))?;
        Ok(Answer { body: Bytes::from(body), instant, tag })
    }

    /// The body as of now.
    fn body(&self, now: Timestamp) -> Bytes {
        let Some(instant) = &self.instant else { return self.body.clone() };
        let mut body = BytesMut::with_capacity(self.body.len() + 8);
        body.extend_from_slice(&self.body[..instant.start]);
        // Writing to a growing buffer cannot fail.
        let _ = write!(body, "{now}");
        body.extend_from_slice(&self.body[instant.end..]);
        body.freeze()
    }

    /// 304 for a caller that has these figures already, else the figures.
    pub(crate) fn respond(&self, request: &HttpRequest, now: Timestamp) -> HttpResponse {
        let known = has_tag(request.headers(), &self.tag);
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response.insert_header((header::ETAG, self.tag.clone()));
        // Kept by nobody but the caller, and only to be asked about again.
        response
            .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
        if known {
            return response.finish();
        }
        response
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
            .body(self.body(now))
    }
}

/// Where the instant of `{"timestamp":"…",` stands, in a body that begins so.
fn instant(body: &[u8]) -> Option<Range<usize>> {
    const BEFORE: &[u8] = br#"{"timestamp":""#;
    let rest = body.strip_prefix(BEFORE)?;
    let length = rest.iter().position(|byte| *byte == b'"')?;
    Some(BEFORE.len()..BEFORE.len() + length)
}

/// `If-None-Match`, compared weakly (RFC 9110 §13.1.2).
fn has_tag(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    headers
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
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

    #[test]
    fn the_body_says_now_and_the_tag_does_not_listen() {
        let at = |second: i64| Timestamp::from_seconds(1_704_067_200 + second).unwrap();
        let computed = |second| {
            Answer::of(&serde_json::json!({"timestamp": at(second), "total_users": 2})).unwrap()
        };
        let body = computed(0).body(at(90));
        assert_eq!(body, r#"{"timestamp":"2024-01-01T00:01:30Z","total_users":2}"#);
        assert_eq!(computed(0).tag, computed(7).tag);
        assert_eq!(
            Answer::of(&serde_json::json!({"users": 1})).unwrap().body(at(0)),
            r#"{"users":1}"#
        );
    }

    #[test]
    fn the_tag_follows_the_figures() {
        let one = Answer::of(&serde_json::json!({"a": 1})).unwrap();
        let same = Answer::of(&serde_json::json!({"a": 1})).unwrap();
        let other = Answer::of(&serde_json::json!({"a": 2})).unwrap();
        assert_eq!(one.tag, same.tag);
        assert_ne!(one.tag, other.tag);
        assert_eq!(one.tag.len(), 36);
    }
}
