//! Events in the words of the DevOps module's script.

use rr_domain::Timestamp;
use rr_store::EventRow;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What the script is told. The members that it looks for stand at the top, and below `data` as they
/// were sent.
#[derive(Serialize)]
struct Told<'a> {
    r#type: &'a str,
    #[serde(flatten)]
    known: Known<'a>,
    data: &'a RawValue,
    timestamp: Timestamp,
}

#[derive(Default, Serialize, Deserialize)]
struct Known<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    source: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    amount: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    agent: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The message that an event is to the script, if it is one.
pub(super) fn message(row: &EventRow) -> Option<String> {
    let kind = match row.event_type.as_str() {
        "revenue_generated" => "revenue_generated",
        "agent_status" | "agent_status_changed" => "agent_status",
        _ => return None,
    };
    let sent: Option<Sent<'_>> = serde_json::from_str(row.data.get()).ok();
    // A free-form body may say it without an envelope.
    let inner = sent.and_then(|sent| sent.data).filter(|data| data.get().starts_with('{'));
    let data = inner.unwrap_or(&row.data);
    let known = serde_json::from_str(data.get()).unwrap_or_default();
    let timestamp = row.occurred_at.unwrap_or(row.received_at);
    serde_json::to_string(&Told { r#type: kind, known, data, timestamp }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_scripts_own_events_come_back_in_its_words() {
        let told = |event_type: &str, data: &str| {
            message(&EventRow {
                id: Uuid::nil(),
                seq: 1,
                key_id: None,
                event_type: event_type.to_owned(),
                source: "script".to_owned(),
                occurred_at: None,
                received_at: Timestamp::EPOCH,
                data: RawValue::from_string(data.to_owned()).unwrap(),
                webhook_source: None,
            })
        };
        let revenue = r#"{"event":"revenue_generated","data":{"source":"ab_optimizer","amount":1250.00,"details":{}}}"#;
        assert_eq!(
            told("revenue_generated", revenue).unwrap(),
            r#"{"type":"revenue_generated","source":"ab_optimizer","amount":1250.00,"data":{"source":"ab_optimizer","amount":1250.00,"details":{}},"timestamp":"1970-01-01T00:00:00Z"}"#
        );
        let status =
            r#"{"event":"agent_status_changed","data":{"agent":"kpi-tracker","status":"running"}}"#;
        let status = told("agent_status_changed", status).unwrap();
        assert!(
            status
                .starts_with(r#"{"type":"agent_status","agent":"kpi-tracker","status":"running","#)
        );
        let bare = told("revenue_generated", r#"{"amount":5,"data":7}"#).unwrap();
        assert!(bare.starts_with(r#"{"type":"revenue_generated","amount":5,"data":{"amount":5,"#));
        assert_eq!(told("alert", "{}"), None);
    }
}
