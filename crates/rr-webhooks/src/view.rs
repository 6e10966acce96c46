//! A lenient look into a body: a member is there in the form we understand, or it is not there.
//!
//! What a tool sends is its own. A body is refused for what makes it no event at all, never
//! because a member that we would have liked to understand looks different.

use rr_domain::{Commit, Timestamp};

use crate::Refusal;
use crate::headers::check_name;
use crate::json::Tree;

/// The commits of a push that are kept; more than that says nothing about lead time any more.
const MOST_COMMITS: usize = 1_000;

/// A look at a value; members are named by JSON pointers without escapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a>(pub(crate) &'a Tree<'a>);

impl<'a> View<'a> {
    /// What is there, whatever it is.
    pub(crate) fn find(self, pointer: &str) -> Option<&'a Tree<'a>> {
        let (mut value, mut rest) = (self.0, pointer);
        while let Some(names) = rest.strip_prefix('/') {
            let end = names.bytes().position(|byte| byte == b'/').unwrap_or(names.len());
            let (name, more) = names.split_at(end);
            value = value.get(name)?;
            rest = more;
        }
        Some(value)
    }

    /// Whether it is there; null is absent, as clients that fill in a form write it.
    pub(crate) fn has(self, pointer: &str) -> bool {
        !matches!(self.find(pointer), None | Some(Tree::Null))
    }

    /// A part; null where there is none.
    pub(crate) fn part(self, pointer: &str) -> View<'a> {
        View(self.find(pointer).unwrap_or(&Tree::Null))
    }

    pub(crate) fn is_object(self) -> bool {
        matches!(self.0, Tree::Object(_))
    }

    /// A text, whatever it says.
    pub(crate) fn string(self, pointer: &str) -> Option<&'a str> {
        self.find(pointer)?.text()
    }

    /// The items of a list.
    pub(crate) fn list(self, pointer: &str) -> Option<&'a [Tree<'a>]> {
        self.find(pointer)?.list()
    }

    /// A name: a text, not empty, at most 255 characters, without control characters.
    pub(crate) fn name(self, pointer: &str) -> Option<&'a str> {
        self.string(pointer).filter(|text| check_name(text).is_ok())
    }

    /// A name that has to be there.
    pub(crate) fn required(self, pointer: &str) -> Result<&'a str, Refusal> {
        let refuse = |problem| Refusal::member(pointer, problem);
        let member = self.find(pointer).ok_or_else(|| refuse("is missing"))?;
        let text = member.text().ok_or_else(|| refuse("must be a string"))?;
        check_name(text).map_err(refuse)?;
        Ok(text)
    }

    /// A name to keep.
    pub(crate) fn text(self, pointer: &str) -> Option<String> {
        self.name(pointer).map(str::to_owned)
    }

    /// The first name that is there.
    pub(crate) fn first(self, pointers: &[&str]) -> Option<String> {
        pointers.iter().find_map(|pointer| self.text(pointer))
    }

    /// An id: a name or a whole number.
    pub(crate) fn id(self, pointer: &str) -> Option<String> {
        match self.find(pointer)? {
            Tree::Number(number) if !number.is_f64() => Some(number.to_string()),
            _ => self.text(pointer),
        }
    }

    /// An RFC 3339 time.
    pub(crate) fn time(self, pointer: &str) -> Option<Timestamp> {
        Timestamp::parse(self.string(pointer)?).ok()
    }

    /// A whole number.
    pub(crate) fn number(self, pointer: &str) -> Option<u64> {
        if let Tree::Number(number) = self.find(pointer)? { number.as_u64() } else { None }
    }

    /// Whether it is there and true.
    pub(crate) fn is_true(self, pointer: &str) -> bool {
        matches!(self.find(pointer), Some(Tree::Bool(true)))
    }

    /// A commit's hash. What git writes for "there is none", all zeros, is none.
    pub(crate) fn sha(self, pointer: &str) -> Option<String> {
        let is_one = |sha: &&str| sha.bytes().any(|digit| digit != b'0');
        self.name(pointer).filter(is_one).map(str::to_owned)
    }

    /// A list of commits as GitHub and GitLab write them, or of mere hashes.
    pub(crate) fn commits(self, pointer: &str) -> Vec<Commit> {
        let read = |item: &'a Tree<'a>| {
            let item = View(item);
            let sha = item.sha("/id").or_else(|| item.sha("/sha")).or_else(|| item.sha(""))?;
            Some(Commit { sha, committed_at: item.time("/timestamp") })
        };
        self.list(pointer).into_iter().flatten().take(MOST_COMMITS).filter_map(read).collect()
    }
}
