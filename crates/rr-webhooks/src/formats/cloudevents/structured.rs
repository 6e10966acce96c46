//! Attributes in the body.

use rr_domain::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CloudEvent, TIME_PROBLEM, VERSION, VERSION_PROBLEM};
use crate::Refusal;
use crate::headers::check_name;
use crate::members::{object, present, string};

/// The members that mean something here; extensions stay in the envelope.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    specversion: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    source: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type", deserialize_with = "present")]
    event_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    data_base64: Option<&'a RawValue>,
}

/// Reads a checked body as an event.
pub(super) fn read_structured(envelope: Box<RawValue>) -> Result<CloudEvent, Refusal> {
    let members: Members<'_> = object(&envelope)?;
    if required(members.specversion, "/specversion")? != VERSION {
        return Err(Refusal::member("/specversion", VERSION_PROBLEM));
    }
    let id = required(members.id, "/id")?;
    let source = required(members.source, "/source")?;
    let event_type = required(members.event_type, "/type")?;
    let time = members.time.map(time).transpose()?;
    if members.data.is_some() && members.data_base64.is_some() {
        return Err(Refusal::member("/data_base64", "must not stand beside data"));
    }
    if let Some(data) = members.data_base64 {
        string(data).ok_or_else(|| Refusal::member("/data_base64", "must be a string"))?;
    }
    Ok(CloudEvent { id, source, event_type, time, envelope })
}

fn required(member: Option<&RawValue>, pointer: &str) -> Result<String, Refusal> {
    let raw = member.ok_or_else(|| Refusal::member(pointer, "is missing"))?;
    let text = string(raw).ok_or_else(|| Refusal::member(pointer, "must be a string"))?;
    check_name(&text).map_err(|problem| Refusal::member(pointer, problem))?;
    Ok(text)
}

fn time(raw: &RawValue) -> Result<Timestamp, Refusal> {
    string(raw)
        .and_then(|text| Timestamp::parse(&text).ok())
        .ok_or_else(|| Refusal::member("/time", TIME_PROBLEM))
}
