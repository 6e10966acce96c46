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

    /// Whether whoever keeps to these windows keeps to those of `outer` too: each of those is here under its
    /// name, for it is the name that keeps what is used, and lets no more through at once or in the long run.
    pub fn is_within(&self, outer: &Self) -> bool {
        outer.iter().all(|(name, outer)| {
            outer.window.is_zero() || self.get(name).is_some_and(|own| own.is_within(outer))
        })
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

    use proptest::prelude::*;

    use super::*;
    use crate::limit::Bucket;

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

    fn every(limit: u32, window_ns: u64) -> RateLimit {
        RateLimit {
            limit: NonZeroU32::new(limit).unwrap(),
            window: Duration::from_nanos(window_ns),
        }
    }

    /// Takes whatever `own` has room for, as early as it has, and asks `outer` each time.
    fn keeps_to(own: RateLimit, outer: RateLimit) -> bool {
        let (mut inside, mut outside) = (Bucket::default(), Bucket::default());
        // Long enough for the slightest difference in pace to fill the larger bucket.
        for now in 0..1_000 {
            while inside.take(own, now).is_ok() {
                if outside.take(outer, now).is_err() {
                    return false;
                }
            }
        }
        true
    }

    proptest! {
        #[test]
        fn one_limit_is_within_another_when_all_that_it_lets_through_fits_there(
            (own, own_ns) in (1..5_u32, 1..13_u64),
            (outer, outer_ns) in (1..5_u32, 1..13_u64),
        ) {
            let (own, outer) = (every(own, own_ns), every(outer, outer_ns));
            prop_assert_eq!(own.is_within(outer), keeps_to(own, outer), "{:?} {:?}", own, outer);
        }
    }

    #[test]
    fn windows_are_within_others_by_their_names() {
        let set = |windows: &[(&str, u32, u64)]| {
            let window =
                |(name, limit, ns): &(&str, u32, u64)| (name.parse().unwrap(), every(*limit, *ns));
            RateLimits::new(windows.iter().map(window)).unwrap()
        };
        let outer = set(&[("burst", 10, 1), ("sustained", 100, 60), ("off", 1, 0)]);
        for (own, within) in [
            (&[("burst", 10, 1), ("sustained", 100, 60)][..], true),
            (&[("sustained", 99, 60), ("more", 1, 1), ("burst", 1, 1)], true),
            (&[("burst", 10, 1)], false),
            (&[("burst", 10, 1), ("renamed", 100, 60)], false),
            (&[("burst", 10, 1), ("sustained", 101, 60)], false),
            (&[("burst", 10, 1), ("sustained", 100, 59)], false),
            (&[("burst", 10, 1), ("sustained", 100, 0)], false),
            (&[], false),
        ] {
            assert_eq!(set(own).is_within(&outer), within, "{own:?}");
        }
        assert!(outer.is_within(&RateLimits::default()));
    }
}
