//! Answers made of the present figures: written out once, sent many times.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use arc_swap::{ArcSwapOption, Guard};
use bytes::Bytes;
use rr_domain::Timestamp;
use rr_store::Present;
use rr_sync::{CommissionFigures, Figures, RevenueFigures, UserFigures};
use serde::Serialize;

use crate::codes::Code;
use crate::format::Format;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// What holds at present, its tag, and what was written out of it so far.
pub(crate) struct Rendered {
    present: Arc<Present>,
    tag: Tag,
    bodies: [OnceLock<Body>; 4],
}

/// The last figures that were asked for.
pub(crate) struct FiguresCache(ArcSwapOption<Rendered>);

/// One of the bodies that are made of the present figures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Users,
    Revenue,
    Commissions,
    Dashboard,
}

/// The tag of an answer made of figures. A weak one: beside the figures the body also says when it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(HeaderValue);

impl Part {
    /// All of them, by the names of their endpoints.
    pub(crate) const ALL: [(&'static str, Part); 4] = [
        ("users", Part::Users),
        ("revenue", Part::Revenue),
        ("commissions", Part::Commissions),
        ("dashboard", Part::Dashboard),
    ];
}

/// A body, cut where it says the present instant. The figures hold from when they were computed
/// until now, and a caller judges by the instant how fresh they are.
#[derive(Debug)]
pub(crate) struct Body(Vec<Bytes>);

impl FiguresCache {
    pub(crate) fn new() -> FiguresCache {
        FiguresCache(ArcSwapOption::empty())
    }
}

impl AppState {
    /// The figures at `now`. The store hands out the same ones until something changes them, and as
    /// long as it does nothing is written out anew.
    pub(crate) async fn rendered_figures(&self, now: Timestamp) -> Outcome<Arc<Rendered>> {
        let present = self.store.present(now).await?;
        if let Some(known) = &*self.figures.0.load()
            && Arc::ptr_eq(&known.present, &present)
        {
            return Ok(Arc::clone(known));
        }
        let tag = Tag::now(&present);
        let rendered = Arc::new(Rendered { present, tag, bodies: Default::default() });
        self.figures.0.store(Some(Arc::clone(&rendered)));
        Ok(rendered)
    }

    /// The same, if they are at hand. Nothing is counted that other workers count too: processors that pass
    /// one counter to and fro take longer over it than over the answer.
    pub(crate) fn figures_at_hand(
        &self,
        now: Timestamp,
        at: Instant,
    ) -> Option<Guard<Option<Arc<Rendered>>>> {
        let known = self.figures.0.load();
        let is_present =
            known.as_ref().is_some_and(|known| self.store.is_present(&known.present, now, at));
        is_present.then_some(known)
    }
}

impl Rendered {
    /// 304 for a caller that has these figures already, else the figures as of `now`.
    pub(crate) fn respond(
        &self,
        part: Part,
        asked: &HeaderMap,
        now: Timestamp,
    ) -> Outcome<HttpResponse> {
        if let Some(response) = unchanged(asked, &self.tag) {
            return Ok(response);
        }
        let body = self.body(part)?.at(now);
        let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body));
        let content_type = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        Ok(with_tag(response, &self.tag))
    }

    /// Later figures have a greater one.
    pub(crate) fn version(&self) -> (i64, i64, Timestamp) {
        (self.present.rebuilds, self.present.seq, self.present.figures.as_of)
    }

    /// Whether a part says the same here and there, whenever it was read.
    pub(crate) fn is_like(&self, other: &Rendered, part: Part) -> bool {
        let (own, other) = (&*self.present.figures, &*other.present.figures);
        match part {
            Part::Users => {
                let timestamp = own.users.timestamp;
                own.users == UserFigures { timestamp, ..other.users.clone() }
            }
            Part::Revenue => {
                let timestamp = own.revenue.timestamp;
                own.revenue == RevenueFigures { timestamp, ..other.revenue.clone() }
            }
            Part::Commissions => {
                let timestamp = own.commissions.timestamp;
                own.commissions == CommissionFigures { timestamp, ..other.commissions.clone() }
            }
            Part::Dashboard => own.dashboard == other.dashboard,
        }
    }

    /// Written out when somebody asks for it: a caller who has it costs no writing.
    pub(crate) fn body(&self, part: Part) -> Outcome<&Body> {
        let body = &self.bodies[part as usize];
        if let Some(body) = body.get() {
            return Ok(body);
        }
        let (figures, seq): (&Figures, i64) = (&self.present.figures, self.present.seq);
        let written = match part {
            Part::Users => Body::of(&figures.users, seq),
            Part::Revenue => Body::of(&figures.revenue, seq),
            Part::Commissions => Body::of(&figures.commissions, seq),
            Part::Dashboard => Body::of(&figures.dashboard, seq),
        }?;
        Ok(body.get_or_init(|| written))
    }
}

impl Body {
    /// The figures with `as_of` and `seq` behind their own members.
    pub(crate) fn of(figures: &impl Serialize, seq: i64) -> Outcome<Body> {
        const TIMESTAMP: &str = r#"{"timestamp":""#;
        let text = serde_json::to_string(figures).map_err(|error| {
            tracing::error!(%error, "figures could not be written as JSON");
            Problem::new(Code::Internal)
        })?;
        let mut members = text.strip_suffix('}').unwrap_or(&text);
        let mut pieces = Vec::with_capacity(3);
        if let Some(behind) = members.strip_prefix(TIMESTAMP) {
            pieces.push(Bytes::from_static(TIMESTAMP.as_bytes()));
            members = behind.find('"').map_or(behind, |end| &behind[end..]);
        }
        pieces.push(Bytes::from(format!(r#"{members},"as_of":""#)));
        pieces.push(Bytes::from(format!(r#"","seq":{seq}}}"#)));
        Ok(Body(pieces))
    }

    /// The body as of an instant.
    pub(crate) fn at(&self, now: Timestamp) -> Bytes {
        let now = now.to_string();
        let pieces: usize = self.0.iter().map(Bytes::len).sum();
        // Exactly as long as it will be, or handing it on would copy it.
        let mut body = Vec::with_capacity(pieces + now.len() * self.0.len().saturating_sub(1));
        for (index, piece) in self.0.iter().enumerate() {
            if index > 0 {
                body.extend_from_slice(now.as_bytes());
            }
            body.extend_from_slice(piece);
        }
        Bytes::from(body)
    }
}

impl Tag {
    /// Of what holds now: another fact, a ledger made anew and the next instant at which time moves
    /// something give another.
    pub(crate) fn now(present: &Present) -> Tag {
        let change = present.figures.next_change.map_or(0, Timestamp::micros);
        Tag::new(&format!("{}-{}-{change}", present.rebuilds, present.seq))
    }

    /// Of what was read of the past, in one of its forms: the ledger alone changes it.
    pub(crate) fn at(present: &Present, seq: i64, format: Format) -> Tag {
        Tag::new(&format!("{}-{seq}-{}", present.rebuilds, format.letter()))
    }

    #[expect(clippy::expect_used, reason = "digits, letters and dashes may stand in a header")]
    fn new(text: &str) -> Tag {
        Tag(HeaderValue::try_from(format!("W/\"{text}\"")).expect("visible ASCII"))
    }
}

/// 304 for a caller that has this already.
pub(crate) fn unchanged(asked: &HeaderMap, tag: &Tag) -> Option<HttpResponse> {
    let response = || HttpResponse::new(StatusCode::NOT_MODIFIED);
    has_tag(asked, &tag.0).then(|| with_tag(response(), tag))
}

fn with_tag(mut response: HttpResponse, tag: &Tag) -> HttpResponse {
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
    let text = HeaderValue::from_bytes(tag.0.as_bytes()).unwrap_or_else(|_| tag.0.clone());
    let cache = HeaderValue::from_static("private, no-cache");
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

    #[test]
    fn the_body_says_now_and_ends_with_the_version() {
        let at = |second: i64| Timestamp::from_seconds(1_704_067_200 + second).unwrap();
        let figures = serde_json::json!({"timestamp": at(0), "total_users": 2});
        let body = Body::of(&figures, 7).unwrap();
        assert_eq!(
            body.at(at(90)),
            r#"{"timestamp":"2024-01-01T00:01:30Z","total_users":2,"as_of":"2024-01-01T00:01:30Z","seq":7}"#
        );
        let body = Body::of(&serde_json::json!({"users": 1}), 0).unwrap();
        assert_eq!(body.at(at(0)), r#"{"users":1,"as_of":"2024-01-01T00:00:00Z","seq":0}"#);
    }

    /// Whoever has the figures costs no writing, and whoever has them not pays for what was asked alone.
    #[test]
    fn what_has_not_changed_is_not_written_out() {
        let now = Timestamp::from_seconds(1_767_225_600).unwrap();
        let figures = Arc::new(rr_sync::compute(&rr_sync::demo::facts(), now));
        let present = Present { seq: 7, rebuilds: 0, figures, balances: Default::default() };
        let tag = Tag::now(&present);
        let rendered =
            Rendered { present: Arc::new(present), tag: tag.clone(), bodies: Default::default() };
        let ask = |condition: &str| {
            let mut asked = HeaderMap::new();
            asked.insert(header::IF_NONE_MATCH, HeaderValue::from_str(condition).unwrap());
            rendered.respond(Part::Users, &asked, now).unwrap().status()
        };
        let written = || rendered.bodies.iter().filter(|body| body.get().is_some()).count();
        assert_eq!(ask(tag.0.to_str().unwrap()), 304);
        assert_eq!(written(), 0);
        assert_eq!(ask("\"another\""), 200);
        assert_eq!(written(), 1);
    }

    #[test]
    fn the_tag_follows_whatever_may_change_a_figure() {
        let tag = |rebuilds, seq, facts: &[rr_domain::Fact], second: i64| {
            let now = Timestamp::from_seconds(1_704_067_200 + second).unwrap();
            let figures = Arc::new(rr_sync::compute(facts, now));
            let balances = rr_sync::Balances::default();
            Tag::now(&Present { seq, rebuilds, figures, balances })
        };
        let demo = rr_sync::demo::facts();
        let one = tag(0, 7, &demo, 90_000);
        assert_eq!(one, tag(0, 7, &demo, 90_001), "nothing happened");
        assert_ne!(one, tag(0, 8, &demo, 90_000), "a fact more");
        assert_ne!(one, tag(1, 7, &demo, 90_000), "made anew");
        assert_ne!(one, tag(0, 7, &demo, 10 * 86_400), "a window has moved on");
    }
}
