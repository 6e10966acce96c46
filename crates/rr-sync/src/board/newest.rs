//! The newest entries of an account, of however many there are.

use std::collections::BTreeMap;
use std::ops::Bound;

use rr_domain::Timestamp;
use uuid::Uuid;

use crate::ledger::{Entry, Sum};

/// How many past entries are kept at least, and beyond how many they are let go.
const KEPT: usize = 32;
const LIMIT: usize = 256;

/// Where an entry stands. Of two at one instant the one with the greater id is the newer.
pub(super) type Place = (Timestamp, Uuid);

/// The entries after a bound, by the facts behind them: one group and its sum each, unless all of
/// it was taken back.
#[derive(Debug)]
pub(super) struct Newest {
    entries: BTreeMap<Place, BTreeMap<String, Sum>>,
    /// Everything after this is known; `None` when there is nothing else.
    known_after: Option<Place>,
}

impl Newest {
    /// Nothing is known until the floor.
    pub(super) fn after(floor: Timestamp) -> Newest {
        Newest { entries: BTreeMap::new(), known_after: Some((floor, Uuid::max())) }
    }

    /// Learns the newest entries until the floor, in descending order. Of the last fact not all
    /// entries may be among them.
    pub(super) fn give(&mut self, floor: Timestamp, newest: &[Entry], complete: bool) {
        self.entries = self.entries.split_off(&(floor, Uuid::max()));
        let last = newest.last().map(|entry| (entry.at, entry.fact));
        self.known_after = last.filter(|_| !complete);
        for entry in newest {
            self.add(entry);
        }
    }

    pub(super) fn add(&mut self, entry: &Entry) {
        let place = (entry.at, entry.fact);
        if self.known_after.is_some_and(|bound| place <= bound) {
            return;
        }
        let groups = self.entries.entry(place).or_default();
        let sum = groups.entry(entry.group.clone()).or_default();
        *sum += entry.sum();
        if sum.is_zero() {
            groups.remove(&entry.group);
        }
        if groups.is_empty() {
            self.entries.remove(&place);
        }
    }

    /// Whether fewer than `shown` are known until the floor although there are others.
    pub(super) fn need(&self, floor: Timestamp, shown: usize) -> bool {
        self.known_after.is_some() && self.until(floor).take(shown).count() < shown
    }

    /// The entries until `now`, newest first.
    pub(super) fn until(&self, now: Timestamp) -> impl Iterator<Item = (Place, &str, Sum)> {
        self.entries.range(..=(now, Uuid::max())).rev().flat_map(|(place, groups)| {
            groups.iter().map(|(group, sum)| (*place, group.as_str(), *sum))
        })
    }

    /// The facts that may be shown at the floor or later.
    pub(super) fn shown_from(&self, floor: Timestamp, shown: usize) -> impl Iterator<Item = Uuid> {
        let later = (Bound::Excluded((floor, Uuid::max())), Bound::Unbounded);
        let later = self.entries.range(later).map(|((_, fact), _)| *fact);
        self.until(floor).take(shown).map(|((_, fact), _, _)| fact).chain(later)
    }

    pub(super) fn holds(&self, place: Place) -> bool {
        self.entries.contains_key(&place)
    }

    /// Lets go of old entries when there are many.
    pub(super) fn trim(&mut self, floor: Timestamp) {
        if self.entries.len() <= LIMIT {
            return;
        }
        let past = self.entries.range(..=(floor, Uuid::max()));
        if let Some((bound, _)) = past.rev().nth(KEPT) {
            let bound = *bound;
            self.entries = self.entries.split_off(&bound);
            self.entries.remove(&bound);
            self.known_after = Some(bound);
        }
    }
}
