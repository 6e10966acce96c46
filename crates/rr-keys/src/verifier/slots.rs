//! The cache itself: a table of fixed size that is read without a lock.
//!
//! A key has two sets, chosen by the [`Spot`] of its text, and may sit in any of the eight places of either.
//! A set is one cache line: eight short tags that tell almost surely which place to look at, and the numbers of the
//! [slots](Slot) there. The size is fixed at the start, so memory is bounded by construction; there is no growing and no
//! rehashing. A newcomer goes to its first set until only one place there is left, then to
//! the emptier. So a read seldom needs the second set, and yet the sets fill evenly: at the stated capacity
//! next to no key finds no place free.
//!
//! The slots lie apart and close together, in blocks that are made as keys come: half of the places stay empty, and a
//! slot is four times as large as its place.
//!
//! Reads need nothing but atomic loads. Writes are for the holder of the directory's lock alone.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use super::entry::Entry;
use super::slot::{Open, Slot};
use super::spot::{Sought, Spot};
use super::usage::KeyUsage;
use super::work;
use crate::hash::Digest;
use crate::sync::AtomicU32;

const WAYS: usize = 8;

/// Slots that are made at once: 128 KiB, so that of a million keys there are few blocks to be found.
const BLOCK: usize = 1_024;

/// The number of the slot of a place that has none yet: there is no such slot, for there are fewer places.
const NO_SLOT: u32 = u32::MAX;

pub(super) struct Slots {
    sets: Box<[Set]>,
    blocks: Box<[OnceLock<Box<[Slot]>>]>,
    /// The number of the next slot that no place has yet.
    next: AtomicU32,
    /// What stands in a free slot.
    vacant: Arc<Entry>,
}

#[repr(align(64))]
struct Set {
    tags: [AtomicU32; WAYS],
    /// A place keeps the slot that it was given first.
    slots: [AtomicU32; WAYS],
}

/// An entry that had to make room, and what was counted in its slot.
pub(super) struct Gone {
    pub(super) entry: Arc<Entry>,
    pub(super) usage: Option<KeyUsage>,
}

impl Slots {
    /// A table with two places for every entry of its capacity.
    pub(super) fn new(capacity: usize) -> Self {
        let places = capacity.saturating_mul(2).max(1);
        let sets: Box<[Set]> = (0..places.div_ceil(WAYS)).map(|_| Set::empty()).collect();
        let blocks = (0..(sets.len() * WAYS).div_ceil(BLOCK)).map(|_| OnceLock::new()).collect();
        Self { sets, blocks, next: AtomicU32::new(0), vacant: Arc::new(Entry::vacant()) }
    }

    /// The number of places.
    pub(super) fn len(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// The slot that a text leads to if it leads to any; only the digest can tell.
    #[inline]
    pub(super) fn guess(&self, spot: Spot) -> Option<Guess> {
        let [first, second] = self.homes(spot);
        first.guess(spot).or_else(|| second.guess(spot))
    }

    /// The slot of a guess. Apart from guessing, so that a digest can be computed while memory brings the guess.
    #[inline]
    pub(super) fn slot(&self, Guess(number): Guess) -> Option<&Slot> {
        let number = number as usize;
        self.blocks.get(number / BLOCK)?.get()?.get(number % BLOCK)
    }

    /// The slot with this digest, wherever it is.
    pub(super) fn find(&self, sought: &Sought) -> Option<&Slot> {
        self.locate(sought.spot, |slot| slot.is_of(&sought.digest)).map(|(_, _, slot)| slot)
    }

    /// The slot that this entry is in.
    pub(super) fn slot_of(&self, entry: &Arc<Entry>) -> Option<&Slot> {
        let holds = |slot: &Slot| Arc::ptr_eq(&slot.entry(), entry);
        self.locate(entry.spot(), holds).map(|(_, _, slot)| slot)
    }

    /// Puts an entry in its place and gives out the one that had to go. Without `open`, every request is judged by the
    /// entry. Needs the directory's lock.
    pub(super) fn insert(
        &self,
        digest: &Digest,
        entry: Arc<Entry>,
        open: Option<Open>,
    ) -> Option<Gone> {
        let spot = entry.spot();
        let (set, way) = self.place_for(spot, digest);
        let slot = self.slot_at(set, way);
        let was_vacant = slot.is_vacant();
        let (gone, usage) = slot.replace(entry, digest, open);
        set.tags[way].store(spot.tag(), Ordering::Relaxed);
        (!was_vacant).then_some(Gone { entry: gone, usage })
    }

    /// Takes an entry out. When this returns, no later read finds it. The tag goes too: it would lead its key here
    /// even when that has come back to its other set. Needs the directory's lock.
    pub(super) fn remove(&self, sought: &Sought) -> Option<Gone> {
        let (set, way, slot) = self.locate(sought.spot, |slot| slot.is_of(&sought.digest))?;
        set.tags[way].store(Spot::NO_TAG, Ordering::Relaxed);
        let (entry, usage) = slot.replace(Arc::clone(&self.vacant), &Digest::NONE, None);
        Some(Gone { entry, usage })
    }

    /// Sees to it that no entry is believed any more. Needs the directory's lock.
    pub(super) fn forget_all(&self) {
        let slots = self.blocks.iter().filter_map(OnceLock::get).flatten();
        for slot in slots.filter(|slot| !slot.is_vacant()) {
            slot.forget();
        }
    }

    /// Where the entry sits already, else a free place, else that of an entry that was not hit of late.
    fn place_for(&self, spot: Spot, digest: &Digest) -> (&Set, usize) {
        if let Some((set, way, _)) = self.locate(spot, |slot| slot.is_of(digest)) {
            return (set, way);
        }
        let homes = self.homes(spot);
        // The first set is read first, so it is worth filling it more than the second.
        let (first, second) = (homes[0].free(), homes[1].free());
        let emptier = if first.count >= 2 || first.count >= second.count { 0 } else { 1 };
        if let Some(way) = [first, second][emptier].way {
            return (homes[emptier], way);
        }
        // When all were hit since a newcomer last came by, any may go: the spot picks one. All have
        // lost their mark by then and must be hit again before the next newcomer.
        let places = homes.iter().flat_map(|set| (0..WAYS).map(move |way| (*set, way)));
        let mut idle = places.filter(|(set, way)| !self.slot_at(set, *way).was_touched());
        idle.next().unwrap_or((homes[0], spot.lot() % WAYS))
    }

    /// Among the slots that the spot leads to, the wanted one.
    fn locate(&self, spot: Spot, wanted: impl Fn(&Slot) -> bool) -> Option<(&Set, usize, &Slot)> {
        self.homes(spot).into_iter().find_map(|set| {
            let tagged = |way: &usize| set.tags[*way].load(Ordering::Relaxed) == spot.tag();
            (0..WAYS)
                .filter(tagged)
                .filter_map(|way| Some((set, way, self.slot(set.slot(way)?)?)))
                .find(|(_, _, slot)| wanted(slot))
        })
    }

    /// The slot of a place, which is given one now if it has none. Needs the directory's lock.
    fn slot_at(&self, set: &Set, way: usize) -> &Slot {
        let own = &set.slots[way];
        if own.load(Ordering::Relaxed) == NO_SLOT {
            own.store(self.next.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        }
        let number = own.load(Ordering::Relaxed) as usize;
        let block = self.blocks[number / BLOCK]
            .get_or_init(|| (0..BLOCK).map(|_| Slot::new(&self.vacant)).collect());
        &block[number % BLOCK]
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

/// The number of a slot where a key probably sits.
#[derive(Clone, Copy)]
pub(super) struct Guess(u32);

/// The free places of a set: how many, and the first.
#[derive(Clone, Copy)]
struct Free {
    count: usize,
    way: Option<usize>,
}

impl Set {
    fn empty() -> Self {
        Self {
            tags: std::array::from_fn(|_| AtomicU32::new(Spot::NO_TAG)),
            slots: std::array::from_fn(|_| AtomicU32::new(NO_SLOT)),
        }
    }

    #[inline]
    fn guess(&self, spot: Spot) -> Option<Guess> {
        self.slot(self.candidates(spot.tag()).trailing_zeros() as usize)
    }

    #[inline]
    fn slot(&self, way: usize) -> Option<Guess> {
        Some(Guess(self.slots.get(way)?.load(Ordering::Relaxed)))
    }

    /// The places whose tag is this, a bit for each: a loop with an early exit would make the processor guess
    /// where it ends. A tag read just before or after its slot changed at worst turns a hit into a miss.
    #[inline]
    fn candidates(&self, tag: u32) -> u32 {
        work::look();
        let same = |own: &AtomicU32| u32::from(own.load(Ordering::Relaxed) == tag);
        self.tags.iter().zip(0..).fold(0, |all, (own, way)| all | same(own) << way)
    }

    fn free(&self) -> Free {
        let is_free = |tag: &AtomicU32| tag.load(Ordering::Relaxed) == Spot::NO_TAG;
        Free {
            count: self.tags.iter().filter(|tag| is_free(tag)).count(),
            way: self.tags.iter().position(is_free),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::LazyLock;
    use std::time::SystemTime;

    use uuid::Uuid;

    use super::super::entry::Instant;
    use super::super::slot::{Counted, Use};
    use super::super::spot::Spots;
    use super::*;
    use crate::KeyRecord;

    const A_USE: Use = Use {
        permission: None,
        now: Instant { nanoseconds: 0, seconds: 0 },
        address: None,
        print: 0,
    };

    fn entry(n: u64) -> Arc<Entry> {
        let record = KeyRecord::new(Uuid::from_u128(n.into()), "k", SystemTime::UNIX_EPOCH);
        Arc::new(Entry::new(sought(n).spot, record.into(), None, 0))
    }

    fn insert(slots: &Slots, n: u64) -> Option<Gone> {
        slots.insert(&sought(n).digest, entry(n), None)
    }

    fn id(slot: &Slot) -> Uuid {
        slot.entry().record().id
    }

    /// What a reader finds, who looks at one slot only.
    fn guessed(slots: &Slots, sought: &Sought) -> Option<Uuid> {
        let slot = slots.slot(slots.guess(sought.spot)?)?;
        let seen = slot.look(&sought.digest)?;
        slot.is_still(&seen).then_some(seen.key_id)
    }

    fn sought(n: u64) -> Sought {
        static SPOTS: LazyLock<Spots> = LazyLock::new(Spots::default);
        let text = n.to_string();
        Sought { spot: SPOTS.of(&text), digest: Digest::of(&text) }
    }

    #[test]
    fn a_set_is_one_cache_line_and_a_slot_two() {
        assert_eq!((size_of::<Set>(), align_of::<Set>()), (64, 64));
        assert_eq!((size_of::<Slot>(), align_of::<Slot>()), (128, 128));
    }

    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_out() {
        // Half of its capacity: where the places lie is drawn anew each time, and a full table turns one in thousands
        // away.
        let slots = Slots::new(1_000);
        for n in 0..500_u64 {
            assert!(insert(&slots, n).is_none(), "{n} found no place");
        }
        for n in 0..500_u64 {
            let (sought, own) = (sought(n), Uuid::from_u128(n.into()));
            assert_eq!(id(slots.find(&sought).unwrap()), own);
            assert_eq!(guessed(&slots, &sought), Some(own));
            assert!(slots.remove(&sought).is_some());
            assert!(slots.find(&sought).is_none());
            assert!(slots.remove(&sought).is_none());
        }
    }

    #[test]
    fn the_same_key_twice_takes_one_place() {
        let slots = Slots::new(8);
        assert!(insert(&slots, 1).is_none());
        let replaced = insert(&slots, 1).unwrap();
        assert_eq!(replaced.entry.record().id, Uuid::from_u128(1));
        assert!(slots.remove(&sought(1)).is_some());
        assert!(slots.find(&sought(1)).is_none(), "a second copy would outlive a revocation");
    }

    #[test]
    fn the_table_never_grows_and_loses_nothing_unseen() {
        let slots = Slots::new(16);
        let mut inside = HashMap::new();
        for n in 0..10_000_u64 {
            inside.insert(n, ());
            if let Some(gone) = insert(&slots, n) {
                let (_, low) = gone.entry.record().id.as_u64_pair();
                assert!(inside.remove(&low).is_some(), "{low} went twice");
            }
        }
        assert!(inside.len() <= slots.len());
        assert!(inside.keys().all(|n| slots.find(&sought(*n)).is_some()));
        slots.forget_all();
        let forgotten = |n: &u64| slots.find(&sought(*n)).unwrap().entry().is_forgotten();
        assert!(inside.keys().all(forgotten));
    }

    /// Without this a key that comes back to its other set could be looked for in vain, at the price of a lock
    /// for each of its requests.
    #[test]
    fn whatever_is_inside_is_found_at_the_first_guess() {
        const KEYS: u64 = 24;
        // Three sets, crowded, so that many keys sit in the second of theirs.
        let slots = Slots::new(10);
        for round in 0..2_000_u64 {
            let n = Digest::of(&round.to_string()).word() % KEYS;
            if slots.remove(&sought(n)).is_none() {
                insert(&slots, n);
            }
            for sought in (0..KEYS).map(sought) {
                let there = slots.find(&sought).map(id);
                assert_eq!(guessed(&slots, &sought), there, "round {round}");
            }
        }
    }

    #[test]
    fn hot_entries_survive_a_parade_of_newcomers() {
        let slots = Slots::new(256);
        let hot: Vec<_> = (0..32).map(sought).collect();
        for n in 0..32 {
            insert(&slots, n);
        }
        let mut lost = 0;
        for n in 1_000..20_000 {
            for key in &hot {
                if let Some(slot) = slots.find(key) {
                    let seen = slot.look(&key.digest).unwrap();
                    assert_eq!(slot.count(&seen, A_USE), Counted::Here);
                }
            }
            insert(&slots, n);
        }
        for key in &hot {
            lost += usize::from(slots.find(key).is_none());
        }
        assert_eq!(lost, 0, "{lost} of 32 hot keys were pushed out by cold ones");
    }
}
