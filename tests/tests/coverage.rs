//! Walks the route table and fails on a route without an access rule, without a description, or
//! without tests. What a route refuses is tried here for every route there is, so a new one is
//! covered the moment it exists; what it reads has to be added to `samples`.

use std::collections::BTreeSet;

use rr_http::{Access, RouteInfo};
use rr_tests::app::TestApp;
use serde_json::json;

use crate::samples::{LINES, SAMPLES, WITHOUT_BODY, fill};

/// What a protected route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Permission(&'static str),
    Administrator,
}

/// Every route that not everyone may use.
pub(crate) fn protected_routes() -> impl Iterator<Item = (&'static RouteInfo, Needs)> {
    rr_http::routes().iter().filter_map(|route| match route.access {
        Access::Permission(permission) | Access::Signature(permission) => {
            Some((route, Needs::Permission(permission.name())))
        }
        Access::Administrator => Some((route, Needs::Administrator)),
        Access::Anyone | Access::Provider => None,
    })
}

fn path_of(route: &RouteInfo) -> String {
    fill(route.path, "018f2b5e-0000-7000-8000-000000000001")
}

/// (n) Nothing about keys, nor anything else, is told to who shows no credential.
#[tokio::test]
async fn a_protected_route_refuses_whoever_shows_nothing() {
    let app = TestApp::init().await;
    let before = app.counts().await;
    let mut routes = 0;
    for (route, _) in protected_routes() {
        let answer = app.call(route.method, &path_of(route)).await;
        answer.problem(401, "unauthenticated");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, Some(r#"Bearer realm="revenue-ripple""#), "{}", route.path);
        routes += 1;
    }
    assert!(routes > 10, "the route table is suspiciously short");
    assert_eq!(app.counts().await, before);
}

#[tokio::test]
async fn a_protected_route_refuses_a_key_without_its_permission() {
    let app = TestApp::init().await;
    let nothing = app.with_key(&[]).await;
    for (route, needs) in protected_routes() {
        let others: Vec<&str> = rr_http::Permission::ALL
            .iter()
            .map(|permission| permission.name())
            .filter(|name| needs != Needs::Permission(name))
            .collect();
        let all_others = app.with_key(&others).await;
        let before = app.counts().await;
        for key in [&nothing, &all_others] {
            let answer = key.call(route.method, &path_of(route)).await;
            match needs {
                Needs::Administrator => {
                    answer.problem(403, "not_administrator");
                }
                Needs::Permission(name) => {
                    let problem = answer.problem(403, "insufficient_scope");
                    assert_eq!(problem["required"], name, "{}", route.path);
                    assert_eq!(problem["missing"], json!([name]), "{}", route.path);
                }
            }
        }
        assert_eq!(app.counts().await, before, "{}", route.path);
    }
}

#[tokio::test]
async fn a_key_with_the_permission_and_an_administrator_get_past_the_door() {
    let app = TestApp::init().await;
    for (route, needs) in protected_routes() {
        // Some of the routes end the session, so each gets one of its own.
        let admin = app.as_admin().await;
        let answer = admin.call(route.method, &path_of(route)).await;
        assert!(![401, 403].contains(&answer.code()), "{}: {}", route.path, answer.text());
        assert!(answer.code() < 500, "{}: {}", route.path, answer.text());
        if let Needs::Permission(name) = needs {
            // A key can hand on only what it has, and a new key gets these two unless it says otherwise.
            let key = app.with_key(&[name, "read_metrics", "write_webhooks"]).await;
            let answer = key.call(route.method, &path_of(route)).await;
            assert!(![401, 403].contains(&answer.code()), "{}: {}", route.path, answer.text());
            assert!(answer.code() < 500, "{}: {}", route.path, answer.text());
        }
    }
}

#[tokio::test]
async fn a_route_refuses_every_method_that_it_does_not_have() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let before = app.counts().await;
    for route in rr_http::routes() {
        let own: Vec<&str> = rr_http::routes()
            .iter()
            .filter(|other| other.path == route.path)
            .map(|other| other.method)
            .collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if own.contains(&method) {
                continue;
            }
            let answer = admin.call(method, &path_of(route)).await;
            answer.problem(405, "method_not_allowed");
            let allowed: Vec<&str> =
                answer.header("allow").unwrap().split(',').map(str::trim).collect();
            for method in &own {
                assert!(allowed.contains(method), "{}: {allowed:?}", route.path);
            }
            assert!(!allowed.contains(&method), "{}: {allowed:?}", route.path);
        }
    }
    assert_eq!(app.counts().await, before);
}

#[test]
fn every_route_is_described_with_what_it_refuses() {
    let document = serde_json::to_value(rr_http::openapi()).unwrap();
    for route in rr_http::routes() {
        // The page that shows the description is no part of what is described.
        if route.path.starts_with("/docs") {
            continue;
        }
        let operation = &document["paths"][route.path][route.method.to_ascii_lowercase()];
        let place = format!("{} {}", route.method, route.path);
        assert!(operation.is_object(), "{place} is not in the OpenAPI document");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(!responses.is_empty(), "{place} answers nothing");
        let protected = !matches!(route.access, Access::Anyone | Access::Provider);
        if protected {
            for status in ["401", "403"] {
                assert!(responses.contains_key(status), "{place} does not tell of {status}");
            }
            assert!(operation["security"].is_array(), "{place} asks for no credential");
        }
    }
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let known = rr_http::routes()
                .iter()
                .any(|route| route.path == path && route.method.eq_ignore_ascii_case(method));
            assert!(known, "{method} {path} is described and does not exist");
        }
    }
}

/// The document of the wire names every route, with whom it lets in, and no other.
#[test]
fn every_route_stands_in_the_document_of_the_api() {
    let document = document_of_the_api();
    let (_, table) = document.split_once("## Every path").expect("a table of every path");
    let shown: BTreeSet<(&str, &str)> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(request, rest)| (request, rest.split([',', '|']).next().unwrap().trim()))
        .collect();
    let routes: Vec<(String, String)> = rr_http::routes()
        .iter()
        .map(|route| {
            let who = match route.access {
                Access::Permission(needed) | Access::Signature(needed) => {
                    format!("`{}`", needed.name())
                }
                Access::Administrator => "an administrator".to_owned(),
                Access::Anyone | Access::Provider => "anyone".to_owned(),
            };
            (format!("{} {}", route.method, route.path.replace(":.*", "")), who)
        })
        .collect();
    let known = routes.iter().map(|(request, who)| (request.as_str(), who.as_str())).collect();
    let missing: Vec<_> = shown.symmetric_difference(&known).collect();
    assert!(
        missing.is_empty(),
        "docs/api.md, \"Every path\", and the routes differ in {missing:?}"
    );
}

/// So does its table of what a new key can be told.
#[test]
fn every_field_of_a_new_key_stands_in_the_document_of_the_api() {
    let document = document_of_the_api();
    let (_, section) = document.split_once("### POST /api/devops/generate-key").unwrap();
    let shown: BTreeSet<&str> = section
        .lines()
        .take_while(|line| !line.starts_with("```"))
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let described = serde_json::to_value(rr_http::openapi()).unwrap();
    let fields = &described["components"]["schemas"]["KeyRequest"]["properties"];
    let known = fields.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(shown, known);
}

fn document_of_the_api() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md")).unwrap()
}

#[test]
fn every_route_that_could_read_a_body_is_in_the_sweeps() {
    for route in rr_http::routes() {
        if !["POST", "PUT", "PATCH", "DELETE"].contains(&route.method) {
            continue;
        }
        let place = (route.method, route.path);
        let sampled = SAMPLES.iter().any(|sample| (sample.method, sample.path) == place);
        let lists = [sampled, WITHOUT_BODY.contains(&place), LINES.contains(&place)];
        let times = lists.into_iter().filter(|listed| *listed).count();
        assert_eq!(times, 1, "{place:?} belongs into exactly one list of samples.rs");
    }
    let known = |place: (&str, &str)| {
        rr_http::routes().iter().any(|route| (route.method, route.path) == place)
    };
    assert!(SAMPLES.iter().all(|sample| known((sample.method, sample.path))));
    assert!(WITHOUT_BODY.iter().chain(LINES).all(|place| known(*place)));
}

/// The samples are good: the sweeps change one thing at a time about them.
#[tokio::test]
async fn every_sample_is_taken() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for sample in SAMPLES {
        let id = app.with_key(&["write_webhooks"]).await.id.to_string();
        let answer =
            admin.call(sample.method, &fill(sample.path, &id)).json(&(sample.body)()).await;
        let expected = if sample.path == "/api/auth/login" { 401 } else { 200 };
        assert_eq!(answer.code(), expected, "{}: {}", sample.path, answer.text());
    }
}
