//! A lenient look into a body: a member is there in the form we understand, or it is not there.
//!
//! What a tool sends is its own. A body is refused for what makes it no event at all, never
//! because a member that we would have liked to understand looks different.

use rr_domain::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::headers::check_name;
use rr_domain::Commit;

/// The commits of a push that are kept; more than that says nothing about lead time any more.
const MOST_COMMITS: usize = 1_000;

/// A look at a value; members are named by JSON pointers without escapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a>(pub(crate) &'a Value);

/// Takes a checked body apart.
pub(crate) fn parse(body: &RawValue) -> Value {
    serde_json::from_str(body.get()).unwrap_or_default()
}

impl<'a> View<'a> {
    /// What serde_json's own `pointer` would find, without its two copies of each name.
    fn find(self, pointer: &str) -> Option<&'a Value> {
        let (mut value, mut rest) = (self.0, pointer);
        while let Some(names) = rest.strip_prefix('/') {
            let end = names.bytes().position(|byte| byte == b'/').unwrap_or(names.len());
            let (name, more) = names.split_at(end);
            value = match value {
                Value::Array(items) => items.get(name.parse::<usize>().ok()?)?,
                value => value.get(name)?,
            };
            rest = more;
        }
        Some(value)
    }

    /// A part; null where there is none.
    pub(crate) fn part(self, pointer: &str) -> View<'a> {
        View(self.find(pointer).unwrap_or(&Value::Null))
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.is_object()
    }

    /// A name: a text, not empty, at most 255 characters, without control characters.
    pub(crate) fn text(self, pointer: &str) -> Option<String> {
        let text = self.find(pointer)?.as_str()?;
        check_name(text).is_ok().then(|| text.to_owned())
    }

    /// The first name that is there.
    pub(crate) fn first(self, pointers: &[&str]) -> Option<String> {
        pointers.iter().find_map(|pointer| self.text(pointer))
    }

    /// An id: a name or a whole number.
    pub(crate) fn id(self, pointer: &str) -> Option<String> {
        match self.find(pointer)? {
            Value::Number(number) if !number.is_f64() => Some(number.to_string()),
            _ => self.text(pointer),
        }
    }

    /// An RFC 3339 time.
    pub(crate) fn time(self, pointer: &str) -> Option<Timestamp> {
        Timestamp::parse(self.find(pointer)?.as_str()?).ok()
    }

    /// A whole number.
    pub(crate) fn number(self, pointer: &str) -> Option<u64> {
        self.find(pointer)?.as_u64()
    }

    /// Whether it is there and true.
    pub(crate) fn is_true(self, pointer: &str) -> bool {
        self.find(pointer) == Some(&Value::Bool(true))
    }

    /// A commit's hash. What git writes for "there is none", all zeros, is none.
    pub(crate) fn sha(self, pointer: &str) -> Option<String> {
        self.text(pointer).filter(|sha| sha.bytes().any(|digit| digit != b'0'))
    }

    /// A list of commits as GitHub and GitLab write them, or of mere hashes.
    pub(crate) fn commits(self, pointer: &str) -> Vec<Commit> {
        let list = self.find(pointer).and_then(Value::as_array);
        let read = |item: &'a Value| {
            let item = View(item);
            let sha = item.sha("/id").or_else(|| item.sha("/sha")).or_else(|| item.sha(""))?;
            Some(Commit { sha, committed_at: item.time("/timestamp") })
        };
        list.into_iter().flatten().take(MOST_COMMITS).filter_map(read).collect()
    }
}
