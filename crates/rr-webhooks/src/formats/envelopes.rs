//! What is built as an envelope (CloudEvents in each of its modes, Standard Webhooks) is read back as
//! what was put into it.

use proptest::prelude::*;
use rr_domain::Timestamp;
use serde_json::{Value, json};

use super::identity::{name, time};
use super::vectors::{KEY, outline, send};

/// The attributes of a CloudEvent, and its data.
#[derive(Debug, Clone)]
struct Built {
    id: String,
    source: String,
    event_type: String,
    subject: String,
    time: Timestamp,
    data: Value,
}

prop_compose! {
    fn built()(
        id in name(), source in name(), event_type in name(), subject in name(), time in time(),
        number in any::<i64>(), text in any::<String>(),
    ) -> Built {
        // The one character that no body may hold.
        let data = json!({"number": number, "list": [text.replace('\0', "")]});
        Built { id, source, event_type, subject, time, data }
    }
}

/// Writes a value as a header value, more cautiously than it must be.
fn percent(value: &str) -> Vec<u8> {
    value.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>().into_bytes()
}

proptest! {
    #[test]
    fn a_cloudevent_in_each_mode(built in built()) {
        let structured = json!({
            "specversion": "1.0", "id": built.id, "source": built.source, "type": built.event_type,
            "subject": built.subject, "time": built.time, "datacontenttype": "application/json",
            "data": built.data,
        });
        let time = built.time.to_string();
        let attributes = [("ce-id", &built.id), ("ce-source", &built.source), ("ce-time", &time),
            ("ce-type", &built.event_type), ("ce-subject", &built.subject)]
            .map(|(field, value)| (field, percent(value)));
        let mut binary: Vec<(&str, &[u8])> =
            attributes.iter().map(|(field, value)| (*field, &value[..])).collect();
        binary.extend([("ce-specversion", &b"1.0"[..]), ("content-type", b"application/json")]);
        let media = |name| vec![("content-type", name)];
        for (fields, body) in [
            (binary, &built.data),
            (media(&b"application/cloudevents+json"[..]), &structured),
            (media(b"application/cloudevents-batch+json"), &json!([structured])),
        ] {
            let events = send(&fields, body.to_string().as_bytes()).unwrap();
            prop_assert_eq!(events.len(), 1);
            let scope = format!("cloudevents/{KEY}/{}", built.source);
            let ids = vec![(&*scope, &*built.id)];
            let expected = (&*built.event_type, &*built.source, Some(time.clone()), ids);
            prop_assert_eq!(outline(&events[0]), expected);
            let shown: Value = serde_json::from_str(events[0].data.get()).unwrap();
            prop_assert_eq!(&shown, &structured);
        }
    }

    #[test]
    fn a_payload_of_standard_webhooks(built in built(), id in "[A-Za-z0-9_]{1,40}", svix in any::<bool>()) {
        let fields = if svix { ["svix-id", "svix-timestamp"] } else { ["webhook-id", "webhook-timestamp"] };
        let body = json!({
            "type": built.event_type, "timestamp": built.time, "source": built.source,
            "data": built.data,
        });
        let fields = [(fields[0], id.as_bytes()), (fields[1], b"1768478400")];
        let events = send(&fields, body.to_string().as_bytes()).unwrap();
        prop_assert_eq!(events.len(), 1);
        let (event_type, source, at, ids) = outline(&events[0]);
        prop_assert_eq!((event_type, source), (&*built.event_type, &*built.source));
        prop_assert_eq!(at, Some(built.time.to_string()));
        prop_assert_eq!(ids.iter().map(|(_, key)| *key).collect::<Vec<_>>(), [&*id]);
        prop_assert_eq!(events[0].data.get(), body.to_string());
    }
}
