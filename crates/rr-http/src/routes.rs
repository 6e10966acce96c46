//! The route table: every method and path of the server, who may use it, and what answers.
//!
//! The application is configured from this list and the OpenAPI document is held against it by a
//! test, so a route that is not here does not exist and one that is here is documented.

use actix_web::guard::{Guard, GuardContext};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Route};

use crate::auth::Permission;
use crate::codes::Code;
use crate::endpoints::{
    activity, auth, commissions, config, docs, dora, events, figures, keys, modules, operations,
    payments, sources, sync, users,
};
use crate::problem::{Outcome, Problem};
use crate::traffic::Counters;

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct RouteInfo {
    /// The method. GET answers HEAD as well.
    pub method: &'static str,
    /// The path, with its variables in braces.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Makes the handler.
    handler: fn() -> Route,
}

/// Who may use a route. The handler's signature enforces it; here it can be read and tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone at all.
    Anyone,
    /// A key with this permission, or an administrator.
    Permission(Permission),
    /// A key with this permission, or an administrator, or who shows neither and signs with the own secret of
    /// a source that has such a key.
    Signature(Permission),
    /// A signed-in administrator.
    Administrator,
    /// A payment provider, which proves itself by signing what it sends.
    Provider,
}

/// Where a request went; kept with the resource for the log and for 405.
pub(crate) struct Place {
    pub(crate) path: &'static str,
    /// What was counted here before.
    pub(crate) counters: Counters,
    allow: String,
}

impl Place {
    /// A path of the table.
    pub(crate) fn new(path: &'static str) -> Place {
        let methods = TABLE.iter().filter(|row| row.path == path).map(|row| row.method);
        Place { path, counters: Counters::default(), allow: allow(methods) }
    }
}

/// Every route.
pub fn routes() -> &'static [RouteInfo] {
    TABLE
}

const fn row(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> Route,
) -> RouteInfo {
    RouteInfo { method, path, access, handler }
}

const fn key(permission: Permission) -> Access {
    Access::Permission(permission)
}

#[rustfmt::skip]
static TABLE: &[RouteInfo] = {
    use Access::{Administrator, Anyone, Provider, Signature};
    use Permission::{ManageKeys, ManageWebhooks, ReadEvents, ReadMetrics, ReadUsers, WriteWebhooks};
    &[
    row("GET", "/", Anyone, || web::to(operations::root::get)),
    row("GET", "/healthz", Anyone, || web::to(operations::healthz::get)),
    row("GET", "/readyz", Anyone, || web::to(operations::readyz::get)),
    row("GET", "/metrics", key(ReadMetrics), || web::to(operations::metrics::get)),
    row("GET", "/openapi.json", Anyone, || web::to(docs::openapi)),
    row("GET", "/docs", Anyone, || web::to(docs::enter)),
    row("GET", "/docs/{file:.*}", Anyone, || web::to(docs::file)),

    row("POST", "/api/auth/login", Anyone, || web::to(auth::login::post)),
    row("POST", "/api/auth/logout", Anyone, || web::to(auth::logout::post)),
    row("GET", "/api/auth/me", Administrator, || web::to(auth::me::get)),

    row("POST", "/api/devops/generate-key", key(ManageKeys), || web::to(keys::generate::post)),
    row("GET", "/api/devops/keys", key(ManageKeys), || web::to(keys::list::get)),
    row("POST", "/api/devops/keys/report-leak", Anyone, || web::to(keys::report_leak::post)),
    row("GET", "/api/devops/keys/{id}", key(ManageKeys), || web::to(keys::show::get)),
    row("PATCH", "/api/devops/keys/{id}", key(ManageKeys), || web::to(keys::change::patch)),
    row("DELETE", "/api/devops/keys/{id}", key(ManageKeys), || web::to(keys::revoke::delete)),
    row("POST", "/api/devops/keys/{id}/rotate", key(ManageKeys), || web::to(keys::rotate::post)),

    row("GET", "/api/devops/sync/users", key(ReadMetrics), || web::to(sync::users::get)),
    row("GET", "/api/devops/sync/revenue", key(ReadMetrics), || web::to(sync::revenue::get)),
    row("GET", "/api/devops/sync/commissions", key(ReadMetrics), || web::to(sync::commissions::get)),
    row("GET", "/api/devops/dashboard", key(ReadMetrics), || web::to(sync::dashboard::get)),
    row("GET", "/your-existing-api/dashboard", key(ReadMetrics), || web::to(sync::dashboard::get_old)),
    row("GET", "/api/devops/dora", key(ReadMetrics), || web::to(dora::get)),
    row("GET", "/api/devops/metrics", key(ReadMetrics), || web::to(figures::catalogue::get)),
    row("GET", "/api/devops/metrics/{name}", key(ReadMetrics), || web::to(figures::metric::get)),
    row("GET", "/api/devops/metrics/{name}/explain", key(ReadMetrics), || web::to(figures::explain::get)),
    row("GET", "/api/devops/restatements", key(ReadMetrics), || web::to(figures::restatements::get)),
    row("GET", "/api/devops/commissions/payout", key(ReadUsers), || web::to(commissions::payout::get)),
    row("POST", "/api/devops/commissions/payout", Administrator, || web::to(commissions::record::post)),
    row("GET", "/api/devops/verify", Administrator, || web::to(figures::verify::get)),
    row("GET", "/api/devops/users", key(ReadUsers), || web::to(users::get)),

    row("POST", "/api/devops/webhook", key(WriteWebhooks), || web::to(events::webhook::post)),
    row("POST", "/api/devops/webhook/batch", key(WriteWebhooks), || web::to(events::batch::post)),
    row("POST", "/api/devops/webhook/{source}", Signature(WriteWebhooks), || web::to(events::webhook::post_named)),
    row("OPTIONS", "/api/devops/webhook", Anyone, || web::to(events::handshake::options)),
    row("OPTIONS", "/api/devops/webhook/{source}", Anyone, || web::to(events::handshake::options_named)),
    row("GET", "/api/devops/events", key(ReadEvents), || web::to(events::list::get)),
    row("GET", "/api/devops/stream", key(ReadEvents), || web::to(events::stream::get)),
    row("GET", "/ws/devops-modules", Anyone, || web::to(modules::get)),
    row("GET", "/api/devops/events/export", key(ReadEvents), || web::to(events::export::get)),
    row("POST", "/api/devops/metrics", key(WriteWebhooks), || web::to(events::metrics::post)),
    row("GET", "/api/devops/config", key(ReadMetrics), || web::to(config::get)),
    row("PATCH", "/api/devops/config", Administrator, || web::to(config::patch)),
    row("GET", "/api/devops/activity", Administrator, || web::to(activity::get)),

    row("GET", "/api/devops/sources", key(ManageWebhooks), || web::to(sources::list::get)),
    row("POST", "/api/devops/sources", key(ManageWebhooks), || web::to(sources::create::post)),
    row("PATCH", "/api/devops/sources/{source}", key(ManageWebhooks), || web::to(sources::change::patch)),
    row("DELETE", "/api/devops/sources/{source}", key(ManageWebhooks), || web::to(sources::remove::delete)),
    row("POST", "/api/devops/sources/{source}/secrets", key(ManageWebhooks), || web::to(sources::add_secret::post)),
    row("DELETE", "/api/devops/sources/{source}/secrets/{secret}", key(ManageWebhooks), || web::to(sources::retire_secret::delete)),

    row("POST", "/create-membership-session", Anyone, || web::to(payments::checkout::membership)),
    row("POST", "/create-reseller-session", Anyone, || web::to(payments::checkout::reseller)),
    row("POST", "/create-pro-reseller-session", Anyone, || web::to(payments::checkout::pro_reseller)),
    row("POST", "/create-tripwire-session", Anyone, || web::to(payments::checkout::tripwire)),
    row("POST", "/create-payment-intent", Anyone, || web::to(payments::intent::post)),
    row("POST", "/webhook", Provider, || web::to(payments::stripe::post)),
    row("POST", "/api/stripe/webhook", Provider, || web::to(payments::stripe::post_api)),
    row("POST", "/api/ai-assistant", Anyone, || web::to(payments::assistant::post)),
    ]
};

/// What machines ask for all day, the most asked first.
const BUSIEST: [&str; 5] = [
    "/api/devops/webhook",
    "/api/devops/sync/users",
    "/api/devops/sync/revenue",
    "/api/devops/sync/commissions",
    "/api/devops/dashboard",
];

/// Adds every route to an application. The framework tries one path after the other: what is asked
/// most comes first, and paths with variables, which cost as much as all others together, last.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let is_busy = |row: &RouteInfo| row.path.starts_with("/api/devops/");
    let rank = |row: &RouteInfo| BUSIEST.iter().position(|path| *path == row.path);
    let rank = |row: &RouteInfo| rank(row).unwrap_or(BUSIEST.len());
    let mut rows: Vec<&RouteInfo> = TABLE.iter().collect();
    rows.sort_by_key(|row| (row.path.contains('{'), rank(row), !is_busy(row)));
    let mut done: Vec<&str> = Vec::new();
    for row in rows {
        if done.contains(&row.path) {
            continue;
        }
        done.push(row.path);
        let methods = || TABLE.iter().filter(|other| other.path == row.path);
        let mut resource = web::resource(row.path)
            .app_data(Place::new(row.path))
            .default_service(web::to(wrong_method));
        for row in methods() {
            resource = resource.route((row.handler)().guard(ByMethod(row.method)));
        }
        config.service(resource);
    }
    config.default_service(web::to(nothing_here));
}

/// GET covers HEAD: the framework leaves the body away.
struct ByMethod(&'static str);

impl Guard for ByMethod {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        match context.head().method.as_str() {
            "HEAD" => self.0 == "GET",
            method => self.0 == method,
        }
    }
}

fn allow<'a>(methods: impl Iterator<Item = &'a str>) -> String {
    let with_head = methods.flat_map(|method| match method {
        "GET" => vec!["GET", "HEAD"],
        method => vec![method],
    });
    with_head.collect::<Vec<_>>().join(", ")
}

/// The methods of the path that a request went to.
pub(crate) fn allowed_methods(request: &HttpRequest) -> String {
    request.app_data::<Place>().map(|place| place.allow.clone()).unwrap_or_default()
}

/// What a path says to a method that it does not have.
pub(crate) async fn wrong_method(request: HttpRequest) -> Outcome<HttpResponse> {
    Err(Problem::method_not_allowed(allowed_methods(&request)))
}

async fn nothing_here() -> Outcome<HttpResponse> {
    Err(Problem::new(Code::NotFound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_stands_twice() {
        for (index, row) in TABLE.iter().enumerate() {
            let same = |other: &RouteInfo| other.method == row.method && other.path == row.path;
            assert!(!TABLE[..index].iter().any(same), "{} {}", row.method, row.path);
        }
    }

    #[test]
    fn nothing_under_api_is_open_by_accident() {
        // Of the webhooks only what a sender asks beforehand (OPTIONS).
        let open: Vec<_> = TABLE
            .iter()
            .filter(|row| row.path.starts_with("/api/") && row.access == Access::Anyone)
            .map(|row| row.path)
            .collect();
        let expected = [
            "/api/auth/login",
            "/api/auth/logout",
            "/api/devops/keys/report-leak",
            "/api/devops/webhook",
            "/api/devops/webhook/{source}",
            "/api/ai-assistant",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn allow_names_head_beside_get() {
        assert_eq!(allow(["GET", "PATCH"].into_iter()), "GET, HEAD, PATCH");
        assert_eq!(allow(["POST"].into_iter()), "POST");
    }
}
