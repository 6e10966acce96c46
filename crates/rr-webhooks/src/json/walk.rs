//! A visitor that walks a text through serde_json and takes it apart.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::tree::{Member, Tree};
use super::{JsonFault, JsonFaultKind};

/// With such a key serde_json's own `Value` does not read an object but what it encodes in it, so
/// a text could say one thing to this walk and another to a later reader.
const RESERVED: &str = "$serde_json::private::";

/// A pointer goes into answers and logs; beyond this many bytes an ancestor has to do.
const LONGEST_POINTER: usize = 256;

/// Up to how many members the names of an object are compared with one another; more are hashed.
const FEW: usize = 16;

/// What a walk came by.
pub(super) struct Walked<'de> {
    pub(super) tree: Tree<'de>,
    /// Whether all numbers are whole and have 64 bits, and so at most [`LONGEST_WHOLE`] characters.
    pub(super) is_whole: bool,
}

/// The length of `-9223372036854775808` and of `18446744073709551615`.
pub(super) const LONGEST_WHOLE: usize = 20;

/// Takes `text` apart, or reports the first fault.
pub(super) fn read(text: &str, depth: usize) -> Result<Walked<'_>, JsonFault> {
    let mut walk = Walk { path: Vec::new(), fault: None, is_whole: true };
    let mut parser = serde_json::Deserializer::from_str(text);
    let outcome = Value { walk: &mut walk, depth_left: depth }
        .deserialize(&mut parser)
        .and_then(|tree| parser.end().map(|()| tree));
    let tree = outcome.map_err(|error| JsonFault {
        kind: walk.fault.take().unwrap_or_else(|| JsonFaultKind::Syntax(reason(&error))),
        pointer: walk.pointer(),
        offset: offset(text, error.line(), error.column()),
    })?;
    Ok(Walked { tree, is_whole: walk.is_whole })
}

/// The state that the nested visitors share.
struct Walk<'de> {
    /// The way to a fault, its last step first.
    path: Vec<Step<'de>>,
    fault: Option<JsonFaultKind>,
    is_whole: bool,
}

/// One step from a value into one that it holds.
enum Step<'de> {
    Name(Cow<'de, str>),
    Index(usize),
}

impl<'de> Walk<'de> {
    /// Notes our own fault; serde_json adds the position to the error that carries it out.
    fn refuse<E: Error>(&mut self, fault: JsonFaultKind) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }

    /// Takes over a text that held escapes. Only such a text can hold a NUL: serde_json lets no
    /// control character stand in a text as it is.
    fn unescaped<E: Error>(&mut self, text: &str) -> Result<Cow<'de, str>, E> {
        if text.contains('\0') {
            return Err(self.refuse(JsonFaultKind::Nul));
        }
        Ok(Cow::Owned(text.to_owned()))
    }

    /// Where the walk stopped, as far as that is short enough to say.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in self.path.iter().rev() {
            let step = match step {
                Step::Name(name) => name.replace('~', "~0").replace('/', "~1"),
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
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, 'de> {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree<'de>, E> {
        self.walk.is_whole = false;
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree<'de>, E> {
        self.walk.unescaped(text).map(Tree::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree<'de>, A::Error> {
        let Value { walk, depth_left } = self;
        let Some(depth_left) = depth_left.checked_sub(1) else {
            return Err(walk.refuse(JsonFaultKind::Depth));
        };
        let mut items = Vec::new();
        loop {
            match list.next_element_seed(Value { walk: &mut *walk, depth_left }) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(Tree::List(items)),
                Err(error) => {
                    walk.path.push(Step::Index(items.len()));
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Tree<'de>, A::Error> {
        let Value { walk, depth_left } = self;
        let Some(depth_left) = depth_left.checked_sub(1) else {
            return Err(walk.refuse(JsonFaultKind::Depth));
        };
        let (mut members, mut names) = (Vec::new(), None);
        while let Some(name) = object.next_key_seed(Name(&mut *walk))? {
            let value = if name.starts_with(RESERVED) {
                Err(walk.refuse(JsonFaultKind::ReservedKey))
            } else if is_taken(&name, &members, &mut names) {
                Err(walk.refuse(JsonFaultKind::DuplicateKey))
            } else {
                object.next_value_seed(Value { walk: &mut *walk, depth_left })
            };
            match value {
                Ok(value) => members.push((name, value)),
                Err(error) => {
                    walk.path.push(Step::Name(name));
                    return Err(error);
                }
            }
        }
        Ok(Tree::Object(members))
    }
}

/// Whether one of the members before has that name; `names` are theirs, once there are many.
#[expect(clippy::ptr_arg, reason = "a name without escapes is cloned without a copy")]
fn is_taken<'de>(
    name: &Cow<'de, str>,
    members: &[Member<'de>],
    names: &mut Option<HashSet<Cow<'de, str>>>,
) -> bool {
    if members.len() < FEW {
        return members.iter().any(|(other, _)| other == name);
    }
    let before = || members.iter().map(|(name, _)| name.clone()).collect();
    !names.get_or_insert_with(before).insert(name.clone())
}

/// Reads the name of a member.
struct Name<'w, 'de>(&'w mut Walk<'de>);

impl<'de> DeserializeSeed<'de> for Name<'_, 'de> {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_, 'de> {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        self.0.unescaped(name)
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
