//! `/admin/assets/…`: the built files. Their names carry a hash of their content, so a browser may
//! keep them for ever.

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, Encoding, EntityTag,
    Header, IfNoneMatch, VARY,
};
use actix_web::{Error, HttpRequest, HttpResponse, web};
use rust_embed::{Embed, EmbeddedFile};

use crate::answer;
use crate::headers;
use crate::panel::Panel;

/// `ui/dist` as `npm run build` leaves it. Debug builds read it from disk at each request; release
/// builds carry it.
#[derive(Embed)]
#[folder = "ui/dist/"]
#[allow_missing = true]
pub(crate) struct Built;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Serves one built file in the best form that the browser takes.
pub(crate) async fn asset(
    request: HttpRequest,
    panel: web::Data<Panel>,
    name: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let content_type = content_type(&name).ok_or_else(answer::not_found)?;
    let (file, coding) = best_form(&request, &panel, &name).ok_or_else(answer::not_found)?;
    // Each form has its own bytes and so its own tag, as a strong tag must.
    let tag = EntityTag::new_strong(answer::hex(&file.metadata.sha256_hash()));
    let unchanged = is_held(&request, &tag);

    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    headers::common(&mut response);
    response
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, FOR_EVER))
        .insert_header((VARY, "accept-encoding"));
    if unchanged {
        return Ok(response.finish());
    }
    response.insert_header((CONTENT_TYPE, content_type));
    if let Some(coding) = coding {
        response.insert_header((CONTENT_ENCODING, coding));
    }
    Ok(response.body(file.data.into_owned()))
}

/// The type of a built file, or `None` for what the panel never asks for (the compressed forms
/// among them).
fn content_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// The smallest form that exists and that the browser takes, with the name of its coding.
fn best_form(
    request: &HttpRequest,
    panel: &Panel,
    name: &str,
) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = AcceptEncoding::parse(request).ok();
    let takes = |coding: Encoding| {
        // `negotiate` answers identity when the header is absent, and whenever `coding` is refused.
        let offered = [coding.clone(), Encoding::identity()];
        accepted.as_ref().and_then(|accepted| accepted.negotiate(offered.iter())) == Some(coding)
    };
    let file = |ending: &str| panel.file(&format!("assets/{name}{ending}"));
    if takes(Encoding::brotli())
        && let Some(file) = file(".br")
    {
        return Some((file, Some("br")));
    }
    if takes(Encoding::gzip())
        && let Some(file) = file(".gz")
    {
        return Some((file, Some("gzip")));
    }
    Some((file("")?, None))
}

/// Whether the browser says that it already holds the form tagged `tag`.
fn is_held(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(held)) => held.iter().any(|held| held.weak_eq(tag)),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_the_panel_asks_for_have_a_type() {
        assert_eq!(content_type("index-Ab12.js"), Some("text/javascript; charset=utf-8"));
        assert_eq!(content_type("index-Ab12.css"), Some("text/css; charset=utf-8"));
        assert_eq!(content_type("index-Ab12.js.br"), None);
        assert_eq!(content_type("index.html"), None);
        assert_eq!(content_type("noextension"), None);
    }
}
