//! The newest few of a stream.

use std::collections::BTreeMap;

use rr_domain::Timestamp;

/// Keeps the `N` newest entries. Of two at the same instant, the one recorded later is newer.
#[derive(Debug)]
pub(crate) struct Newest<T, const N: usize> {
    entries: BTreeMap<Place, T>,
}

/// Where an entry stands: its instant, then its number in the stream, which no two share.
pub(crate) type Place = (Timestamp, u64);

impl<T, const N: usize> Newest<T, N> {
    pub(crate) fn new() -> Self {
        Newest { entries: BTreeMap::new() }
    }

    /// Adds an entry and lets go of the oldest one when there are too many.
    pub(crate) fn add(&mut self, place: Place, entry: T) {
        self.entries.insert(place, entry);
        if self.entries.len() > N {
            self.entries.pop_first();
        }
    }

    /// The entries, newest first.
    pub(crate) fn into_vec(self) -> Vec<T> {
        self.entries.into_values().rev().collect()
    }
}
