//! The examples do what their readers are told, and the guide quotes them to the letter.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rr_keys::{
    HashScheme, KeyFormat, KeyRecord, MemoryStore, RateLimits, Verifier, VerifierOptions,
};
use uuid::Uuid;

#[path = "../examples/actix_service.rs"]
mod actix_service;
#[expect(dead_code, reason = "the program's own main is not called here")]
#[path = "../examples/axum_service.rs"]
mod axum_service;
#[expect(dead_code, reason = "the program's own main is not called here")]
#[path = "../examples/issuer.rs"]
mod issuer;

/// A verifier that knows one key, which has this permission and these limits, and the key.
fn verifier(permission: &str, rate_limits: RateLimits) -> (Arc<Verifier<MemoryStore>>, String) {
    let store = MemoryStore::new();
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(7));
    let record = KeyRecord {
        permissions: [permission].into_iter().collect(),
        rate_limits,
        ..KeyRecord::new(Uuid::from_u128(1), "first key", SystemTime::UNIX_EPOCH)
    };
    store.insert(issued.hash(&HashScheme::default()), record);
    let verifier = Arc::new(Verifier::new(store, VerifierOptions::default()));
    (verifier, issued.secret.expose().to_owned())
}

/// Path, whether the key is shown, status, body of a success.
const ANSWERS: &[(&str, bool, u16, &str)] = &[
    ("/orders", true, 200, "orders for first key\n"),
    ("/orders", false, 401, ""),
    ("/refunds", true, 403, ""),
    ("/whoami", true, 200, "00000000-0000-0000-0000-000000000001 first key\n"),
    ("/whoami", false, 401, ""),
    ("/health", false, 200, "fine"),
];

#[tokio::test]
async fn the_axum_service_answers() {
    use tower::ServiceExt as _;

    let (verifier, key) = verifier("read_orders", RateLimits::default());
    let app = axum_service::app(verifier);
    for (path, shown, status, body) in ANSWERS {
        let mut request = http::Request::builder().uri(*path);
        if *shown {
            request = request.header("x-api-key", &key);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), *status, "{path}");
        let bytes = axum::body::to_bytes(response.into_body(), 1_024).await.unwrap();
        assert!(*status != 200 || bytes == body.as_bytes(), "{path}: {bytes:?}");
    }
}

#[tokio::test]
async fn a_permission_made_of_the_path_is_one_that_patterns_cover() {
    use tower::ServiceExt as _;

    for (permission, path, status) in [
        ("read:orders/*", "/orders/17", 200),
        ("read:orders/17", "/orders/17", 200),
        ("read:orders/18", "/orders/17", 403),
        ("read:orders/*", "/orders", 403),
        ("read_orders", "/orders/17", 403),
        // What would be another path once it is decoded.
        ("read:orders/*", "/orders/%2e%2e", 403),
        ("read:orders/*", "/orders/..%2frefunds", 403),
    ] {
        let (verifier, key) = verifier(permission, RateLimits::default());
        let request = http::Request::builder().uri(path).header("x-api-key", &key);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = axum_service::app(verifier).oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{permission} {path}");
    }
}

#[actix_web::test]
async fn the_actix_service_answers() {
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    let (verifier, key) = verifier("read_orders", actix_service::limits().unwrap());
    let app = actix_web::App::new().app_data(actix_service::gate(verifier));
    let app = init_service(app.configure(actix_service::routes)).await;
    for (path, shown, status, body) in ANSWERS {
        let mut request = TestRequest::with_uri(path);
        if *shown {
            request = request.insert_header(("x-api-key", key.as_str()));
        }
        let response = call_service(&app, request.to_request()).await;
        assert_eq!(response.status().as_u16(), *status, "{path}");
        let bytes = read_body(response).await;
        assert!(*status != 200 || bytes == body.as_bytes(), "{path}: {bytes:?}");
    }
}

#[tokio::test]
async fn the_issuers_file_holds_hashes_and_a_line_ends_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.jsonl");
    let store = || issuer::FileStore(file.clone());
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(7));
    let key = issued.secret.expose();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    assert!(issuer::verify(store(), "read", key, now).await.is_err(), "there is no file yet");

    let id = issuer::write(&store(), &issued, "test", &["read"], now).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(key) && text.contains(&issued.hint), "{text}");
    issuer::verify(store(), "read", &format!("{key}\n"), now).await.unwrap();
    let refusal = issuer::verify(store(), "write", key, now).await.unwrap_err();
    assert_eq!(refusal.to_string(), "the key lacks the permission write");

    assert!(issuer::revoke(&store(), "another", now).is_err());
    issuer::verify(store(), "read", key, now).await.unwrap();
    issuer::revoke(&store(), &id.to_string(), now).unwrap();
    let refusal = issuer::verify(store(), "read", key, now).await.unwrap_err();
    assert_eq!(refusal.to_string(), "the key has been revoked");

    std::fs::write(&file, format!("{text}half a li")).unwrap();
    assert!(
        issuer::verify(store(), "read", key, now).await.is_err(),
        "what cannot be read opens nothing"
    );
}

const GUIDE: &str = include_str!("../../../docs/embedding-rr-keys.md");
const AXUM: &str = include_str!("../examples/axum_service.rs");
const ACTIX: &str = include_str!("../examples/actix_service.rs");
const ISSUER: &str = include_str!("../examples/issuer.rs");

/// The fenced blocks of one language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let opened = text.split(&fence).skip(1);
    opened.filter_map(|rest| rest.split_once("```")).map(|(block, _)| block).collect()
}

/// Every block of Rust in the guides stands in an example, so what compiles there is what people copy.
#[test]
fn the_guides_quote_the_examples() {
    let guides = [GUIDE, include_str!("../../../README.md")];
    let blocks: Vec<&str> = guides.iter().flat_map(|guide| blocks(guide, "rust")).collect();
    assert!(blocks.len() >= 4, "the guides show code");
    for block in blocks {
        let quoted = [AXUM, ACTIX, ISSUER].iter().any(|file| file.contains(block.trim_end()));
        assert!(quoted, "this stands in no example:\n{block}");
    }
}

/// Whoever follows the guide has a program: the first two blocks are the examples from their first `use` to their
/// end, which leaves out what our own lints want, and the commands before them add every crate that they name.
#[test]
fn the_guide_shows_whole_programs() {
    let programs = [AXUM, ACTIX].map(|file| file.find("use ").map(|start| &file[start..]).unwrap());
    assert_eq!(blocks(GUIDE, "rust")[..2], programs);
    for (program, commands) in programs.iter().zip(blocks(GUIDE, "sh")) {
        let added: Vec<String> = commands
            .lines()
            .filter_map(|line| line.strip_prefix("cargo add "))
            .flat_map(|line| line.split(" --").next().unwrap_or_default().split(' '))
            .map(|name| name.replace('-', "_"))
            .collect();
        let imported = |name: &str| {
            let mut imports = program.lines().filter(|line| line.starts_with("use "));
            imports.any(|line| line.trim_end_matches([';', '}']).ends_with(&format!(" {name}")))
        };
        for word in program.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            let Some((root, rest)) = word.split_once("::") else { continue };
            let is_module = root.starts_with(char::is_lowercase) && !rest.is_empty();
            let is_crate = is_module && !imported(root);
            assert!(
                !is_crate || root == "std" || added.iter().any(|name| name == root),
                "{root} is not among {added:?}"
            );
        }
    }
}
