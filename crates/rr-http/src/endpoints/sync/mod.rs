//! Figures.

pub(crate) mod commissions;
pub(crate) mod dashboard;
pub(crate) mod revenue;
pub(crate) mod users;

use actix_web::{HttpRequest, HttpResponse};

use crate::auth::state_of;
use crate::figures::Part;
use crate::problem::{Outcome, Problem};
use crate::query::names;

/// The present figures, or rather the part of them that is asked for.
async fn answer(request: &HttpRequest, part: Part) -> Outcome<HttpResponse> {
    // Whoever asks for the past must not take the present for it.
    if names(request, "as_of") {
        let elsewhere = "is not known here, where the present figures are: those of an earlier \
                         instant are had from /api/devops/metrics/{name}?as_of=";
        return Err(Problem::parameter("as_of", elsewhere));
    }
    let state = state_of(request)?;
    let now = state.now();
    state.rendered_figures(now).await?.respond(part, request.headers(), now)
}
