//! A batch of lines.

use rr_webhooks::{Event, Format, Policy, Refusal, accept, accept_lines, understand};

use super::{MOST_BYTES, is_modest, is_sound};
use crate::request::incoming;

const NDJSON: (&str, &[u8]) = ("content-type", b"application/x-ndjson");
const CLOUDEVENT: (&str, &[u8]) = ("content-type", b"application/cloudevents+json");
const ID: (&str, &[u8]) = ("idempotency-key", b"batch-1");

/// Every line that is not empty is there under its number, and is what it would be by itself.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let policy = Policy { secrets: &[], max_bytes: MOST_BYTES, format: Format::Auto };
    let lines = match accept_lines(&incoming(&[NDJSON, ID], bytes), &policy) {
        Ok(lines) => lines,
        Err(refusal) => {
            is_modest(&refusal);
            return false;
        }
    };
    let texts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    let filled = texts.iter().filter(|text| !text.is_empty()).count();
    assert_eq!(lines.len(), filled);
    let mut taken = false;
    for line in lines {
        assert_eq!(line.text, texts[line.number - 1], "line {}", line.number);
        match line.event {
            Ok(event) => {
                is_sound(&event);
                assert_eq!(event.dedupe[0].key, format!("batch-1#{}", line.number));
                is_what_it_would_be_alone(&event, line.text, &policy);
                taken = true;
            }
            Err(refusal) => is_modest(&refusal),
        }
    }
    taken
}

fn is_what_it_would_be_alone(event: &Event, text: &[u8], policy: &Policy<'_>) {
    let shown = String::from_utf8_lossy(text);
    match accept(&incoming(&[CLOUDEVENT], text), policy).as_deref() {
        // A text with `specversion` is a CloudEvent wherever it comes.
        Ok([alone]) => assert_eq!(
            (&alone.event_type, &alone.source, alone.occurred_at, &alone.meaning),
            (&event.event_type, &event.source, event.occurred_at, &event.meaning),
            "{shown}"
        ),
        Err(Refusal::Json(_)) => assert!(shown.is_empty(), "taken, and no JSON: {shown}"),
        _ => {
            let again = understand(&event.event_type, &event.source, &event.data);
            assert_eq!(again, event.meaning, "{shown}");
        }
    }
}
