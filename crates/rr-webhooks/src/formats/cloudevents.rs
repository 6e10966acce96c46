//! CloudEvents 1.0 over HTTP: attributes in header fields (binary), in the body (structured), or a
//! list of such bodies (batch).
//!
//! All are shown as the structured form, so that a reader sees one event the same way however it
//! was sent, and no attribute is lost with the headers.

mod binary;
mod structured;
mod text;

pub(super) use binary::is_binary;

use rr_domain::Timestamp;
use serde_json::value::RawValue;

use super::{MOST_EVENTS, Read, Source, cdevents, digest, json};
use crate::event::{Dedupe, Event};
use crate::json::Tree;
use crate::media::Media;
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
    let body = if source.body.is_empty() { None } else { Some(json(source.body)?) };
    let (tree, data) = body.unzip();
    let data = data.map(RawValue::to_owned);
    let read = binary::read_binary(source.headers, source.media.declared(), data)?;
    Ok(event(read, tree.as_ref().map(View), source.body, source.media))
}

/// An event that is `data` as a whole, which was sent as `text`.
pub(super) fn structured(
    body: View<'_>,
    data: &RawValue,
    text: &[u8],
    media: &Media,
) -> Result<Event, Refusal> {
    let read = structured::read_structured(body, data)?;
    Ok(event(read, Some(body.part("/data")), text, media))
}

/// Several events; one that is wrong makes the whole of it wrong.
pub(super) fn batch(source: Source<'_>) -> Result<Vec<Event>, Refusal> {
    let (tree, data) = json(source.body)?;
    let whole = View(&tree).list("").zip(serde_json::from_str(data.get()).ok());
    let (events, written): (_, Vec<&RawValue>) =
        whole.ok_or_else(|| Refusal::member("", "must be a JSON array"))?;
    if events.is_empty() || events.len() > MOST_EVENTS {
        return Err(Refusal::member("", "must hold 1 to 1000 events"));
    }
    let read = |(index, (event, written)): (usize, (View<'_>, &RawValue))| {
        structured(event, written, written.get().as_bytes(), source.media)
            .map_err(|refusal| refusal.within(index))
    };
    events.iter().map(View).zip(written).enumerate().map(read).collect()
}

/// By its specification a CloudEvent is the same event wherever source and id are the same, so it
/// is told apart by them alone and not by the key that brought it.
fn event(read: CloudEvent, data: Option<View<'_>>, text: &[u8], media: &Media) -> Event {
    let meaning = if cdevents::is_type(&read.event_type) {
        cdevents::meaning(&read.event_type, data.unwrap_or(View(&Tree::Null)))
    } else {
        Meaning::Other
    };
    let dedupe = Dedupe {
        scope: format!("cloudevents/{}", read.source),
        key: read.id,
        fingerprint: digest(text),
    };
    let rest = Read {
        event_type: read.event_type,
        source: read.source,
        occurred_at: read.time,
        meaning,
        dedupe: vec![dedupe],
    };
    rest.event(&read.envelope, media)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::vectors::{BATCH, STRUCTURED, event, events, outline, send};

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
        assert_eq!(outline(&read[0]), ("a", "/s", None, vec![("cloudevents//s", "1")]));
        assert_eq!(outline(&read[1]), ("b", "/s", None, vec![("cloudevents//s", "2")]));
        // The same event, sent alone, is a repeat: what tells it is the event and not the batch.
        let alone = event((
            "alone",
            STRUCTURED.1,
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"a"}"#,
        ));
        assert_eq!(alone.dedupe, read[0].dedupe);
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
    fn one_wrong_event_makes_a_batch_wrong_and_is_named() {
        let refused = |body: &str| {
            let fields = [("content-type", &b"application/cloudevents-batch+json"[..])];
            let refusal = send(&fields, body.as_bytes()).unwrap_err();
            (refusal.code(), refusal.pointer().unwrap_or_default().to_owned())
        };
        let good = r#"{"specversion":"1.0","id":"1","source":"/s","type":"a"}"#;
        let body = |pointer: &str| ("invalid_body", pointer.to_owned());
        assert_eq!(refused("[]"), body(""));
        assert_eq!(refused(good), body(""));
        assert_eq!(refused("null"), body(""));
        assert_eq!(refused(&format!("[{good},1]")), body("/1"));
        assert_eq!(refused(&format!("[{good},{{}}]")), body("/1/specversion"));
        let many = vec![good; 1_001].join(",");
        assert_eq!(refused(&format!("[{many}]")), body(""));
        assert_eq!(refused("[{\"a\":1,\"a\":2}]"), ("invalid_json", "/0/a".to_owned()));
    }
}
