//! A visitor that walks a text through serde_json and keeps nothing but the keys of open objects.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{JsonFault, JsonFaultKind};

/// With such a key serde_json's own `Value` does not read an object but what it encodes in it, so
/// a text could say one thing to this walk and another to a later reader.
const RESERVED: &str = "$serde_json::private::";

/// A pointer goes into answers and logs; beyond this many bytes an ancestor has to do.
const LONGEST_POINTER: usize = 256;

/// Walks `text` and reports the first fault.
pub(super) fn check(text: &str, depth: usize) -> Result<(), JsonFault> {
    let mut walk = Walk { path: Vec::new(), fault: None };
    let mut parser = serde_json::Deserializer::from_str(text);
    let outcome = Value { walk: &mut walk, depth_left: depth }
        .deserialize(&mut parser)
        .and_then(|()| parser.end());
    outcome.map_err(|error| JsonFault {
        kind: walk.fault.take().unwrap_or_else(|| JsonFaultKind::Syntax(reason(&error))),
        pointer: walk.pointer(),
        offset: offset(text, error.line(), error.column()),
    })
}

/// The state that the nested visitors share.
struct Walk<'de> {
    path: Vec<Step<'de>>,
    fault: Option<JsonFaultKind>,
}

/// One step from a value into one that it holds.
enum Step<'de> {
    Key(Cow<'de, str>),
    Index(usize),
}

impl Walk<'_> {
    /// Notes our own fault; serde_json adds the position to the error that carries it out.
    fn refuse<E: Error>(&mut self, fault: JsonFaultKind) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }

    fn refuse_nul<E: Error>(&mut self, text: &str) -> Result<(), E> {
        if text.contains('\0') { Err(self.refuse(JsonFaultKind::Nul)) } else { Ok(()) }
    }

    /// Where the walk stopped, as far as that is short enough to say.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.path {
            let step = match step {
                Step::Key(key) => key.replace('~', "~0").replace('/', "~1"),
                Step::Index(index) => index.to_string(),
            };
            if pointer.len() + 1 + step.len() > LONGEST_POINTER {
                break;
            }
            pointer.push('/');
            pointer.push_str(&step);
        }
        pointer
    }
}

/// Visits one value and what it holds.
struct Value<'w, 'de> {
    walk: &'w mut Walk<'de>,
    depth_left: usize,
}

impl<'de> DeserializeSeed<'de> for Value<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.walk.refuse_nul(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Err(self.walk.refuse(JsonFaultKind::Depth));
        };
        for index in 0.. {
            self.walk.path.push(Step::Index(index));
            let item = items.next_element_seed(Value { walk: &mut *self.walk, depth_left })?;
            self.walk.path.pop();
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            return Err(self.walk.refuse(JsonFaultKind::Depth));
        };
        let mut keys = HashSet::new();
        while let Some(key) = members.next_key_seed(Key)? {
            self.walk.refuse_nul(&key)?;
            self.walk.path.push(Step::Key(key.clone()));
            if key.starts_with(RESERVED) {
                return Err(self.walk.refuse(JsonFaultKind::ReservedKey));
            }
            if !keys.insert(key) {
                return Err(self.walk.refuse(JsonFaultKind::DuplicateKey));
            }
            members.next_value_seed(Value { walk: &mut *self.walk, depth_left })?;
            self.walk.path.pop();
        }
        Ok(())
    }
}

/// Reads a key, borrowed from the text unless it holds escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// serde_json's words without the position, which is given as a byte. They name what was expected
/// and never quote the text.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason).to_owned()
}

/// The byte that serde_json names by line and column; both count from 1, columns in bytes.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let line_start: usize =
        text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (line_start + column.saturating_sub(1)).min(text.len())
}
