//! Query strings of lists: every parameter known, none twice.
//!
//! A path that has no parameters passes over its query string: old clients append one to get round
//! caches. The present figures alone look whether it asks for an instant, which would show the wrong
//! thing.

use std::borrow::Cow;

use actix_web::HttpRequest;
use rr_domain::Timestamp;
use rr_store::{Cursor, PageRequest};

use crate::auth::state_of;
use crate::codes::Code;
use crate::problem::{FieldError, Outcome, Problem};
use crate::repeatable::repeatable;

/// A page's size when nobody says otherwise, and the largest.
const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 1000;

/// Whether the query string of a request has this parameter, whatever others it has.
pub(crate) fn names(request: &HttpRequest, parameter: &str) -> bool {
    let text = request.query_string().as_bytes();
    form_urlencoded::parse(text).any(|(name, _)| name == parameter)
}

/// The parameters of a query string.
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads the query string of a request that may have these parameters and no others. A
    /// misspelt filter that is passed over in silence would show the wrong list.
    pub(crate) fn read(request: &'a HttpRequest, known: &[&str]) -> Outcome<Query<'a>> {
        let text = request.query_string();
        if text.is_empty() {
            return Ok(Query(Vec::new()));
        }
        if text.len() > state_of(request)?.settings.limits.query_bytes {
            return Err(Problem::new(Code::UriTooLong));
        }
        Query::parse(text, known)
    }

    fn parse(text: &'a str, known: &[&str]) -> Outcome<Query<'a>> {
        let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
        let mut errors = Vec::new();
        for (position, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&&**name) {
                errors.push(FieldError::new(repeatable(name), "is not a known parameter"));
            } else if pairs[..position].iter().any(|(earlier, _)| earlier == name) {
                errors.push(FieldError::new(&**name, "appears more than once"));
            }
            if errors.len() == 10 {
                break;
            }
        }
        if errors.is_empty() {
            Ok(Query(pairs))
        } else {
            Err(Problem::fields(Code::InvalidParameter, errors))
        }
    }

    /// A parameter's text. An empty one is more often a slip than a wish.
    pub(crate) fn text(&self, name: &str) -> Outcome<Option<String>> {
        let found = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let Some(value) = found else { return Ok(None) };
        // Bytes that are no UTF-8 were replaced by U+FFFD; PostgreSQL takes no NUL.
        if value.contains(['\0', '\u{fffd}']) || !(1..=1024).contains(&value.len()) {
            return Err(Problem::parameter(name, "must be UTF-8 text of 1 to 1024 bytes"));
        }
        Ok(Some(value.clone().into_owned()))
    }

    /// A parameter that is an instant.
    pub(crate) fn instant(&self, name: &str) -> Outcome<Option<Timestamp>> {
        let wrong = |_| Problem::parameter(name, "must be an RFC 3339 time");
        self.text(name)?.map(|text| Timestamp::parse(&text).map_err(wrong)).transpose()
    }

    /// A parameter that is an instant, and not a later one than now: what will be then is not known yet.
    pub(crate) fn past_instant(&self, name: &str, now: Timestamp) -> Outcome<Option<Timestamp>> {
        match self.instant(name)? {
            Some(instant) if instant > now => {
                Err(Problem::unusable(name, "must not be later than now"))
            }
            known => Ok(known),
        }
    }

    /// A parameter that is `true` or `false`; false where it is left out.
    pub(crate) fn switch(&self, name: &str) -> Outcome<bool> {
        let wrong = || Problem::parameter(name, "must be true or false");
        self.text(name)?.map_or(Ok(false), |text| text.parse().map_err(|_| wrong()))
    }

    /// `limit` and `cursor`.
    pub(crate) fn page(&self) -> Outcome<PageRequest> {
        let wrong = |_| Problem::parameter("cursor", "must be the next_cursor of an earlier page");
        let cursor = self.text("cursor")?.map(|text| Cursor::parse(&text).map_err(wrong));
        Ok(PageRequest { limit: self.limit()?, cursor: cursor.transpose()? })
    }

    /// `limit`, or what a page has when nobody says otherwise.
    pub(crate) fn limit(&self) -> Outcome<u32> {
        let Some(text) = self.text("limit")? else { return Ok(PAGE) };
        let limit = text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
        limit.ok_or_else(|| Problem::parameter("limit", "must be a number from 1 to 1000"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_repeated_parameters_are_named() {
        let faults = |text: &str| {
            let Err(problem) = Query::parse(text, &["limit", "type"]) else { return Vec::new() };
            assert_eq!(problem.code(), Code::InvalidParameter);
            let body: serde_json::Value = serde_json::from_slice(&problem.body("r")).unwrap();
            let errors = body["errors"].as_array().unwrap().clone();
            errors.iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(faults("limit=1&type=a"), Vec::<String>::new());
        assert_eq!(faults("limit=1&limit=1"), ["limit"]);
        assert_eq!(faults("typo=1&type=a&%C3%A9=2"), ["typo", "é"]);
        let many = (0..10_000).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(faults(&many).len(), 10);
    }

    #[test]
    fn a_page_has_bounds() {
        let page = |text: &str| Query::parse(text, &["limit", "cursor"]).unwrap().page();
        assert_eq!(page("").unwrap().limit, 50);
        assert_eq!(page("limit=1000").unwrap().limit, 1000);
        for bad in [
            "limit=",
            "cursor=",
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=x",
            "limit=1e2",
            "cursor=abc",
        ] {
            assert_eq!(page(bad).unwrap_err().code(), Code::InvalidParameter, "{bad}");
        }
    }

    #[test]
    fn text_is_utf_8_without_nul() {
        let text = |text: &str| Query::parse(text, &["q"]).unwrap().text("q");
        assert_eq!(text("q=a%20b").unwrap().as_deref(), Some("a b"));
        assert_eq!(text("").unwrap(), None);
        assert!(text("q=").is_err());
        assert!(text("q=%00").is_err());
        assert!(text("q=%ff").is_err());
    }
}
