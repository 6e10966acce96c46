//! `/openapi.json` and the page that shows it. Everything comes out of this binary: the page
//! works without the internet.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use utoipa_swagger_ui::Config;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// The page needs its own scripts and styles (it writes style attributes), and calls this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
                      object-src 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document, written out once.
static DOCUMENT: OnceLock<Bytes> = OnceLock::new();

/// This description of the API, OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "operations",
    responses((status = 200, description = "The document", body = Object)))]
pub(crate) async fn openapi() -> Outcome<HttpResponse> {
    let document = match DOCUMENT.get() {
        Some(document) => document.clone(),
        None => {
            let text = crate::openapi::openapi().to_json();
            let text = text.map_err(|_| Problem::new(Code::Internal))?;
            DOCUMENT.get_or_init(|| Bytes::from(text)).clone()
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .body(document))
}

/// The page's files are named relative to a folder, so its address must end in `/`.
pub(crate) async fn enter() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// The page and its files.
pub(crate) async fn file(file: web::Path<String>) -> Outcome<HttpResponse> {
    let name = match file.as_str() {
        "" => "index.html",
        name => name,
    };
    let config = Config::new(["/openapi.json"]).validator_url("none").try_it_out_enabled(true);
    let file = utoipa_swagger_ui::serve(name, Arc::new(config))
        .map_err(|_| Problem::new(Code::Internal))?
        .ok_or_else(|| Problem::new(Code::NotFound))?;
    let body = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Ok(HttpResponse::Ok()
        .content_type(with_charset(&file.content_type))
        .insert_header((header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .body(body))
}

fn with_charset(media_type: &str) -> String {
    if media_type.starts_with("text/") && !media_type.contains("charset") {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_owned()
    }
}
