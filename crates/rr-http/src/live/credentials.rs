//! Which credentials may have changed, so that whoever follows with one of them is judged anew.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// Numbers that move with the changes of credentials, one for all ids with the same last byte. So a change
/// of one credential has a few others judged without need, and not every reader ask the store; and nobody
/// has to remember ids.
pub(super) struct Credentials([AtomicU64; 256]);

impl Credentials {
    pub(super) fn new() -> Credentials {
        Credentials(std::array::from_fn(|_| AtomicU64::new(1)))
    }

    /// The key or the user of this id may have changed.
    pub(super) fn changed(&self, id: Uuid) {
        self.of(id).fetch_add(1, Ordering::AcqRel);
    }

    /// Any may have changed.
    pub(super) fn all_changed(&self) {
        for mark in &self.0 {
            mark.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The number to judge by: as long as it is the same, nothing happened to the key or user of this id.
    pub(super) fn mark(&self, id: Uuid) -> u64 {
        self.of(id).load(Ordering::Acquire)
    }

    fn of(&self, id: Uuid) -> &AtomicU64 {
        let last = id.as_bytes()[15];
        &self.0[usize::from(last)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_moves_the_number_of_its_id() {
        let credentials = Credentials::new();
        let ids = [0, 1, 255, 256, u128::MAX].map(Uuid::from_u128);
        let marks = || ids.map(|id| credentials.mark(id));
        assert_eq!(marks(), [1; 5]);
        credentials.changed(ids[1]);
        assert_eq!(marks(), [1, 2, 1, 1, 1]);
        credentials.all_changed();
        assert_eq!(marks(), [2, 3, 2, 2, 2]);
    }
}
