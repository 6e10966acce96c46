//! The OpenAPI 3.1 document, from the code.
//!
//! Each endpoint documents what is its own. What holds for all (who may call, the problems that
//! anything can end in) is added here from the route table, so that the two cannot drift apart.

use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};

mod delivery;
mod schemas;

pub(crate) use delivery::DeliveryFigures;
pub(crate) use schemas::{
    CommissionFigures, Dashboard, LeakAnswer, LeakBody, Problem, RevenueFigures, UserFigures,
};

use crate::endpoints::{
    activity, auth, commissions, config, docs, dora, events, figures, keys, modules, operations,
    payments, sources, sync, users,
};
use crate::routes::{Access, RouteInfo, routes};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Revenue Ripple integration server",
        description = "Keys, figures and events of a Revenue Ripple installation. Errors are \
                       application/problem+json; every answer carries X-Request-Id.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        operations::root::get, operations::healthz::get, operations::readyz::get,
        operations::metrics::get, docs::openapi,
        auth::login::post, auth::logout::post, auth::me::get,
        keys::generate::post, keys::list::get, keys::show::get, keys::change::patch,
        keys::revoke::delete, keys::rotate::post, keys::report_leak::post,
        sync::users::get, sync::revenue::get, sync::commissions::get, sync::dashboard::get,
        sync::dashboard::get_old,
        dora::get,
        figures::catalogue::get, figures::metric::get, figures::explain::get,
        figures::restatements::get, figures::verify::get, commissions::payout::get,
        commissions::record::post,
        users::get,
        events::webhook::post, events::webhook::post_named, events::batch::post, events::list::get,
        events::handshake::options, events::handshake::options_named,
        events::export::get, events::stream::get, modules::get, events::metrics::post,
        config::get, config::patch, activity::get,
        sources::list::get, sources::create::post, sources::change::patch, sources::remove::delete,
        sources::add_secret::post, sources::retire_secret::delete,
        payments::checkout::membership, payments::checkout::reseller,
        payments::checkout::pro_reseller, payments::checkout::tripwire,
        payments::intent::post, payments::stripe::post, payments::stripe::post_api,
        payments::assistant::post,
    ),
    components(schemas(Problem, UserFigures, RevenueFigures, CommissionFigures, Dashboard)),
    tags(
        (name = "figures", description = "Permission `read_metrics`"),
        (name = "users", description = "Permission `read_users`"),
        (name = "events", description = "Permissions `write_webhooks` and `read_events`"),
        (name = "sources", description = "Where webhooks come from; permission `manage_webhooks`"),
        (name = "keys", description = "Permission `manage_keys`"),
        (name = "session", description = "Signing in and out"),
        (name = "config", description = "Switches of the DevOps module's agents"),
        (name = "payments", description = "Optional"),
        (name = "assistant", description = "Optional"),
        (name = "operations", description = "For those who run it"),
    )
)]
struct Document;

/// The document.
pub fn openapi() -> OpenApi {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    for (name, scheme) in schemes() {
        components.security_schemes.insert(name.to_owned(), scheme.into());
    }
    for route in routes() {
        let path = document.paths.paths.get_mut(route.path);
        if let Some(operation) = path.and_then(|item| operation(item, route.method)) {
            complete(operation, route);
        }
    }
    document
}

const KEY: &str = "api_key";
const BEARER: &str = "bearer";
const SESSION: &str = "session";

fn schemes() -> [(&'static str, SecurityScheme); 3] {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    [
        (KEY, SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")))),
        (BEARER, SecurityScheme::Http(bearer)),
        (SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("rr_session")))),
    ]
}

/// The operation of a method, if the path has one.
fn operation<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

fn complete(operation: &mut Operation, route: &RouteInfo) {
    let requirement = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    let (security, mut statuses) = match route.access {
        Access::Anyone | Access::Provider => (Vec::new(), Vec::new()),
        Access::Administrator => (vec![requirement(SESSION)], vec![401, 403, 503]),
        Access::Permission(permission) | Access::Signature(permission) => {
            let mut note = format!("Needs the permission `{}`.", permission.name());
            let mut all = vec![requirement(KEY), requirement(BEARER), requirement(SESSION)];
            if let Access::Signature(_) = route.access {
                note.push_str(
                    " Without any credential the request must be signed with the source's own secret, and \
                     the key that the source is bound to must have it.",
                );
                all.push(SecurityRequirement::default());
            }
            let text = operation.description.get_or_insert_default();
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&note);
            (all, vec![401, 403, 429, 503])
        }
    };
    if !security.is_empty() {
        operation.security = Some(security);
        statuses.push(400);
    }
    if operation.request_body.is_some() {
        statuses.extend([400, 408, 413, 415, 422]);
    }
    for status in statuses {
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert_with(|| RefOr::T(problem_response(status)));
    }
}

fn problem_response(status: u16) -> Response {
    let meaning = match status {
        400 => "The request cannot be read, or has an unknown or repeated parameter",
        401 => "No credential, or one that is not valid",
        403 => "The credential does not reach this far",
        408 => "The body did not arrive in time",
        413 => "The body is too large",
        415 => "The body is not JSON in UTF-8",
        422 => "A field is wrong; see `errors`",
        429 => "The key's limit is used up; see Retry-After",
        _ => "Temporary trouble; see Retry-After. Nothing was stored",
    };
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(meaning)
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(RefOr::Ref(schema))).build(),
        )
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn document() -> Value {
        serde_json::to_value(openapi()).unwrap()
    }

    #[test]
    fn table_and_document_agree() {
        let document = document();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut documented: Vec<(String, String)> = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.push((method.to_uppercase(), path.clone()));
            }
        }
        let mut table: Vec<(String, String)> = routes()
            .iter()
            .filter(|route| !route.path.starts_with("/docs"))
            .map(|route| (route.method.to_owned(), route.path.to_owned()))
            .collect();
        documented.sort();
        table.sort();
        assert_eq!(documented, table);
    }

    #[test]
    fn every_operation_says_who_may_call_and_what_can_go_wrong() {
        let document = document();
        for route in routes().iter().filter(|route| !route.path.starts_with("/docs")) {
            let operation = &document["paths"][route.path][route.method.to_lowercase()];
            let has = |status: &str| operation["responses"].get(status).is_some();
            match route.access {
                Access::Anyone | Access::Provider => {
                    assert!(operation.get("security").is_none(), "{}", route.path);
                }
                Access::Administrator | Access::Permission(_) | Access::Signature(_) => {
                    assert!(!operation["security"].as_array().unwrap().is_empty());
                    assert!(has("401") && has("403"), "{}", route.path);
                }
            }
            if operation.get("requestBody").is_some() {
                assert!(has("415") && has("422"), "{}", route.path);
            }
            assert!(operation["operationId"].is_string(), "{}", route.path);
            assert!(operation["summary"].is_string(), "{}", route.path);
        }
    }

    #[test]
    fn operation_ids_are_unique() {
        let document = document();
        let mut ids: Vec<&str> = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|item| item.as_object().unwrap().values())
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{ids:?}");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    for (name, member) in members {
                        if name == "$ref" {
                            found.push(member.as_str().unwrap().to_owned());
                        }
                        walk(member, found);
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
                _ => {}
            }
        }
        let document = document();
        let mut found = Vec::new();
        walk(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
