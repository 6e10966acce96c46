//! Strict JSON.

use rr_webhooks::{JsonLimits, check_json};
use serde_json::Value;

/// What passes is what serde_json reads, without a key twice, a NUL or depth; what it says passes again.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let checked = check_json(bytes, JsonLimits::default());
    let read = serde_json::from_slice::<Value>(bytes);
    match checked {
        Ok(()) => {
            assert!(read.is_ok(), "passes, and is read as {read:?}: {bytes:?}");
            let value = read.unwrap_or_default();
            is_plain(&value, 64);
            let written = value.to_string();
            let again = check_json(written.as_bytes(), JsonLimits::default());
            assert_eq!(again, Ok(()), "{written}");
            assert_eq!(keys(bytes), members(&value), "a key twice: {written}");
        }
        Err(ref fault) => {
            assert!(fault.offset <= bytes.len(), "{fault:?}");
            assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{fault:?}");
            assert!(fault.pointer.len() <= 512 && fault.to_string().len() <= 512, "{fault:?}");
        }
    }
    checked.is_ok()
}

fn is_plain(value: &Value, depth: usize) {
    match value {
        Value::String(text) => assert!(!text.contains('\0')),
        Value::Array(items) => {
            assert!(depth > 0, "too deep");
            items.iter().for_each(|item| is_plain(item, depth - 1));
        }
        Value::Object(members) => {
            assert!(depth > 0, "too deep");
            assert!(members.keys().all(|key| !key.contains('\0')));
            members.values().for_each(|item| is_plain(item, depth - 1));
        }
        _ => {}
    }
}

/// The members of all objects, as a reader keeps them: of two with one name the last alone.
fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

/// The members as they were written: the colons outside of texts.
fn keys(bytes: &[u8]) -> usize {
    let (mut colons, mut within, mut escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            b':' if !within => colons += 1,
            b'"' if !escaped => within = !within,
            _ => {}
        }
        escaped = within && *byte == b'\\' && !escaped;
    }
    colons
}
