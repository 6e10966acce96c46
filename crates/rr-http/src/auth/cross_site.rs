//! Whether a change made with a session cookie comes from our own pages.
//!
//! `SameSite=Strict` already keeps the cookie at home. This is the second lock: it does not
//! depend on what a browser counts as the same site (another port or subdomain of ours is).

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::codes::Code;
use crate::problem::{Outcome, Problem};

/// Refuses a state change that a browser says comes from elsewhere. What carries neither
/// `Sec-Fetch-Site` nor `Origin` was not sent by a page of a browser that knows cookies with
/// `SameSite`: every such browser adds `Origin` to a request that changes something.
pub(crate) fn check_same_site(headers: &HeaderMap, public_url: Option<&str>) -> Outcome<()> {
    let value = |name: &'static str| {
        headers.get(HeaderName::from_static(name)).map(|value| value.to_str().unwrap_or("?"))
    };
    let at_home = match (value("sec-fetch-site"), value("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_own_origin(origin, value("host"), public_url),
        (None, None) => true,
    };
    if at_home { Ok(()) } else { Err(Problem::new(Code::CrossSite)) }
}

/// Ours is the configured address, and whatever address the request itself was sent to. (A page
/// of a foreign name that resolves to us has no cookie of ours to send.)
pub(crate) fn is_own_origin(origin: &str, host: Option<&str>, public_url: Option<&str>) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    if public_url.is_some_and(|url| url.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    http && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn only_our_own_pages_may_change_things() {
        let public = Some("https://devops.example.com");
        for (site, origin, host, public_url, allowed) in [
            (Some("same-origin"), None, "h", None, true),
            (Some("same-origin"), Some("https://evil.example"), "h", None, true),
            (Some("same-site"), None, "h", None, false),
            (Some("cross-site"), None, "h", None, false),
            (Some("cross-site"), Some("http://h"), "h", None, false),
            (Some("none"), None, "h", None, false),
            (Some("SAME-ORIGIN "), None, "h", None, false),
            (None, Some("http://127.0.0.1:5000"), "127.0.0.1:5000", None, true),
            (None, Some("http://127.0.0.1:5001"), "127.0.0.1:5000", None, false),
            (None, Some("https://devops.example.com"), "backend:5000", public, true),
            (None, Some("https://devops.example.com.evil"), "backend:5000", public, false),
            (None, Some("https://evil.example"), "devops.example.com", public, false),
            (None, Some("null"), "h", None, false),
            (None, Some(""), "", None, false),
            (None, Some("ftp://h"), "h", None, false),
            (None, None, "h", None, true),
        ] {
            let mut headers = HeaderMap::new();
            let mut put = |name: &'static str, value: Option<&str>| {
                if let Some(value) = value {
                    headers.insert(
                        HeaderName::from_static(name),
                        HeaderValue::from_str(value).unwrap(),
                    );
                }
            };
            put("sec-fetch-site", site);
            put("origin", origin);
            put("host", Some(host));
            assert_eq!(
                check_same_site(&headers, public_url).is_ok(),
                allowed,
                "{site:?} {origin:?} {host} {public_url:?}"
            );
        }
    }
}
