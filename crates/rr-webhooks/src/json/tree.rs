//! A text taken apart. Texts without escapes stay where they are in it.

use std::borrow::Cow;

use serde_json::Number;
use sha2::{Digest as _, Sha256};

/// A value and what it holds.
#[derive(Debug)]
pub(crate) enum Tree<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    /// The members as they were written, no two of one name. They are mostly few, and each is looked at
    /// a few times at most, so they are not sorted.
    Object(Vec<Member<'a>>),
}

/// The name of a member, and what it is.
pub(crate) type Member<'a> = (Cow<'a, str>, Tree<'a>);

impl<'a> Tree<'a> {
    /// What an object has under a name, or a list at a place.
    pub(crate) fn get(&self, name: &str) -> Option<&Tree<'a>> {
        match self {
            Tree::Object(members) => {
                members.iter().find(|(other, _)| other == name).map(|(_, value)| value)
            }
            Tree::List(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// A hash of what it says, however it is written: spaces, escapes and the order of members do not count.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.feed(&mut hash);
        hash.finalize().into()
    }

    /// Each kind begins with a letter of its own and what has no end of its own with its length, so two values
    /// that differ feed different bytes.
    fn feed(&self, hash: &mut Sha256) {
        match self {
            Tree::Null => hash.update("n"),
            Tree::Bool(value) => hash.update(if *value { "t" } else { "f" }),
            Tree::Number(number) => feed_text('#', &number.to_string(), hash),
            Tree::Text(text) => feed_text('"', text, hash),
            Tree::List(items) => {
                hash.update(format!("[{}:", items.len()));
                items.iter().for_each(|item| item.feed(hash));
            }
            Tree::Object(members) => {
                hash.update(format!("{{{}:", members.len()));
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| name);
                for (name, value) in members {
                    feed_text('"', name, hash);
                    value.feed(hash);
                }
            }
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Tree::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&[Tree<'a>]> {
        if let Tree::List(items) = self { Some(items) } else { None }
    }
}

fn feed_text(kind: char, text: &str, hash: &mut Sha256) {
    hash.update(format!("{kind}{}:", text.len()));
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use crate::json::{JsonLimits, take_apart};

    fn digest(text: &str) -> [u8; 32] {
        take_apart(text, JsonLimits::default()).unwrap().digest()
    }

    #[test]
    fn a_digest_is_of_what_is_said_and_not_of_how_it_is_written() {
        let one = digest(r#"{"a":[1,"é/",null,true],"b":{"x":1.5,"y":{}}}"#);
        let other = r#" { "b": {"y": {}, "x": 1.50}, "a": [1, "\u00e9\/", null, true] } "#;
        assert_eq!(one, digest(other));
        let different = [
            "null",
            "true",
            "false",
            "1",
            "\"1\"",
            "\"n\"",
            "[]",
            "{}",
            "[[]]",
            "[1,2]",
            "[2,1]",
            "[12]",
            "[\"1\",2]",
            r#"["a","b"]"#,
            r#"["ab"]"#,
            r#"{"a":"b"}"#,
            r#"{"ab":""}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":{},"b":1}"#,
            r#"[["a"],"b"]"#,
            r#"[["a","b"]]"#,
        ];
        for (place, text) in different.iter().enumerate() {
            for other in &different[..place] {
                assert_ne!(digest(text), digest(other), "{text} {other}");
            }
        }
    }
}
