//! Figures.

pub(crate) mod commissions;
pub(crate) mod dashboard;
pub(crate) mod revenue;
pub(crate) mod users;

use actix_web::{HttpRequest, HttpResponse};

use crate::figures::Part;
use crate::problem::Outcome;
use crate::state::AppState;

/// The present figures, or rather the part of them that is asked for.
async fn answer(request: &HttpRequest, state: &AppState, part: Part) -> Outcome<HttpResponse> {
    let now = state.now();
    state.rendered_figures(now).await?.respond(part, request, now)
}
