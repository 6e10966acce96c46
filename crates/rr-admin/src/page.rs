//! The page itself: one HTML file for every path, with a fresh nonce in each response.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType};
use actix_web::{HttpResponse, web};

use crate::headers;
use crate::panel::Panel;

/// What the build writes wherever a nonce belongs (`html.cspNonce` in `ui/vite.config.ts`).
const NONCE_PLACEHOLDER: &str = "__CSP_NONCE__";

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <title>The panel is not built</title>\n<h1>The panel is not built</h1>\n\
    <p>Run <code>cargo xtask ui</code> in the repository, then reload this page \
    (a release build must be compiled again).</p>\n</html>\n";

/// Serves the page. Every path below `/admin` is a place in the panel, which reads it itself.
pub(crate) async fn page(panel: web::Data<Panel>) -> HttpResponse {
    let nonce = panel.nonce();
    let html =
        panel.file("index.html").and_then(|file| String::from_utf8(file.data.into_owned()).ok());
    let mut response = match html {
        Some(_) => HttpResponse::Ok(),
        None => HttpResponse::ServiceUnavailable(),
    };
    headers::common(&mut response);
    response
        .insert_header((CONTENT_SECURITY_POLICY, headers::content_security_policy(&nonce)))
        // No tag and no date: the nonce must be new each time, so there is nothing to revalidate.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header(ContentType::html());
    match html {
        Some(html) => response.body(html.replace(NONCE_PLACEHOLDER, &nonce)),
        None => response.body(NOT_BUILT),
    }
}
