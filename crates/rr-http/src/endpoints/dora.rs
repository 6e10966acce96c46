//! `GET /api/devops/dora`: how well software is delivered, by service and environment.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_domain::Timestamp;
use rr_sync::dora::{Asked, Window};

use crate::auth::{Allowed, ReadMetrics};
use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::AppState;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Thirteen weeks: a quarter, in whole weeks.
const USUAL_DAYS: u32 = 91;
const MOST_DAYS: u32 = 366;

/// The five figures of delivery: deployment frequency, change lead time, change fail rate, recovery
/// time and rework rate, from the deployments, incidents and changes that events told of. No data is
/// null. The figures speak of the instant `to`: nothing dated at or after it counts.
#[utoipa::path(get, path = "/api/devops/dora", operation_id = "read_dora", tag = "figures",
    params(
        ("from" = Option<String>, Query, description = "Start of the window (RFC 3339); 91 days before `to`"),
        ("to" = Option<String>, Query, description = "End of the window (RFC 3339), not in it; now"),
        ("service" = Option<String>, Query, description = "Only this service"),
        ("environment" = Option<String>, Query, description = "Only this environment")),
    responses((status = 200, description = "The figures", body = crate::openapi::DeliveryFigures)))]
pub(crate) async fn get(
    _: Allowed<ReadMetrics>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Outcome<HttpResponse> {
    let query = Query::read(&request, &["from", "to", "service", "environment"])?;
    let window = window(query.instant("from")?, query.instant("to")?, state.now())?;
    let (service, environment) = (query.text("service")?, query.text("environment")?);
    let asked = Asked::new(service, environment.as_deref());
    let figures = state.store.dora(window, asked).await?;
    let figures = figures.ok_or_else(|| Problem::new(Code::TooMuchTold))?;
    Ok(HttpResponse::Ok().json(figures))
}

fn window(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Outcome<Window> {
    let to = to.unwrap_or(now);
    let from = from.unwrap_or_else(|| to.floor_to_minute().minus(DAY * USUAL_DAYS));
    if from >= to {
        return Err(Problem::parameter("from", "must lie before `to`"));
    }
    if to.since(from) > DAY * MOST_DAYS {
        return Err(Problem::parameter("from", "must lie at most 366 days before `to`"));
    }
    Ok(Window { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_a_length_within_bounds() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let now = at("2026-06-01T10:30:40Z");
        let usual = window(None, None, now).unwrap();
        assert_eq!((usual.from, usual.to), (at("2026-03-02T10:30:00Z"), now));
        let year = window(Some(at("2025-05-31T10:30:40Z")), None, now);
        assert!(year.is_ok());
        assert!(window(Some(at("2025-05-31T10:30:39Z")), None, now).is_err());
        assert!(window(Some(now), None, now).is_err());
        assert!(window(None, Some(at("2020-01-01T00:00:00Z")), now).is_ok());
    }
}
