//! What rr-webhooks reads.

pub(crate) mod alerts;
pub(crate) mod formats;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod secret;
pub(crate) mod signatures;

use rr_webhooks::{Event, JsonLimits, Refusal, check_json, understand};

/// The longest explanation of a refusal, in bytes.
const LONGEST_DETAIL: usize = 1_024;

/// The longest body that is sent to a target, as to the server.
const MOST_BYTES: usize = 262_144;

/// What is true of every event that was taken.
fn is_sound(event: &Event) {
    for name in [&event.event_type, &event.source] {
        let length = name.chars().count();
        assert!((1..=255).contains(&length) && !name.chars().any(char::is_control), "{name:?}");
    }
    for id in &event.dedupe {
        assert!((1..=600).contains(&id.key.len()) && id.scope.len() <= 2_000, "{id:?}");
    }
    let data = event.data.get();
    assert_eq!(check_json(data.as_bytes(), JsonLimits::default()), Ok(()), "{data}");
    let stored = serde_json::to_string(&event.meaning).unwrap_or_default();
    let back = serde_json::from_str(&stored).map_err(|error| error.to_string());
    assert_eq!(back, Ok(event.meaning.clone()), "what is stored reads back");
    // Old events are understood again from what is kept; that must not trip over anything.
    understand(&event.event_type, &event.source, &event.data);
}

/// What is true of every refusal.
fn is_modest(refusal: &Refusal) {
    assert!([400, 401, 413, 415, 422].contains(&refusal.status()), "{refusal:?}");
    assert!(refusal.detail().len() <= LONGEST_DETAIL, "{refusal:?}");
    let pointer = refusal.pointer().unwrap_or_default();
    assert!(pointer.is_empty() || pointer.starts_with('/'), "{refusal:?}");
}
