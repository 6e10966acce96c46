//! One place of the table: what a check of a key looks at and counts, in two cache lines that stand side by side.
//!
//! A check that keeps nothing borrows nothing: it copies a few words, and the very write that counts the use proves
//! that they belonged together. Every counter carries the slot's **version**, which moves whenever another key, or a
//! newer record of the same one, is put in. The use is counted by an exchange that succeeds only where the version is
//! still that of the words, so no use is ever counted for another key, and a check that was overtaken comes to nothing.
//! This is a sequence lock (Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012) whose
//! second look at the version is the count itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::entry::{Entry, Instant, Window};
use super::usage::{KeyUsage, by_permission};
use super::work;
use crate::hash::Digest;
use crate::sync::{ArcSwap, AtomicU32, AtomicU64, Guard, fence};

/// One counter for requests that name no permission, and one for each of the first four of a key.
const COUNTERS: usize = 5;

/// Uses by permission since the last taking.
type Counts = [u32; COUNTERS];

/// An entry on loan from the table: kept alive by a mark of this thread and not by the entry's own count,
/// so that threads which use the same key do not wait for one another's writes.
pub(super) type Loan = Guard<Arc<Entry>>;

#[repr(C, align(128))]
pub(super) struct Slot {
    digest: [AtomicU64; 4],
    key_id: [AtomicU64; 2],
    from_s: AtomicU32,
    until_s: AtomicU32,
    /// The number of the key's permissions among those that are shared.
    permissions: AtomicU32,
    /// Set by a look that led to a judgement, cleared when a newcomer passes over the slot in search of a place.
    touched: AtomicU32,
    /// Version and count.
    counts: [AtomicU64; COUNTERS],
    /// A part of the version, and the microsecond of the latest use.
    last: AtomicU64,
    /// Version and print of the address that the entry notes as the last one.
    address: AtomicU64,
    place: ArcSwap<Entry>,
}

/// What was in a slot at one moment. It may be believed once a use was counted under it, or after
/// [`Slot::is_still`].
pub(super) struct Seen {
    version: u32,
    pub(super) key_id: Uuid,
    pub(super) open: Open,
}

/// What a key without further conditions has: its permissions, by their number among those that are shared, and the
/// time in which they are all that is left to judge.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) permissions: u32,
    pub(super) window: Window,
}

impl Open {
    const NEVER: Self = Self { permissions: 0, window: Window::CLOSED };
}

/// A use, as it is counted.
#[derive(Clone, Copy)]
pub(super) struct Use {
    pub(super) permission: Option<usize>,
    pub(super) now: Instant,
    pub(super) address: Option<IpAddr>,
    /// The address in 32 bits of a keyed hash: one change of it in four thousand million goes unnoticed.
    pub(super) print: u32,
}

/// What became of a use that was to be counted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Here,
    /// There is no counter for it, or it is full.
    NotHere,
    /// What was seen is in the slot no more.
    Overtaken,
}

impl Slot {
    pub(super) fn new(vacant: &Arc<Entry>) -> Self {
        Self {
            digest: Default::default(),
            key_id: Default::default(),
            from_s: AtomicU32::new(0),
            until_s: AtomicU32::new(0),
            permissions: AtomicU32::new(0),
            touched: AtomicU32::new(0),
            counts: Default::default(),
            last: AtomicU64::new(0),
            address: AtomicU64::new(0),
            place: ArcSwap::from(Arc::clone(vacant)),
        }
    }

    /// What is here, if it is the key with this digest.
    #[inline]
    pub(super) fn look(&self, digest: &Digest) -> Option<Seen> {
        let version = version(self.counts[0].load(Ordering::Acquire));
        if !self.is_of(digest) {
            return None;
        }
        let [high, low] = [0, 1].map(|half| self.key_id[half].load(Ordering::Relaxed));
        let from_s = self.from_s.load(Ordering::Relaxed);
        let until_s = self.until_s.load(Ordering::Relaxed);
        let permissions = self.permissions.load(Ordering::Relaxed);
        let open = Open { permissions, window: Window { from_s, until_s } };
        Some(Seen { version, key_id: Uuid::from_u64_pair(high, low), open })
    }

    #[inline]
    pub(super) fn is_of(&self, digest: &Digest) -> bool {
        work::look();
        *digest
            == Digest::from_words(self.digest.each_ref().map(|word| word.load(Ordering::Relaxed)))
    }

    /// Whether what was seen is here still, and so was all of it at once.
    #[inline]
    pub(super) fn is_still(&self, seen: &Seen) -> bool {
        fence(Ordering::Acquire);
        seen.version.is_multiple_of(2)
            && version(self.counts[0].load(Ordering::Relaxed)) == seen.version
    }

    /// The entry that was seen, kept alive.
    pub(super) fn lend(&self, seen: &Seen) -> Option<Loan> {
        let entry = self.place.load();
        self.is_still(seen).then_some(entry)
    }

    /// The same for the holder of the directory's lock, whom nobody overtakes.
    pub(super) fn entry(&self) -> Loan {
        self.place.load()
    }

    /// What was seen with this very entry.
    pub(super) fn look_for(&self, entry: &Arc<Entry>) -> Option<Seen> {
        let version = version(self.counts[0].load(Ordering::Acquire));
        let seen = Seen { version, key_id: entry.record().id, open: Open::NEVER };
        self.lend(&seen).filter(|own| Arc::ptr_eq(own, entry)).map(|_| seen)
    }

    /// Counts a use of what was seen.
    #[inline]
    pub(super) fn count(&self, seen: &Seen, used: Use) -> Counted {
        let place = used.permission.map_or(0, |place| place + 1);
        let Some(counter) = self.counts.get(place) else { return Counted::NotHere };
        if seen.version % 2 == 1 {
            return Counted::Overtaken;
        }
        fence(Ordering::Acquire);
        let mut own = counter.load(Ordering::Relaxed);
        let mut is_latest;
        loop {
            if version(own) != seen.version {
                return Counted::Overtaken;
            }
            if count(own) == u32::MAX {
                return Counted::NotHere;
            }
            // Before the count: whoever takes that finds the time, too.
            is_latest = self.note_time(seen, used.now);
            match counter.compare_exchange_weak(own, own + 1, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => own = now,
            }
        }
        let print = word(seen.version, used.print);
        if is_latest && self.address.load(Ordering::Relaxed) != print {
            self.note_address(seen, used.address, print);
        }
        self.touch();
        Counted::Here
    }

    /// Notes when; says whether no use was later. Time is the caller's, so a use may come here after one that was. Reads
    /// first, so that a hot slot's lines are not written every time.
    #[inline]
    fn note_time(&self, seen: &Seen, now: Instant) -> bool {
        let now = stamp(seen.version, now.microseconds());
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            // Another key has the slot: its time is not ours to write.
            if last > now || last >> TIME_BITS != now >> TIME_BITS {
                return false;
            }
            if last == now {
                return true;
            }
            let noted =
                self.last.compare_exchange_weak(last, now, Ordering::Relaxed, Ordering::Relaxed);
            match noted {
                Ok(_) => return true,
                Err(other) => last = other,
            }
        }
    }

    /// Marks it as not idle.
    #[inline]
    pub(super) fn touch(&self) {
        if self.touched.load(Ordering::Relaxed) == 0 {
            self.touched.store(1, Ordering::Relaxed);
        }
    }

    #[cold]
    fn note_address(&self, seen: &Seen, address: Option<IpAddr>, print: u64) {
        if let Some(entry) = self.lend(seen) {
            entry.address.set(address, || self.address.store(print, Ordering::Relaxed));
        }
    }

    /// Whether it was used since the last time this was asked.
    pub(super) fn was_touched(&self) -> bool {
        self.touched.swap(0, Ordering::Relaxed) == 1
    }

    pub(super) fn is_vacant(&self) -> bool {
        self.is_of(&Digest::NONE)
    }

    /// Puts another entry in, or a vacant one, and gives out the one before with what was counted here for it. From
    /// here on nothing is counted for that one any more. Needs the directory's lock.
    pub(super) fn replace(
        &self,
        entry: Arc<Entry>,
        digest: &Digest,
        open: Option<Open>,
    ) -> (Arc<Entry>, Option<KeyUsage>) {
        let before = version(self.counts[0].load(Ordering::Relaxed));
        let (between, after) = (before.wrapping_add(1), before.wrapping_add(2));
        let counts =
            self.counts.each_ref().map(|own| count(own.swap(word(between, 0), Ordering::AcqRel)));
        fence(Ordering::Release);
        for (own, word) in self.digest.iter().zip(digest.words()) {
            own.store(word, Ordering::Relaxed);
        }
        let (high, low) = entry.record().id.as_u64_pair();
        self.key_id[0].store(high, Ordering::Relaxed);
        self.key_id[1].store(low, Ordering::Relaxed);
        let Open { permissions, window } = open.unwrap_or(Open::NEVER);
        self.from_s.store(window.from_s, Ordering::Relaxed);
        self.until_s.store(window.until_s, Ordering::Relaxed);
        self.permissions.store(permissions, Ordering::Relaxed);
        self.touched.store(0, Ordering::Relaxed);
        let last = self.last.swap(stamp(after, 0), Ordering::Relaxed);
        self.address.store(word(after, 0), Ordering::Relaxed);
        let gone = self.place.swap(entry);
        for own in &self.counts {
            own.store(word(after, 0), Ordering::Release);
        }
        let usage = usage(&gone, counts, last);
        (gone, usage)
    }

    /// Sees to it that the record here is believed no more; says whether it was until now. Needs the directory's lock.
    pub(super) fn forget(&self) -> bool {
        self.until_s.store(0, Ordering::Relaxed);
        self.entry().forget()
    }

    /// What was counted here since the last taking. Needs the directory's lock.
    pub(super) fn take_usage(&self) -> Option<KeyUsage> {
        let counts = self.counts.each_ref().map(|own| {
            // Nearly all are zero, and a look is cheaper than a write.
            match count(own.load(Ordering::Relaxed)) {
                0 => 0,
                _ => count(own.fetch_and(!u64::from(u32::MAX), Ordering::AcqRel)),
            }
        });
        usage(&self.entry(), counts, self.last.load(Ordering::Relaxed))
    }
}

fn usage(entry: &Entry, counts: Counts, last: u64) -> Option<KeyUsage> {
    let last_used = SystemTime::UNIX_EPOCH + Duration::from_micros(last & MICROSECONDS);
    by_permission(entry.record(), counts.map(u64::from), last_used, entry.address.get())
}

/// The lower bits of a stamp: enough until 2112.
const TIME_BITS: u32 = 52;
const MICROSECONDS: u64 = (1 << TIME_BITS) - 1;

/// The last bits of the version and a time.
#[inline]
fn stamp(version: u32, microseconds: u64) -> u64 {
    u64::from(version) << TIME_BITS | microseconds.min(MICROSECONDS)
}

#[inline]
fn word(version: u32, low: u32) -> u64 {
    u64::from(version) << 32 | u64::from(low)
}

#[inline]
fn version(word: u64) -> u32 {
    (word >> 32) as u32
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
fn count(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests;
