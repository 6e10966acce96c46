//! A secret or a cursor with a typo.

/// The same text with another last character. Whatever the last one was: a fixed one in its place would
/// now and then be the right one.
pub fn mistyped(text: &str) -> String {
    let (start, last) = text.split_at(text.len() - 1);
    format!("{start}{}", if last == "0" { "1" } else { "0" })
}
