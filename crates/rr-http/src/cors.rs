//! Which pages of other origins may read answers: none, unless configured.

use actix_cors::Cors;
use actix_web::http::Method;

/// Lets exactly these origins in. Cookies stay out in any case: a page elsewhere that needs more
/// than figures in public must bring a key.
pub(crate) fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allowed_headers([
            "authorization",
            "x-api-key",
            "content-type",
            "idempotency-key",
            "if-none-match",
            "last-event-id",
            "x-request-id",
            "x-webhook-signature",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        ])
        .expose_headers(["etag", "retry-after", "x-request-id", "ratelimit", "ratelimit-policy"])
        .max_age(600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
