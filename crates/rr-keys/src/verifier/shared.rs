//! One copy of each set of permissions, however many keys have it.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use crate::PermissionSet;

/// Below this many sets nobody looks for those that no key has any more.
const FLOOR: usize = 64;

/// Sets with a number. A service that makes up a set for each key has more than these, and the keys that came later
/// are judged by their entry, which takes longer.
const NUMBERED: usize = 1_024;

/// The sets of the keys in memory. A million keys mostly have a handful of them, and what is shared by all is
/// always in the processor's cache.
#[derive(Default)]
pub(super) struct SharedSets {
    sets: HashSet<PermissionSet>,
    sweep_at: usize,
    numbers: HashMap<PermissionSet, u32>,
}

/// The sets that came first, kept for good: read by number, without a lock and without a loan.
pub(super) struct KnownSets(Box<[OnceLock<PermissionSet>]>);

impl KnownSets {
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&PermissionSet> {
        self.0.get(number as usize)?.get()
    }
}

impl Default for KnownSets {
    fn default() -> Self {
        Self((0..NUMBERED).map(|_| OnceLock::new()).collect())
    }
}

impl SharedSets {
    /// Replaces a set by the copy that other keys have already.
    pub(super) fn share(&mut self, set: &mut PermissionSet) {
        if let Some(known) = self.sets.get(set) {
            *set = known.clone();
            return;
        }
        if self.sets.len() >= self.sweep_at {
            self.sets.retain(|set| !set.is_alone());
            self.sweep_at = self.sets.len().saturating_mul(2).max(FLOOR);
        }
        self.sets.insert(set.clone());
    }

    /// The number of a set, which it gets now if there is one left.
    pub(super) fn number(&mut self, set: &PermissionSet, known: &KnownSets) -> Option<u32> {
        if let Some(number) = self.numbers.get(set) {
            return Some(*number);
        }
        let number = self.numbers.len();
        known.0.get(number)?.set(set.clone()).ok()?;
        let number = u32::try_from(number).ok()?;
        self.numbers.insert(set.clone(), number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(n: usize) -> PermissionSet {
        [format!("read:{n}")].into_iter().collect()
    }

    #[test]
    fn equal_sets_are_one_and_those_of_no_key_go() {
        let mut shared = SharedSets::default();
        let (mut first, mut second) = (set(0), set(0));
        shared.share(&mut first);
        assert!(second.is_alone());
        shared.share(&mut second);
        drop(first);
        assert!(!second.is_alone(), "the copy in the table");
        for n in 1..10_000 {
            shared.share(&mut set(n));
            assert!(shared.sets.len() <= FLOOR);
        }
        shared.share(&mut second);
        assert!(shared.sets.contains(&second), "a set in use stays");
    }
}
