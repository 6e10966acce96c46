//! Figures.

pub(crate) mod commissions;
pub(crate) mod dashboard;
pub(crate) mod revenue;
pub(crate) mod users;

use actix_web::{HttpRequest, HttpResponse};

use crate::auth::state_of;
use crate::figures::Part;
use crate::problem::Outcome;

/// The present figures, or rather the part of them that is asked for.
async fn answer(request: &HttpRequest, part: Part) -> Outcome<HttpResponse> {
    let state = state_of(request)?;
    let now = state.now();
    state.rendered_figures(now).await?.respond(part, request.headers(), now)
}
