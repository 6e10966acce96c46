//! Strict JSON: what every reader, and both databases, understand the same way.
//!
//! serde_json knows the grammar and is walked by a visitor of our own, which adds what its rules
//! let pass: duplicate keys, the NUL that PostgreSQL cannot keep, depth. What passes is taken apart on
//! the same walk, so that nobody has to read it again. A parser written by hand
//! would be a second opinion about the grammar, and two parsers that disagree are how smuggling
//! starts: so whatever passes here is text that serde_json reads. The one thing a visitor is not
//! shown is how a number was written, so numbers are looked at in the text (`numbers.rs`) unless all
//! are plain whole ones.
//!
//! Everything is linear in the length of the text, and the recursion is bounded by the depth.

mod numbers;
mod tree;
mod walk;

use std::fmt;

pub(crate) use tree::Tree;

/// What [`check_json`] allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLimits {
    /// How deep arrays and objects may be nested: `[]` is 1 deep. serde_json stops at 127 anyway.
    pub depth: usize,
    /// How many characters a number may have, and how large its exponent may be either way.
    pub number: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        JsonLimits { depth: 64, number: 1_000 }
    }
}

/// Why a text is not the JSON we accept, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// What is wrong.
    pub kind: JsonFaultKind,
    /// The value it was found in as a JSON pointer, or an ancestor of it where that would be too
    /// long or is not known; empty for the whole text.
    pub pointer: String,
    /// The byte at which it was noticed.
    pub offset: usize,
}

/// What is wrong with a text that should be JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFaultKind {
    /// It starts with a byte order mark, which JSON does not have.
    #[error("starts with a byte order mark")]
    ByteOrderMark,
    /// It is not UTF-8.
    #[error("is not valid UTF-8")]
    Encoding,
    /// It is against the grammar, which includes lone surrogates, or something follows the value.
    #[error("is not valid JSON: {0}")]
    Syntax(String),
    /// Arrays and objects are nested too deep.
    #[error("is nested too deep")]
    Depth,
    /// An object has a key twice. Readers disagree about which one counts.
    #[error("has a key twice in one object")]
    DuplicateKey,
    /// A key that our JSON library keeps for itself and would not read as a key.
    #[error("has a key that is reserved")]
    ReservedKey,
    /// A string holds a NUL character, which PostgreSQL cannot keep.
    #[error("holds a NUL character")]
    Nul,
    /// A number is too long, too large or too fine to be kept exactly.
    #[error("has a number that cannot be kept exactly")]
    Number,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body {} (byte {})", self.kind, self.offset)
    }
}

impl std::error::Error for JsonFault {}

/// Checks that `bytes` are one JSON value, written so that every reader understands the same:
/// UTF-8 without a byte order mark, no duplicate keys (compared after unescaping), no NUL, no lone
/// surrogate, no nesting beyond the limit, no number that a database could not keep, nothing after.
pub fn check_json(bytes: &[u8], limits: JsonLimits) -> Result<(), JsonFault> {
    take_apart(text(bytes)?, limits).map(drop)
}

/// Bytes as a text that may be JSON.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, JsonFault> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(fault(JsonFaultKind::ByteOrderMark, 0));
    }
    std::str::from_utf8(bytes).map_err(|error| fault(JsonFaultKind::Encoding, error.valid_up_to()))
}

/// Takes such a text apart, if it is strict JSON.
pub(crate) fn take_apart(text: &str, limits: JsonLimits) -> Result<Tree<'_>, JsonFault> {
    let walked = walk::read(text, limits.depth);
    match walked {
        Ok(walked) if walked.is_whole && walk::LONGEST_WHOLE <= limits.number => Ok(walked.tree),
        // Of two faults the number is named.
        _ => numbers::check(text, limits.number)
            .map_err(|offset| fault(JsonFaultKind::Number, offset))
            .and(walked.map(|walked| walked.tree)),
    }
}

/// Takes a text apart that was found to be JSON when it was stored.
pub(crate) fn take_apart_stored(text: &str) -> Tree<'_> {
    walk::read(text, usize::MAX).map_or(Tree::Null, |walked| walked.tree)
}

fn fault(kind: JsonFaultKind, offset: usize) -> JsonFault {
    JsonFault { kind, pointer: String::new(), offset }
}

#[cfg(test)]
mod tests;
