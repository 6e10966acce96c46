//! `POST /create-…-session`: a checkout page at the payment provider.

use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Body;
use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// Who referred the buyer, if anybody did.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkout {
    #[schema(max_length = 100)]
    referrer_username: Option<String>,
}

/// The same with the offer of three free months.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProResellerCheckout {
    #[schema(max_length = 100)]
    referrer_username: Option<String>,
    #[expect(dead_code, reason = "checked for its type; nothing asks the provider for a page yet")]
    three_months_free: Option<bool>,
}

/// A checkout page for the membership.
#[utoipa::path(post, path = "/create-membership-session", operation_id = "create_membership_session", tag = "payments", request_body = Checkout,
    responses((status = 503, description = "This version takes no payments yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn membership(body: Body) -> Outcome<HttpResponse> {
    let wanted: Checkout = body.json_or_default().await?;
    refuse(wanted.referrer_username.as_deref())
}

/// A checkout page for resellers.
#[utoipa::path(post, path = "/create-reseller-session", operation_id = "create_reseller_session", tag = "payments", request_body = Checkout,
    responses((status = 503, description = "This version takes no payments yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn reseller(body: Body) -> Outcome<HttpResponse> {
    let wanted: Checkout = body.json_or_default().await?;
    refuse(wanted.referrer_username.as_deref())
}

/// A checkout page for pro resellers.
#[utoipa::path(post, path = "/create-pro-reseller-session", operation_id = "create_pro_reseller_session", tag = "payments", request_body = ProResellerCheckout,
    responses((status = 503, description = "This version takes no payments yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn pro_reseller(body: Body) -> Outcome<HttpResponse> {
    let wanted: ProResellerCheckout = body.json_or_default().await?;
    refuse(wanted.referrer_username.as_deref())
}

/// A checkout page for the book.
#[utoipa::path(post, path = "/create-tripwire-session", operation_id = "create_tripwire_session", tag = "payments", request_body = Checkout,
    responses((status = 503, description = "This version takes no payments yet",
        body = crate::openapi::Problem, content_type = "application/problem+json")))]
pub(crate) async fn tripwire(body: Body) -> Outcome<HttpResponse> {
    let wanted: Checkout = body.json_or_default().await?;
    refuse(wanted.referrer_username.as_deref())
}

fn refuse(referrer: Option<&str>) -> Outcome<HttpResponse> {
    if referrer.is_some_and(|name| name.chars().count() > 100 || name.contains('\0')) {
        return Err(Problem::field("/referrer_username", "may have at most 100 characters"));
    }
    Err(Problem::new(Code::PaymentsUnavailable))
}
