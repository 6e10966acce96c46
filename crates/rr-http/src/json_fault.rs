//! What serde says about a body, in words and pointers for whoever sent it.

use serde_path_to_error::{Error, Segment};

use crate::problem::FieldError;
use crate::repeatable::repeatable;

/// The field that does not fit, and why.
pub(crate) fn field_error(error: &Error<serde_json::Error>) -> FieldError {
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let pointer = pointer(error.path().iter());
    if let Some(name) = quoted_after(message, "missing field ") {
        return FieldError::new(child(&pointer, name), "is required");
    }
    if let Some(name) = quoted_after(message, "unknown field ") {
        let own = child("", name);
        // The path may or may not have reached the field already.
        let pointer = if pointer.ends_with(&own) { pointer } else { pointer + &own };
        return FieldError::new(pointer, "is not a known field");
    }
    FieldError::new(pointer, without_what_was_sent(message))
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.strip_prefix('`')?.split('`').next()
}

fn pointer<'a>(segments: impl Iterator<Item = &'a Segment>) -> String {
    segments.fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => child(&pointer, key),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// RFC 6901: `~` and `/` are escaped.
fn child(parent: &str, name: &str) -> String {
    format!("{parent}/{}", repeatable(name).replace('~', "~0").replace('/', "~1"))
}

/// serde quotes the value that does not fit, which may be a secret in the wrong place: `invalid type: string
/// "secret", expected u8`. What stands before the quotation and what was expected say enough.
fn without_what_was_sent(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((found, expected)) => {
            let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
            format!("{kind}, expected {expected}")
        }
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Outer {
        inner: Inner,
        #[serde(default)]
        list: Vec<u8>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Other,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Inner {
        count: u8,
    }

    #[test]
    fn the_pointer_leads_to_the_field() {
        for (text, pointer, detail) in [
            (r#"{}"#, "/inner", "is required"),
            (r#"{"inner":{}}"#, "/inner/count", "is required"),
            (r#"{"inner":{"count":1,"x~/":1}}"#, "/inner/x~0~1", "is not a known field"),
            (r#"{"inner":{"count":1},"y":1}"#, "/y", "is not a known field"),
            (r#"{"inner":{"count":"1"}}"#, "/inner/count", "invalid type: string, expected u8"),
            (
                r#"{"inner":{"count":1},"list":[0,256]}"#,
                "/list/1",
                "invalid value: integer, expected u8",
            ),
        ] {
            let mut reader = serde_json::Deserializer::from_str(text);
            let error = serde_path_to_error::deserialize::<_, Outer>(&mut reader).unwrap_err();
            let error = field_error(&error);
            assert_eq!(
                (error.pointer.as_str(), error.detail.as_str()),
                (pointer, detail),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_that_was_sent_comes_back_but_short_names() {
        let long = "x".repeat(33);
        for (text, pointer, detail) in [
            (format!(r#"{{"{long}":1}}"#), "/…", "is not a known field"),
            (
                format!(r#"{{"inner":{{"count":1,"{long}":1}}}}"#),
                "/inner/…",
                "is not a known field",
            ),
            (
                r#"{"inner":{"count":"a, expected \"b` of c"}}"#.to_owned(),
                "/inner/count",
                "invalid type: string, expected u8",
            ),
            (
                r#"{"inner":{"count":1},"kind":"a` of b"}"#.to_owned(),
                "/kind",
                "unknown variant, expected `one` or `other`",
            ),
        ] {
            let mut reader = serde_json::Deserializer::from_str(&text);
            let error = serde_path_to_error::deserialize::<_, Outer>(&mut reader).unwrap_err();
            let error = field_error(&error);
            assert_eq!((&*error.pointer, &*error.detail), (pointer, detail), "{text}");
        }
    }
}
