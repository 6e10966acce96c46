//! The cache itself: a table of fixed size that is read without a lock.
//!
//! A key has two sets, chosen by the [`Spot`] of its text, and may sit in any of the five places of either.
//! A set is one cache line: five short tags that tell almost surely which place to look at, five pointers.
//! The size is fixed at the start, so memory is bounded by construction; there is no growing and no
//! rehashing. A newcomer goes to its first set until only one place there is left, then to
//! the emptier. So a read seldom needs the second set, and yet the sets fill evenly: at the stated capacity
//! about one key in ten thousand finds no place free.
//!
//! Reads need nothing but atomic loads. Writes are for the holder of the directory's lock alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::entry::Entry;
use super::spot::{Sought, Spot};
use super::work;
use crate::hash::Digest;
use crate::sync::{ArcSwap, AtomicU32, Guard};

const WAYS: usize = 5;

pub(super) struct Slots {
    sets: Box<[Set]>,
    /// What stands in a free place.
    vacant: Arc<Entry>,
}

#[repr(align(64))]
struct Set {
    tags: [AtomicU32; WAYS],
    places: [ArcSwap<Entry>; WAYS],
}

/// An entry on loan from the table: kept alive by a mark of this thread and not by the entry's own count,
/// so that threads which use the same key do not wait for one another's writes.
pub(super) type Loan = Guard<Arc<Entry>>;

/// Where a key probably sits.
pub(super) struct Guess<'a>(&'a ArcSwap<Entry>);

impl Guess<'_> {
    /// The entry there, if it is that of the key.
    #[inline]
    pub(super) fn check(&self, digest: &Digest) -> Option<Loan> {
        Some(self.0.load()).filter(|entry| entry.is_of(digest))
    }
}

impl Slots {
    /// A table with two places for every entry of its capacity.
    pub(super) fn new(capacity: usize) -> Self {
        let sets = capacity.saturating_mul(2).div_ceil(WAYS).max(1);
        let vacant = Arc::new(Entry::vacant());
        let place = || ArcSwap::from(Arc::clone(&vacant));
        let tags = || std::array::from_fn(|_| AtomicU32::new(Spot::NO_TAG));
        let set = |_| Set { tags: tags(), places: std::array::from_fn(|_| place()) };
        Self { sets: (0..sets).map(set).collect(), vacant }
    }

    /// The number of places.
    pub(super) fn len(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// The place that a text leads to if it leads to any; only the digest can tell.
    #[inline]
    pub(super) fn guess(&self, spot: Spot) -> Option<Guess<'_>> {
        let (first, second) = spot.words();
        self.home(first).guess(spot).or_else(|| self.home(second).guess(spot))
    }

    /// The entry of a key, for those who have not guessed or have guessed wrong.
    pub(super) fn get(&self, sought: &Sought) -> Option<Loan> {
        self.homes(sought.spot)
            .iter()
            .flat_map(|set| &set.places)
            .map(ArcSwap::load)
            .find(|entry| entry.is_of(&sought.digest))
    }

    /// Puts an entry in its place and returns the one that had to go. Needs the directory's lock.
    pub(super) fn insert(&self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let sought = entry.sought();
        let (set, way) = self.place_for(&sought);
        let gone = set.replace(way, sought.spot.tag(), entry);
        (!gone.is_vacant()).then_some(gone)
    }

    /// Takes an entry out. When this returns, no later read finds it. The tag goes too: it would lead its key here
    /// even when that has come back to its other set. Needs the directory's lock.
    pub(super) fn remove(&self, sought: &Sought) -> Option<Arc<Entry>> {
        let homes = self.homes(sought.spot);
        homes.iter().find_map(|set| {
            let way = set.find(&|entry| entry.is_of(&sought.digest))?;
            Some(set.replace(way, Spot::NO_TAG, Arc::clone(&self.vacant)))
        })
    }

    /// Sees to it that no entry is believed any more. Needs the directory's lock.
    pub(super) fn forget_all(&self) {
        for place in self.sets.iter().flat_map(|set| &set.places) {
            place.load().forget();
        }
    }

    /// Where the entry sits already, else a free place, else that of an entry that was not hit of late.
    fn place_for(&self, sought: &Sought) -> (&Set, usize) {
        let homes = self.homes(sought.spot);
        let find = |wanted: &dyn Fn(&Entry) -> bool| {
            homes.iter().find_map(|set| Some((*set, set.find(wanted)?)))
        };
        if let Some(own) = find(&|entry| entry.is_of(&sought.digest)) {
            return own;
        }
        // The first set is read first, so it is worth filling it more than the second.
        let (first, second) = (homes[0].free(), homes[1].free());
        let emptier = if first.count >= 2 || first.count >= second.count { 0 } else { 1 };
        if let Some(way) = [first, second][emptier].way {
            return (homes[emptier], way);
        }
        // When all ten were hit since a newcomer last came by, any may go: the spot picks one. All have
        // lost their mark by then and must be hit again before the next newcomer.
        find(&|entry| !entry.was_touched()).unwrap_or_else(|| (homes[0], sought.spot.lot() % WAYS))
    }

    fn homes(&self, spot: Spot) -> [&Set; 2] {
        let (first, second) = spot.words();
        [self.home(first), self.home(second)]
    }

    #[inline]
    fn home(&self, word: u64) -> &Set {
        let sets = u128::try_from(self.sets.len()).unwrap_or(1);
        // The upper half of the product is evenly spread below the number of sets, without a division.
        &self.sets[usize::try_from((u128::from(word) * sets) >> 64).unwrap_or_default()]
    }
}

/// The free places of a set: how many, and the first.
#[derive(Clone, Copy)]
struct Free {
    count: usize,
    way: Option<usize>,
}

impl Set {
    #[inline]
    fn guess(&self, spot: Spot) -> Option<Guess<'_>> {
        let candidates = self.candidates(spot.tag());
        self.places.get(candidates.trailing_zeros() as usize).map(Guess)
    }

    /// The places whose tag is this, a bit for each: a loop with an early exit would make the processor guess
    /// where it ends. A tag read just before or after its pointer changed at worst turns a hit into a miss.
    fn candidates(&self, tag: u32) -> u32 {
        work::look();
        let same = |own: &AtomicU32| u32::from(own.load(Ordering::Relaxed) == tag);
        self.tags.iter().zip(0..).fold(0, |all, (own, way)| all | same(own) << way)
    }

    fn replace(&self, way: usize, tag: u32, entry: Arc<Entry>) -> Arc<Entry> {
        self.tags[way].store(tag, Ordering::Relaxed);
        self.places[way].swap(entry)
    }

    fn find(&self, wanted: &dyn Fn(&Entry) -> bool) -> Option<usize> {
        self.places.iter().position(|place| wanted(&place.load()))
    }

    fn free(&self) -> Free {
        let is_free = |place: &&ArcSwap<Entry>| place.load().is_vacant();
        Free {
            count: self.places.iter().filter(is_free).count(),
            way: self.places.iter().position(|place| is_free(&place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::LazyLock;
    use std::time::SystemTime;

    use uuid::Uuid;

    use super::super::spot::Spots;
    use super::*;
    use crate::KeyRecord;

    fn entry(n: u64) -> Arc<Entry> {
        let record = KeyRecord::new(Uuid::from_u128(n.into()), "k", SystemTime::UNIX_EPOCH);
        Arc::new(Entry::new(sought(n), record.into(), None, 0, u64::MAX))
    }

    fn sought(n: u64) -> Sought {
        static SPOTS: LazyLock<Spots> = LazyLock::new(Spots::default);
        let text = n.to_string();
        Sought { spot: SPOTS.of(&text), digest: Digest::of(&text) }
    }

    #[test]
    fn a_set_is_one_cache_line() {
        assert_eq!((size_of::<Set>(), align_of::<Set>()), (64, 64));
    }

    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_out() {
        // Half of its capacity: where the places lie is drawn anew each time, and a full table turns one in thousands
        // away.
        let slots = Slots::new(1_000);
        for n in 0..500_u64 {
            assert!(slots.insert(entry(n)).is_none(), "{n} found no place");
        }
        for n in 0..500_u64 {
            let sought = sought(n);
            assert_eq!(slots.get(&sought).unwrap().record().id, Uuid::from_u128(n.into()));
            assert!(slots.guess(sought.spot).unwrap().check(&sought.digest).is_some());
            assert!(slots.remove(&sought).is_some());
            assert!(slots.get(&sought).is_none());
            assert!(slots.remove(&sought).is_none());
        }
    }

    #[test]
    fn the_same_key_twice_takes_one_place() {
        let slots = Slots::new(8);
        assert!(slots.insert(entry(1)).is_none());
        let replaced = slots.insert(entry(1)).unwrap();
        assert!(replaced.is_of(&sought(1).digest));
        assert!(slots.remove(&sought(1)).is_some());
        assert!(slots.get(&sought(1)).is_none(), "a second copy would outlive a revocation");
    }

    #[test]
    fn the_table_never_grows_and_loses_nothing_unseen() {
        let slots = Slots::new(16);
        let mut inside = HashMap::new();
        for n in 0..10_000_u64 {
            inside.insert(n, ());
            if let Some(gone) = slots.insert(entry(n)) {
                let (_, low) = gone.record().id.as_u64_pair();
                assert!(inside.remove(&low).is_some(), "{low} went twice");
            }
        }
        assert!(inside.len() <= slots.len());
        assert!(inside.keys().all(|n| slots.get(&sought(*n)).is_some()));
        slots.forget_all();
        assert!(inside.keys().all(|n| slots.get(&sought(*n)).unwrap().is_forgotten()));
    }

    /// Without this a key that comes back to its other set could be looked for in vain, at the price of a lock
    /// for each of its requests.
    #[test]
    fn whatever_is_inside_is_found_at_the_first_guess() {
        const KEYS: u64 = 24;
        // Four sets, crowded, so that many keys sit in the second of theirs.
        let slots = Slots::new(10);
        for round in 0..2_000_u64 {
            let n = Digest::of(&round.to_string()).word() % KEYS;
            if slots.remove(&sought(n)).is_none() {
                slots.insert(entry(n));
            }
            for sought in (0..KEYS).map(sought) {
                let guessed =
                    slots.guess(sought.spot).and_then(|guess| guess.check(&sought.digest));
                assert_eq!(guessed.is_some(), slots.get(&sought).is_some(), "round {round}");
            }
        }
    }

    #[test]
    fn hot_entries_survive_a_parade_of_newcomers() {
        let slots = Slots::new(256);
        let hot: Vec<_> = (0..32).map(sought).collect();
        for n in 0..32 {
            slots.insert(entry(n));
        }
        let mut lost = 0;
        for n in 1_000..20_000 {
            for key in &hot {
                if let Some(entry) = slots.get(key) {
                    entry.touch();
                }
            }
            slots.insert(entry(n));
        }
        for key in &hot {
            lost += usize::from(slots.get(key).is_none());
        }
        assert_eq!(lost, 0, "{lost} of 32 hot keys were pushed out by cold ones");
    }
}
