//! Response headers that keep the panel's page to its own scripts, styles and server.

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{
    HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// The Content-Security-Policy of one page.
///
/// Scripts and style elements run only with this response's nonce. There is no `'self'` for
/// scripts, because some answers of the same server carry text that strangers wrote. No page may
/// frame the panel: a frame on another site would have no session anyway (the cookie is
/// `SameSite=Strict`), and would only serve to trick clicks out of people. Trusted Types close the
/// remaining way from a string to markup; the panel's one policy lets through text without `<`.
pub(crate) fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; \
         object-src 'none'; form-action 'self'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types default"
    )
}

/// What every file of the panel says, page or asset.
pub(crate) fn common(response: &mut HttpResponseBuilder) {
    response
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .insert_header((HeaderName::from_static("cross-origin-resource-policy"), "same-origin"));
}
