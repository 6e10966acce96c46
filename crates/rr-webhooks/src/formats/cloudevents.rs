//! CloudEvents 1.0 over HTTP: attributes in header fields (binary), in the body (structured), or a
//! list of such bodies (batch).
//!
//! All are shown as the structured form, so that a reader sees one event the same way however it
//! was sent, and no attribute is lost with the headers.

mod binary;
mod structured;
mod text;

pub(crate) use binary::is_binary;

use rr_domain::Timestamp;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use uuid::Uuid;

use super::{MOST_EVENTS, Read, Source, cdevents, json};
use crate::event::{Dedupe, Event};
use crate::json::Tree;
use crate::view::View;
use crate::{Meaning, Refusal};

/// What all forms come to.
#[derive(Debug)]
struct CloudEvent {
    id: String,
    source: String,
    event_type: String,
    time: Option<Timestamp>,
    /// The event in its structured form.
    envelope: Box<RawValue>,
}

/// The one version there is.
const VERSION: &str = "1.0";
const VERSION_PROBLEM: &str = "must be 1.0";
const TIME_PROBLEM: &str = "must be an RFC 3339 time";

/// An event whose attributes are header fields.
pub(super) fn binary(source: Source<'_>) -> Result<Event, Refusal> {
    let data = binary::data(source.body, source.media)?;
    let read = binary::read_binary(source.headers, source.media.declared(), data.as_ref())?;
    Ok(event(read, data.as_ref().map(|data| &data.tree), source))
}

/// An event that is `data` as a whole.
pub(super) fn structured(
    source: Source<'_>,
    body: View<'_>,
    data: &RawValue,
) -> Result<Event, Refusal> {
    let read = structured::read_structured(body, data)?;
    let data = body.find("/data").or_else(|| body.find("/data_base64"));
    Ok(event(read, data, source))
}

/// Several events, or none, which the format says is a batch as well; one that is wrong makes the whole of it
/// wrong.
pub(super) fn batch(source: Source<'_>) -> Result<Vec<Event>, Refusal> {
    let (tree, data) = json(source.body)?;
    let whole = View(&tree).list("").zip(serde_json::from_str(data.get()).ok());
    let (events, written): (_, Vec<&RawValue>) =
        whole.ok_or_else(|| Refusal::member("", "must be a JSON array"))?;
    if events.len() > MOST_EVENTS {
        return Err(Refusal::member("", "must hold at most 1000 events"));
    }
    let read = |(index, (event, written)): (usize, (View<'_>, &RawValue))| {
        structured(source, event, written).map_err(|refusal| refusal.within(index))
    };
    events.iter().map(View).zip(written).enumerate().map(read).collect()
}

fn event(read: CloudEvent, data: Option<&Tree<'_>>, source: Source<'_>) -> Event {
    let meaning = if cdevents::is_type(&read.event_type) {
        cdevents::meaning(&read.event_type, View(data.unwrap_or(&Tree::Null)))
    } else {
        Meaning::Other
    };
    let dedupe = identity(source.key_id, &read.source, read.id, &read.event_type, data);
    let rest = Read {
        event_type: read.event_type,
        source: read.source,
        occurred_at: read.time,
        meaning,
        dedupe: vec![dedupe],
    };
    rest.event(&read.envelope, source.media)
}

/// What an event is told apart by: source and id, which its producers keep unique. Two installations of one
/// program may count alike, so they are looked at within the key that brought them. The same id stands for
/// the same type and data, in whichever mode and however written; other attributes may differ between two
/// attempts, as those of a trace do.
pub(super) fn identity(
    key_id: Uuid,
    source: &str,
    id: String,
    event_type: &str,
    data: Option<&Tree<'_>>,
) -> Dedupe {
    let mut said = Sha256::new_with_prefix(event_type);
    said.update([0]);
    said.update(data.map_or(Vec::new(), |data| data.digest().to_vec()));
    Dedupe {
        scope: format!("cloudevents/{key_id}/{source}"),
        key: id,
        fingerprint: said.finalize().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::digest;
    use crate::formats::vectors::{
        BATCH, BINARY, CDEVENT, STRUCTURED, event, events, outline, send, send_with,
    };

    const SCOPE: &str = "cloudevents/00000000-0000-0000-0000-000000000007//s";

    #[test]
    fn a_batch_is_its_events_each_as_it_was_written() {
        let read = events(BATCH);
        let data: Vec<&str> = read.iter().map(|event| event.data.get()).collect();
        assert_eq!(
            data,
            [
                r#"{"specversion":"1.0","id":"1","source":"/s","type":"a"}"#,
                r#"{"specversion":"1.0","id":"2","source":"/s","type":"b","data":{"x": 1.50}}"#,
            ]
        );
        assert_eq!(outline(&read[0]), ("a", "/s", None, vec![(SCOPE, "1")]));
        assert_eq!(outline(&read[1]), ("b", "/s", None, vec![(SCOPE, "2")]));
        // The same event, sent alone, is a repeat: what tells it is the event and not the batch.
        let alone = event((
            "alone",
            STRUCTURED.1,
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"a"}"#,
        ));
        assert_eq!(alone.dedupe, read[0].dedupe);
    }

    /// Two installations of one program count alike, and neither may swallow what the other sends.
    #[test]
    fn an_id_counts_within_the_key_that_sent_it() {
        let fields = [("content-type", &b"application/cloudevents+json"[..])];
        let of = |key| send_with(Uuid::from_u128(key), &fields, STRUCTURED.2.as_bytes()).unwrap();
        assert_ne!(of(1)[0].dedupe[0].scope, of(2)[0].dedupe[0].scope);
    }

    #[test]
    fn an_event_is_the_same_in_every_mode_and_other_data_makes_another() {
        let envelope: serde_json::Value = serde_json::from_str(CDEVENT.2).unwrap();
        let alone = envelope["data"].to_string();
        let attributes: [(&str, &[u8]); 5] = [
            ("ce-specversion", b"1.0"),
            ("ce-id", b"271069a8"),
            ("ce-source", b"/ci"),
            ("ce-type", b"dev.cdevents.service.rolledback.0.3.0"),
            ("ce-traceparent", b"00-1-1-01"),
        ];
        let structured = event(CDEVENT).dedupe;
        assert_eq!(send(&[], alone.as_bytes()).unwrap()[0].dedupe, structured);
        assert_eq!(send(&attributes, alone.as_bytes()).unwrap()[0].dedupe, structured);
        let pretty = serde_json::to_string_pretty(&envelope["data"]).unwrap();
        assert_eq!(send(&attributes, pretty.as_bytes()).unwrap()[0].dedupe, structured);
        let other = alone.replace("prod", "test");
        for read in [send(&[], other.as_bytes()), send(&attributes, other.as_bytes())] {
            let id = &read.unwrap()[0].dedupe[0];
            assert_eq!((&id.scope, &id.key), (&structured[0].scope, &structured[0].key));
            assert_ne!(id.fingerprint, structured[0].fingerprint);
        }
        let retyped = event(("another type", BINARY.1, "")).dedupe[0].fingerprint;
        let typed = [("ce-type", "other")];
        let fields: Vec<_> =
            BINARY.1.iter().filter(|(name, _)| *name != "ce-type").chain(&typed).collect();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        assert_ne!(send(&fields, b"").unwrap()[0].dedupe[0].fingerprint, retyped);
    }

    #[test]
    fn the_ids_of_a_batch_as_a_whole_are_its_first_event_s() {
        let fields = [
            ("content-type", &b"application/cloudevents-batch+json"[..]),
            ("idempotency-key", b"k"),
        ];
        let read = send(&fields, BATCH.2.as_bytes()).unwrap();
        assert_eq!(read[0].dedupe.iter().map(|id| &*id.key).collect::<Vec<_>>(), ["k", "1"]);
        assert_eq!(read[0].dedupe[0].fingerprint, digest(BATCH.2.as_bytes()));
        assert_eq!(read[1].dedupe.len(), 1);
    }

    #[test]
    fn a_batch_may_hold_nothing() {
        let fields = [
            ("content-type", &b"application/cloudevents-batch+json"[..]),
            ("idempotency-key", b"k"),
        ];
        assert!(send(&fields, b" [ ] ").unwrap().is_empty());
    }

    #[test]
    fn one_wrong_event_makes_a_batch_wrong_and_is_named() {
        let refused = |body: &str| {
            let fields = [("content-type", &b"application/cloudevents-batch+json"[..])];
            let refusal = send(&fields, body.as_bytes()).unwrap_err();
            (refusal.code(), refusal.pointer().unwrap_or_default().to_owned())
        };
        let good = r#"{"specversion":"1.0","id":"1","source":"/s","type":"a"}"#;
        let body = |pointer: &str| ("invalid_body", pointer.to_owned());
        assert_eq!(refused(good), body(""));
        assert_eq!(refused("null"), body(""));
        assert_eq!(refused(&format!("[{good},1]")), body("/1"));
        assert_eq!(refused(&format!("[{good},{{}}]")), body("/1/specversion"));
        let many = vec![good; 1_001].join(",");
        assert_eq!(refused(&format!("[{many}]")), body(""));
        assert_eq!(refused("[{\"a\":1,\"a\":2}]"), ("invalid_json", "/0/a".to_owned()));
    }
}
