//! The windows of one key.

use super::{RateLimit, WindowName};

/// How often a key may be used: windows with a name each, at most four. A use must fit into all of them.
///
/// `RateLimits::from(limit)` is a single one, called `default`. Of a change the meter looks at the names: a window
/// that keeps its name keeps the uses that are outstanding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits(Box<[(WindowName, RateLimit)]>);

/// Windows that one key cannot have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimits {
    /// More than four.
    #[error("a key has at most {} windows", RateLimits::MOST)]
    TooMany,
    /// Two windows of one name.
    #[error("two windows are called {0}")]
    NameTwice(WindowName),
}

impl RateLimits {
    /// The most windows that one key can have.
    pub const MOST: usize = 4;

    /// Checks names and number.
    pub fn new(
        windows: impl IntoIterator<Item = (WindowName, RateLimit)>,
    ) -> Result<Self, InvalidLimits> {
        let mut checked: Vec<(WindowName, RateLimit)> = Vec::new();
        for (name, limit) in windows {
            if checked.iter().any(|(other, _)| *other == name) {
                return Err(InvalidLimits::NameTwice(name));
            }
            if checked.len() == Self::MOST {
                return Err(InvalidLimits::TooMany);
            }
            checked.push((name, limit));
        }
        Ok(Self(checked.into()))
    }

    /// The windows in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (WindowName, RateLimit)> {
        self.0.iter().copied()
    }

    /// The window of this name.
    pub fn get(&self, name: WindowName) -> Option<RateLimit> {
        self.iter().find_map(|(own, limit)| (own == name).then_some(limit))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<RateLimit> for RateLimits {
    fn from(limit: RateLimit) -> Self {
        Self(Box::new([(WindowName::default(), limit)]))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    #[test]
    fn windows_are_few_and_each_has_its_name() {
        let limit = RateLimit { limit: NonZeroU32::MIN, window: Duration::from_secs(1) };
        let limits =
            |names: &[&str]| RateLimits::new(names.iter().map(|n| (n.parse().unwrap(), limit)));
        let four = limits(&["a", "b", "c", "d"]).unwrap();
        assert_eq!(four.iter().len(), RateLimits::MOST);
        assert_eq!(four.get("c".parse().unwrap()), Some(limit));
        assert_eq!(four.get(WindowName::default()), None);
        assert_eq!(limits(&["a", "b", "c", "d", "e"]), Err(InvalidLimits::TooMany));
        let twice = InvalidLimits::NameTwice("a".parse().unwrap());
        assert_eq!(limits(&["a", "b", "a"]), Err(twice));
        assert_eq!(limits(&["a", "b", "c", "d", "a"]), Err(twice));
        assert_eq!(RateLimits::from(limit), limits(&["default"]).unwrap());
        assert!(RateLimits::default().is_empty() && !four.is_empty());
    }
}
