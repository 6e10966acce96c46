//! The words that people give a key: what fits on a line and in a list. One rule for requests and for the
//! command line.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Seconds in the window of a rate limit: up to 31 days.
pub const WINDOWS: RangeInclusive<u32> = 1..=2_678_400;

/// A name.
pub fn name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if fits(text, 100) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 100 characters, without control characters")
    }
}

/// The owner, in whatever form the installation names its users.
pub fn owner(text: &str) -> Result<String, &'static str> {
    if fits(text, 64) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 64 characters, without control characters")
    }
}

/// Notes, of which a list of keys shows all; else what is wrong, and with which of them where it is one's text.
pub fn notes(
    sent: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, (Option<String>, &'static str)> {
    if sent.len() > 20 {
        return Err((None, "may have at most 20 members"));
    }
    for (name, note) in &sent {
        if !fits(name, 64) {
            return Err((None, "may have names of 1 to 64 characters, without control characters"));
        }
        if !note.is_empty() && !fits(note, 500) {
            let detail = "must be at most 500 characters, without control characters";
            return Err((Some(name.clone()), detail));
        }
    }
    Ok(sent)
}

fn fits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_have_bounds() {
        let notes = |pairs: &[(&str, &str)]| {
            notes(pairs.iter().map(|(name, note)| ((*name).into(), (*note).into())).collect())
        };
        let (name, note) = ("n".repeat(64), "é".repeat(500));
        assert_eq!(notes(&[("team", ""), (&name, &note)]).unwrap().len(), 2);
        let (name, note) = ("n".repeat(65), "é".repeat(501));
        for bad in
            [[("", "x")], [(name.as_str(), "x")], [("a\n", "x")], [("a", &note)], [("a", "\0")]]
        {
            assert!(notes(&bad).is_err(), "{bad:?}");
        }
        let many =
            |count: u32| super::notes((0..count).map(|n| (n.to_string(), String::new())).collect());
        assert!(many(20).is_ok() && many(21).is_err());
    }

    #[test]
    fn names_and_owners_have_bounds() {
        assert_eq!(name(" CI ").unwrap(), "CI");
        for bad in ["", "   ", "a\nb", "a\0", &"x".repeat(101)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(owner("1").unwrap(), "1");
        assert!(owner("").is_err() && owner(&"x".repeat(65)).is_err());
    }
}
