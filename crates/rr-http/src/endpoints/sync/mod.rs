//! Figures.

pub(crate) mod commissions;
pub(crate) mod dashboard;
pub(crate) mod revenue;
pub(crate) mod users;

use actix_web::{HttpRequest, HttpResponse};

use crate::figures::{Answer, Rendered};
use crate::problem::Outcome;
use crate::state::AppState;

/// The present figures, or rather the part of them that is asked for.
async fn answer(
    request: &HttpRequest,
    state: &AppState,
    part: fn(&Rendered) -> &Answer,
) -> Outcome<HttpResponse> {
    let figures = state.rendered_figures().await?;
    Ok(part(&figures).respond(request, state.now()))
}
