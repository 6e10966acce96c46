//! What a window is called.

use std::fmt;
use std::str::FromStr;

/// What the names of quotas begin with on the wire.
pub(super) const QUOTA_PREFIX: &str = "quota-";

const LONGEST: usize = 16;

/// The name of a window: 1 to 16 of `a-z`, `0-9`, `-` and `_`, so that it can stand in a header field, and not as
/// quotas are called there (`quota-…`). By default it is `default`.
///
/// Small enough to be compared and copied like a number, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowName([u8; LONGEST]);

/// A text that no window can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 16 of a-z, 0-9, - and _, and not begin with quota-")]
pub struct InvalidWindowName;

impl WindowName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(LONGEST);
        // Letters, digits, - and _, and so never the empty text.
        str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl FromStr for WindowName {
    type Err = InvalidWindowName;

    fn from_str(text: &str) -> Result<Self, InvalidWindowName> {
        let fits = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if text.is_empty() || !fits || text.starts_with(QUOTA_PREFIX) {
            return Err(InvalidWindowName);
        }
        let mut name = [0; LONGEST];
        name.get_mut(..text.len()).ok_or(InvalidWindowName)?.copy_from_slice(text.as_bytes());
        Ok(Self(name))
    }
}

impl Default for WindowName {
    fn default() -> Self {
        Self(*b"default\0\0\0\0\0\0\0\0\0")
    }
}

impl fmt::Display for WindowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for WindowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_a_header_field() {
        for good in ["burst", "per-day", "x_1", "0", "quota", "default", &"x".repeat(16)] {
            assert_eq!(good.parse::<WindowName>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "Upper",
            "quo\"te",
            "sp ace",
            "new\nline",
            "nul\0",
            "é",
            "quota-day",
            &"x".repeat(17),
        ] {
            assert_eq!(bad.parse::<WindowName>(), Err(InvalidWindowName), "{bad:?}");
        }
        assert_eq!(WindowName::default(), "default".parse().unwrap());
    }
}
