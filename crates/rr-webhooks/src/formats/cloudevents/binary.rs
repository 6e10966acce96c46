//! Attributes in header fields `ce-…`, data in the body.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rr_domain::Timestamp;
use serde_json::value::{RawValue, to_raw_value};

use super::text::decode_attribute;
use super::{CloudEvent, TIME_PROBLEM, VERSION, VERSION_PROBLEM};
use crate::Refusal;
use crate::formats::json;
use crate::headers::{Headers, check_name};
use crate::json::Tree;
use crate::media::Media;

const PREFIX: &str = "ce-";

/// Attributes that a header field must not bring: the body is the data, Content-Type its type.
const TAKEN_FROM_THE_BODY: [&str; 3] = ["data", "data_base64", "datacontenttype"];

/// Whether the request carries an event this way: the version is the one attribute that is always
/// there and that nobody sends by accident.
pub(crate) fn is_binary(headers: Headers<'_>) -> bool {
    headers.0.iter().any(|(name, _)| name.eq_ignore_ascii_case("ce-specversion"))
}

/// The data of an event, as the structured form has it.
pub(super) struct Data<'a> {
    member: &'static str,
    pub(super) tree: Tree<'a>,
    written: Cow<'a, RawValue>,
}

/// A body as data; none where it is empty. What is not JSON is kept as a string where it is text that every
/// reader and both databases take, and in base64 where it is not.
#[expect(clippy::expect_used, reason = "a string is JSON")]
pub(super) fn data<'a>(body: &'a [u8], media: &Media) -> Result<Option<Data<'a>>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    if media.is_json() {
        let (tree, written) = json(body)?;
        return Ok(Some(Data { member: "data", tree, written: Cow::Borrowed(written) }));
    }
    let text = std::str::from_utf8(body).ok();
    let (member, text) = match text.filter(|text| media.is_text() && !text.contains('\0')) {
        Some(text) => ("data", Cow::Borrowed(text)),
        None => ("data_base64", Cow::Owned(STANDARD.encode(body))),
    };
    let written = Cow::Owned(to_raw_value(&text).expect("a string is JSON"));
    Ok(Some(Data { member, tree: Tree::Text(text), written }))
}

/// Reads header fields and data as an event.
pub(super) fn read_binary(
    headers: Headers<'_>,
    content_type: Option<&str>,
    data: Option<&Data<'_>>,
) -> Result<CloudEvent, Refusal> {
    let mut attributes = attributes(headers)?;
    if attributes.get("specversion").map(String::as_str) != Some(VERSION) {
        return Err(Refusal::header("ce-specversion", VERSION_PROBLEM));
    }
    let id = required(&attributes, "id")?;
    let source = required(&attributes, "source")?;
    let event_type = required(&attributes, "type")?;
    let time = match attributes.get("time") {
        None => None,
        Some(text) => {
            Some(Timestamp::parse(text).map_err(|_| Refusal::header("ce-time", TIME_PROBLEM))?)
        }
    };
    if let (Some(content_type), Some(_)) = (content_type, data) {
        attributes.insert("datacontenttype".to_owned(), content_type.to_owned());
    }
    Ok(CloudEvent { id, source, event_type, time, envelope: envelope(&attributes, data) })
}

/// All attributes by name. A name is lower-case letters and digits; HTTP folds the case.
fn attributes(headers: Headers<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut attributes = BTreeMap::new();
    for (field, value) in headers.0 {
        let field = field.to_ascii_lowercase();
        let Some(name) = field.strip_prefix(PREFIX) else { continue };
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !named || TAKEN_FROM_THE_BODY.contains(&name) {
            return Err(Refusal::header(&field, "is not the name of an attribute"));
        }
        let value = decode_attribute(value.trim_ascii())
            .map_err(|_| Refusal::header(&field, "must be percent-encoded UTF-8"))?;
        if value.contains('\0') {
            return Err(Refusal::header(&field, "must not hold a NUL character"));
        }
        if attributes.insert(name.to_owned(), value).is_some() {
            return Err(Refusal::header(&field, "must not be repeated"));
        }
    }
    Ok(attributes)
}

fn required(attributes: &BTreeMap<String, String>, name: &str) -> Result<String, Refusal> {
    let refuse = |problem| Refusal::header(&format!("{PREFIX}{name}"), problem);
    let value = attributes.get(name).ok_or_else(|| refuse("is missing"))?;
    check_name(value).map_err(refuse)?;
    Ok(value.clone())
}

/// The structured form of the same event.
#[expect(clippy::expect_used, reason = "a map of strings to strings and checked JSON is JSON")]
fn envelope(attributes: &BTreeMap<String, String>, data: Option<&Data<'_>>) -> Box<RawValue> {
    let written = |value| Cow::Owned(to_raw_value(value).expect("a string is JSON"));
    let mut members: BTreeMap<&str, Cow<'_, RawValue>> =
        attributes.iter().map(|(name, value)| (name.as_str(), written(value))).collect();
    if let Some(data) = data {
        members.insert(data.member, Cow::Borrowed(&data.written));
    }
    to_raw_value(&members).expect("an object of JSON values is JSON")
}
