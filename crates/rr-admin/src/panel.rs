//! The one thing a server needs: [`Panel`], and the paths that it adds.

use std::fmt;
use std::sync::Arc;

use actix_web::guard::{Any, Get, Head};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};
use rust_embed::EmbeddedFile;

use crate::{answer, assets, page};

/// Where the panel lives. The name is a promise to those who have it bookmarked.
pub const PANEL_PATH: &str = "/admin/embedded-widget";

/// Overwrites a buffer with unpredictable bytes.
type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// The panel, ready to be added to a server. Clones are cheap; each worker takes one.
#[derive(Clone)]
pub struct Panel {
    fill: Arc<Fill>,
    files: fn(&str) -> Option<EmbeddedFile>,
}

impl Panel {
    /// A panel whose nonces come from `fill`, which must write unpredictable bytes: a guessed nonce
    /// would let injected markup run as script.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Panel {
        Panel { fill: Arc::new(fill), files: assets::Built::get }
    }

    /// Adds `/admin` and everything below it.
    pub fn configure(&self, config: &mut ServiceConfig) {
        config.service(
            web::scope("/admin")
                .app_data(web::Data::new(self.clone()))
                .service(at("", read().to(enter)))
                .service(at("/", read().to(enter)))
                .service(at("/assets/{name:.*}", read().to(assets::asset)))
                .service(at("/{place:.*}", read().to(page::page))),
        );
    }

    /// Whether the built files are there. When they are not, the panel's page says how to build
    /// them.
    pub fn is_built(&self) -> bool {
        self.file("index.html").is_some()
    }

    /// A built file, by its path inside `ui/dist`.
    pub(crate) fn file(&self, path: &str) -> Option<EmbeddedFile> {
        (self.files)(path)
    }

    /// Sixteen fresh bytes, as hexadecimal text: one response's nonce.
    pub(crate) fn nonce(&self) -> String {
        let mut bytes = [0; 16];
        (self.fill)(&mut bytes);
        answer::hex(&bytes)
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Panel")
    }
}

/// A path that answers `route` and refuses every other method.
fn at(path: &str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(web::to(answer::method_not_allowed))
}

/// GET and HEAD: the panel's files are only ever read.
fn read() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

async fn enter() -> HttpResponse {
    answer::redirect(PANEL_PATH)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use actix_web::dev::ServiceResponse;
    use actix_web::http::{Method, StatusCode};
    use actix_web::{App, body, test};
    use rust_embed::Embed;

    use super::*;

    /// A build as small as one can be, so that these tests do not depend on Node having run.
    #[derive(Embed)]
    #[folder = "fixture/"]
    struct Fixture;

    fn fixture() -> Panel {
        let calls = AtomicU8::new(0);
        let fill = move |bytes: &mut [u8]| bytes.fill(calls.fetch_add(1, Ordering::Relaxed));
        Panel { fill: Arc::new(fill), files: Fixture::get }
    }

    fn unbuilt() -> Panel {
        Panel { files: |_| None, ..fixture() }
    }

    async fn ask(panel: &Panel, request: test::TestRequest) -> ServiceResponse {
        let panel = panel.clone();
        let app = App::new().configure(move |config| panel.configure(config));
        test::call_service(&test::init_service(app).await, request.to_request()).await
    }

    async fn get(panel: &Panel, path: &str) -> ServiceResponse {
        ask(panel, test::TestRequest::with_uri(path)).await
    }

    fn header<'a>(response: &'a ServiceResponse, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    async fn text(response: ServiceResponse) -> String {
        let bytes = body::to_bytes(response.into_body()).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[actix_web::test]
    async fn admin_leads_to_the_panel() {
        for path in ["/admin", "/admin/"] {
            let response = get(&fixture(), path).await;
            assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
            assert_eq!(header(&response, "location"), "/admin/embedded-widget");
        }
    }

    #[actix_web::test]
    async fn every_place_serves_the_page_with_its_own_nonce() {
        let panel = fixture();
        let mut policies = Vec::new();
        for path in [PANEL_PATH, "/admin/embedded-widget/keys", "/admin/embedded-widget/a/b.c"] {
            let response = get(&panel, path).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header(&response, "cache-control"), "no-cache");
            assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8");
            assert_eq!(header(&response, "x-content-type-options"), "nosniff");
            let policy = header(&response, "content-security-policy").to_owned();
            let html = text(response).await;
            let (_, rest) = html.split_once("nonce=\"").unwrap();
            let (nonce, _) = rest.split_once('"').unwrap();
            assert_eq!(nonce.len(), 32);
            assert!(policy.contains(&format!("script-src 'nonce-{nonce}';")), "{policy}");
            assert!(!html.contains("__CSP_NONCE__"));
            policies.push(policy);
        }
        policies.dedup();
        assert_eq!(policies.len(), 3, "a nonce was used twice");
    }

    #[actix_web::test]
    async fn the_policy_names_nothing_but_this_server() {
        let response = get(&fixture(), PANEL_PATH).await;
        let policy = header(&response, "content-security-policy");
        for rule in
            ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"]
        {
            assert!(policy.contains(rule), "{rule} is missing from {policy}");
        }
        for weakness in ["unsafe-inline", "unsafe-eval", "http:", "https:", "*"] {
            assert!(!policy.contains(weakness), "{weakness} in {policy}");
        }
    }

    #[actix_web::test]
    async fn assets_are_kept_for_ever_and_revalidate_by_tag() {
        let response = get(&fixture(), "/admin/assets/app-0a1b2c3d.js").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&response, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header(&response, "content-encoding"), "");
        let tag = header(&response, "etag").to_owned();
        assert_eq!(text(response).await, "export {};\n");

        let again = test::TestRequest::with_uri("/admin/assets/app-0a1b2c3d.js")
            .insert_header(("if-none-match", tag.clone()));
        let response = ask(&fixture(), again).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(&response, "etag"), tag);

        let other = test::TestRequest::with_uri("/admin/assets/app-0a1b2c3d.js")
            .insert_header(("if-none-match", "\"something-else\""));
        assert_eq!(ask(&fixture(), other).await.status(), StatusCode::OK);
    }

    #[actix_web::test]
    async fn the_best_compressed_form_that_is_taken_is_sent() {
        for (accept, coding) in [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip, deflate", "gzip"),
            ("br;q=0, gzip", "gzip"),
            ("identity", ""),
            ("gzip;q=0", ""),
            ("nonsense", ""),
        ] {
            let request = test::TestRequest::with_uri("/admin/assets/app-0a1b2c3d.js")
                .insert_header(("accept-encoding", accept));
            let response = ask(&fixture(), request).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header(&response, "content-encoding"), coding, "for {accept}");
            assert_eq!(header(&response, "vary"), "accept-encoding");
        }
    }

    #[actix_web::test]
    async fn a_missing_asset_is_never_answered_with_the_page() {
        for path in [
            "/admin/assets/none.js",
            "/admin/assets/",
            "/admin/assets/app-0a1b2c3d.js.br",
            "/admin/assets/../index.html",
            "/admin/assets/..%2Findex.html",
            "/admin/assets/%2e%2e/%2e%2e/src/lib.rs",
        ] {
            assert_eq!(get(&fixture(), path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[actix_web::test]
    async fn files_can_only_be_read() {
        for path in ["/admin", PANEL_PATH, "/admin/assets/app-0a1b2c3d.js"] {
            let post = test::TestRequest::with_uri(path).method(Method::POST);
            let response = ask(&fixture(), post).await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(header(&response, "allow"), "GET, HEAD");
            let head = test::TestRequest::with_uri(path).method(Method::HEAD);
            assert!(!ask(&fixture(), head).await.status().is_client_error(), "{path}");
        }
    }

    #[actix_web::test]
    async fn an_unbuilt_panel_says_how_to_build_it() {
        assert!(fixture().is_built());
        assert!(!unbuilt().is_built());
        let response = get(&unbuilt(), PANEL_PATH).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(text(response).await.contains("cargo xtask ui"));
    }
}
