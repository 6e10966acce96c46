//! The small answers (redirect, refusals) and hexadecimal text.

use std::fmt::Write;

use actix_web::error::{ErrorNotFound, InternalError};
use actix_web::http::header::{ALLOW, CACHE_CONTROL, LOCATION};
use actix_web::{Error, HttpResponse};

use crate::headers;

/// Sends the browser to `path`. Not permanently: browsers keep a permanent redirect for ever.
pub(crate) fn redirect(path: &'static str) -> HttpResponse {
    let mut response = HttpResponse::TemporaryRedirect();
    headers::common(&mut response);
    response.insert_header((LOCATION, path)).insert_header((CACHE_CONTROL, "no-cache")).finish()
}

/// 404, never the page: a browser that asks for a script must not be handed HTML. An error, so that
/// the server it is part of words it like its own.
pub(crate) fn not_found() -> Error {
    ErrorNotFound("There is no such file in the panel.")
}

/// 405 with the methods that would have worked.
pub(crate) async fn method_not_allowed() -> Result<HttpResponse, Error> {
    let response = HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET, HEAD")).finish();
    Err(InternalError::from_response("The panel's files can only be read.", response).into())
}

/// Lower-case hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
