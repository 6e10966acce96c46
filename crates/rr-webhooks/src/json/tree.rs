//! A text taken apart. Texts without escapes stay where they are in it.

use std::borrow::Cow;

use serde_json::Number;

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

    pub(crate) fn text(&self) -> Option<&str> {
        if let Tree::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn list(&self) -> Option<&[Tree<'a>]> {
        if let Tree::List(items) = self { Some(items) } else { None }
    }
}
