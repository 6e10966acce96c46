//! The short way of the present figures: asked for all day by machines whose key is in memory, they are in
//! memory too, so nothing has to be awaited and nothing of the application is needed.
//!
//! Whatever is not as simple as that takes the long way, through the application's handlers, and gets the
//! same answer.

use actix_http::Request;
use actix_web::http::Method;
use actix_web::{HttpMessage as _, HttpResponse};

use crate::auth::{CallerId, Permission, known_key};
use crate::figures::Part;
use crate::frame::Turn;
use crate::problem::Outcome;
use crate::routes::Place;
use crate::state::AppState;

/// Where it begins, for one worker.
pub(crate) struct ShortWay([(Part, Place); 4]);

impl ShortWay {
    pub(crate) fn new() -> ShortWay {
        ShortWay([
            (Part::Users, Place::new("/api/devops/sync/users")),
            (Part::Revenue, Place::new("/api/devops/sync/revenue")),
            (Part::Commissions, Place::new("/api/devops/sync/commissions")),
            (Part::Dashboard, Place::new("/api/devops/dashboard")),
        ])
    }

    /// The answer, and to which of our places the request went; `None` where the long way has to be taken.
    pub(crate) fn answer(
        &self,
        state: &AppState,
        request: &Request,
        turn: &Turn,
    ) -> Option<(&Place, Outcome<HttpResponse>)> {
        // Pages of other origins need words of their own in the answer, which the application has.
        if !matches!(*request.method(), Method::GET | Method::HEAD)
            || !state.settings.cors_origins.is_empty()
            // What it asks for is read in one place.
            || request.uri().query().is_some()
        {
            return None;
        }
        let path = request.path();
        let (part, place) = self.0.iter().find(|(_, place)| place.path == path)?;
        let now = turn.now;
        let figures = state.figures_at_hand(now, turn.started)?;
        let permission = Permission::ReadMetrics.name();
        let known = known_key(state, request.headers(), request.peer_addr(), permission, now);
        let answer = match known {
            Ok(None) => return None,
            Ok(Some((grant, _))) => {
                turn.exchange.caller.replace(Some(CallerId::of_key(&grant)));
                figures.as_ref()?.respond(*part, request.headers(), now)
            }
            Err(problem) => Err(problem),
        };
        Some((place, answer))
    }
}
