//! How fast a key may be used: windows, the meter that enforces them, and what to tell the caller.
//!
//! Each window is a leaky bucket (GCRA counted in whole numbers): a use pours one unit in, time drains
//! `limit` units per `window`, and a use that would overflow is refused and pours nothing. A caller that
//! keeps to its average rate is never refused, and there is no instant at which everybody's count resets.

mod bucket;
mod meter;
mod status;

use std::num::NonZeroU32;
use std::time::Duration;

pub(crate) use bucket::Bucket;
pub(crate) use meter::{Meter, Spent};
pub use status::{QuotaStatus, RateLimitStatus, WindowStatus};

/// The most windows that one key can have, the nameless one included.
pub(crate) const MAX_WINDOWS: usize = 4;

/// At most `limit` uses at once, refilled evenly over `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The number of uses.
    pub limit: NonZeroU32,
    /// The time over which they come back. Zero means no limit.
    pub window: Duration,
}

/// More windows of one key, each with a name of its own; at most three.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedLimits(Box<[(Box<str>, RateLimit)]>);

/// A set of named windows that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimits {
    /// More than three.
    #[error("a key has at most three named limits")]
    TooMany,
    /// Two windows of one name, or one called `default`, which is the nameless one, or as a quota is.
    #[error("the limit name {0:?} is taken")]
    NameTaken(String),
    /// The name goes into a header field.
    #[error("a limit name is 1 to 32 of a-z, 0-9, - and _, not {0:?}")]
    BadName(String),
}

impl NamedLimits {
    /// Checks names and number.
    pub fn new<T: Into<String>>(
        limits: impl IntoIterator<Item = (T, RateLimit)>,
    ) -> Result<Self, InvalidLimits> {
        let mut checked: Vec<(Box<str>, RateLimit)> = Vec::new();
        for (name, limit) in limits {
            let name: String = name.into();
            if !is_name(&name) {
                return Err(InvalidLimits::BadName(name));
            }
            let is_quota = name.starts_with(QUOTA_PREFIX);
            if is_quota || name == DEFAULT_NAME || checked.iter().any(|(other, _)| **other == *name)
            {
                return Err(InvalidLimits::NameTaken(name));
            }
            if checked.len() + 1 == MAX_WINDOWS {
                return Err(InvalidLimits::TooMany);
            }
            checked.push((name.into_boxed_str(), limit));
        }
        Ok(Self(checked.into_boxed_slice()))
    }

    /// The windows in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, RateLimit)> {
        self.0.iter().map(|(name, limit)| (&**name, *limit))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the nameless window is called on the wire.
pub(crate) const DEFAULT_NAME: &str = "default";
/// What the names of quotas begin with on the wire.
const QUOTA_PREFIX: &str = "quota-";

fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// The windows of a key, the nameless one first.
pub(crate) fn windows(
    main: Option<RateLimit>,
    named: &NamedLimits,
) -> impl Iterator<Item = (&str, RateLimit)> {
    main.map(|limit| (DEFAULT_NAME, limit)).into_iter().chain(named.iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_second(limit: u32) -> RateLimit {
        RateLimit { limit: NonZeroU32::new(limit).unwrap(), window: Duration::from_secs(1) }
    }

    #[test]
    fn names_are_checked() {
        let limits = |names: &[&str]| NamedLimits::new(names.iter().map(|n| (*n, per_second(1))));
        assert_eq!(limits(&["burst", "per-day", "x_1"]).unwrap().iter().len(), 3);
        assert_eq!(limits(&["a", "b", "c", "d"]), Err(InvalidLimits::TooMany));
        assert_eq!(limits(&["a", "a"]), Err(InvalidLimits::NameTaken("a".to_owned())));
        for taken in ["default", "quota-day"] {
            assert_eq!(limits(&[taken]), Err(InvalidLimits::NameTaken(taken.to_owned())));
        }
        for bad in ["", "Upper", "quo\"te", "sp ace", "new\nline", &"x".repeat(33)] {
            assert_eq!(limits(&[bad]), Err(InvalidLimits::BadName(bad.to_owned())), "{bad:?}");
        }
    }
}
