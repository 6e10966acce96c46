//! Attributes in the body.

use serde_json::value::RawValue;

use super::{CloudEvent, TIME_PROBLEM, VERSION, VERSION_PROBLEM};
use crate::Refusal;
use crate::view::View;

/// Reads a checked body, written as `data`, as an event; extensions stay in the envelope.
pub(super) fn read_structured(body: View<'_>, data: &RawValue) -> Result<CloudEvent, Refusal> {
    if !body.is_object() {
        return Err(Refusal::NotAnObject);
    }
    if body.required("/specversion")? != VERSION {
        return Err(Refusal::member("/specversion", VERSION_PROBLEM));
    }
    let id = body.required("/id")?.to_owned();
    let source = body.required("/source")?.to_owned();
    let event_type = body.required("/type")?.to_owned();
    let time = body.time("/time");
    if time.is_none() && body.has("/time") {
        return Err(Refusal::member("/time", TIME_PROBLEM));
    }
    if let Some(base64) = body.find("/data_base64") {
        let refuse = |problem| Err(Refusal::member("/data_base64", problem));
        if body.find("/data").is_some() {
            return refuse("must not stand beside data");
        }
        if base64.text().is_none() {
            return refuse("must be a string");
        }
    }
    Ok(CloudEvent { id, source, event_type, time, envelope: data.to_owned() })
}
