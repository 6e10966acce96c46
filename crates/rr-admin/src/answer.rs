//! The small answers (redirect, refusals) and hexadecimal text.

use std::fmt::Write;

use actix_web::HttpResponse;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, ContentType, LOCATION};

use crate::headers;

/// Sends the browser to `path`. Not permanently: browsers keep a permanent redirect for ever.
pub(crate) fn redirect(path: &'static str) -> HttpResponse {
    let mut response = HttpResponse::TemporaryRedirect();
    headers::common(&mut response);
    response.insert_header((LOCATION, path)).insert_header((CACHE_CONTROL, "no-cache")).finish()
}

/// 404 in words, never the page: a browser that asks for a script must not be handed HTML.
pub(crate) fn not_found() -> HttpResponse {
    let mut response = HttpResponse::NotFound();
    headers::common(&mut response);
    response
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header(ContentType::plaintext())
        .body("There is no such file in the panel.\n")
}

/// 405 with the methods that would have worked.
pub(crate) async fn method_not_allowed() -> HttpResponse {
    let mut response = HttpResponse::MethodNotAllowed();
    headers::common(&mut response);
    response
        .insert_header((ALLOW, "GET, HEAD"))
        .insert_header(ContentType::plaintext())
        .body("The panel's files can only be read.\n")
}

/// Lower-case hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
