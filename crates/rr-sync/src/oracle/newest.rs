//! The newest few of a stream.

use std::collections::BTreeMap;

use rr_domain::Timestamp;
use uuid::Uuid;

/// Keeps the `N` newest entries. Of two at the same instant, the one with the greater id is newer.
#[derive(Debug)]
pub(super) struct Newest<T, const N: usize> {
    entries: BTreeMap<Place, T>,
}

/// Where an entry stands: its instant, then the id of its fact, which no two share.
pub(super) type Place = (Timestamp, Uuid);

impl<T, const N: usize> Newest<T, N> {
    pub(super) fn new() -> Self {
        Newest { entries: BTreeMap::new() }
    }

    /// Adds an entry and lets go of the oldest one when there are too many.
    pub(super) fn add(&mut self, place: Place, entry: T) {
        self.entries.insert(place, entry);
        if self.entries.len() > N {
            self.entries.pop_first();
        }
    }

    /// The entries, newest first.
    pub(super) fn into_vec(self) -> Vec<T> {
        self.entries.into_values().rev().collect()
    }
}
