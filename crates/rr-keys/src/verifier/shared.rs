//! One copy of each set of permissions, however many keys have it.

use std::collections::HashSet;

use crate::PermissionSet;

/// Below this many sets nobody looks for those that no key has any more.
const FLOOR: usize = 64;

/// The sets of the keys in memory. A million keys mostly have a handful of them, and what is shared by all is
/// always in the processor's cache.
#[derive(Default)]
pub(super) struct SharedSets {
    sets: HashSet<PermissionSet>,
    sweep_at: usize,
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
