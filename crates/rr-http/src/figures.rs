//! Answers made of the present figures: written out once, sent many times.

use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use arc_swap::{ArcSwapOption, Guard};
use bytes::Bytes;
use rr_domain::Timestamp;
use rr_store::Present;
use rr_sync::{CommissionFigures, Figures, RevenueFigures, UserFigures};
use serde::Serialize;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;
use crate::tag::{Tag, unchanged, with_tag};

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
        let tag = Tag::of(&present, present.seq, &told(&present));
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

    /// What it is made of.
    pub(crate) fn present(&self) -> &Present {
        &self.present
    }

    /// The same for the same figures, whichever server computed them and when.
    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
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

/// All that is told of the present, but for the instants: those the clock moves, and it moves them every time.
fn told(present: &Present) -> impl Hash {
    let Figures { as_of: _, next_change: _, users, revenue, commissions, dashboard } =
        &*present.figures;
    let UserFigures { timestamp: _, total_users, users_by_role, users_by_status, recent_signups } =
        users;
    let RevenueFigures {
        timestamp: _,
        currency,
        total_revenue,
        subscription_revenue,
        tripwire_revenue,
        monthly_recurring_revenue,
        active_subscriptions,
        subscription_breakdown,
        recent_transactions,
    } = revenue;
    let CommissionFigures {
        timestamp: _,
        total_commissions,
        states,
        total_transactions,
        top_performers,
        commission_by_tier,
        recent_commissions,
    } = commissions;
    (
        (total_users, users_by_role, users_by_status, recent_signups),
        (currency, total_revenue, subscription_revenue, tripwire_revenue),
        (monthly_recurring_revenue, active_subscriptions),
        (subscription_breakdown, recent_transactions),
        (total_commissions, states, total_transactions),
        (top_performers, commission_by_tier, recent_commissions),
        dashboard,
        &present.balances,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let tag = Tag::of(&present, 7, &told(&present));
        let rendered =
            Rendered { present: Arc::new(present), tag: tag.clone(), bodies: Default::default() };
        let ask = |condition: &str| {
            let mut asked = HeaderMap::new();
            asked.insert(header::IF_NONE_MATCH, HeaderValue::from_str(condition).unwrap());
            rendered.respond(Part::Users, &asked, now).unwrap().status()
        };
        let written = || rendered.bodies.iter().filter(|body| body.get().is_some()).count();
        let known = with_tag(HttpResponse::Ok().finish(), &tag);
        assert_eq!(ask(known.headers().get(header::ETAG).unwrap().to_str().unwrap()), 304);
        assert_eq!(written(), 0);
        assert_eq!(ask("\"another\""), 200);
        assert_eq!(written(), 1);
    }

    #[test]
    fn the_tag_follows_what_is_told_and_nothing_else() {
        let tag = |rebuilds, seq, facts: &[rr_domain::Fact], second: i64| {
            let now = Timestamp::from_seconds(1_704_067_200 + second).unwrap();
            let figures = Arc::new(rr_sync::compute(facts, now));
            let present = Present { seq, rebuilds, figures, balances: Default::default() };
            Tag::of(&present, seq, &told(&present))
        };
        let demo = rr_sync::demo::facts();
        let one = tag(0, 7, &demo, 90_000);
        assert_eq!(one, tag(0, 7, &demo, 90_001), "nothing happened");
        assert_ne!(one, tag(0, 8, &demo, 90_000), "a fact more");
        assert_ne!(one, tag(1, 7, &demo, 90_000), "made anew");
        assert_ne!(one, tag(0, 7, &demo, 10 * 86_400), "a window has moved on");
        let year = 366 * 86_400;
        assert_eq!(tag(0, 7, &demo, year), tag(0, 7, &demo, 2 * year), "nothing was left to move");
    }

    /// A board knows what comes within an hour or so of when it was read; that is its own affair.
    #[test]
    fn the_tag_is_the_same_wherever_the_same_is_told() {
        let now = Timestamp::from_seconds(1_704_157_200).unwrap();
        let tag = |change: i64, balances: &rr_sync::Balances| {
            let mut figures = rr_sync::compute(&rr_sync::demo::facts(), now);
            figures.next_change = Timestamp::from_seconds(1_704_157_200 + change).ok();
            let figures = Arc::new(figures);
            let present = Present { seq: 7, rebuilds: 0, figures, balances: balances.clone() };
            Tag::of(&present, 7, &told(&present))
        };
        let nothing = rr_sync::Balances::default();
        assert_eq!(tag(60, &nothing), tag(90, &nothing));
        let entries = rr_sync::ledger::posting(&[], &rr_sync::demo::facts()).unwrap();
        assert_ne!(tag(60, &nothing), tag(60, &entries.iter().collect()));
    }
}
