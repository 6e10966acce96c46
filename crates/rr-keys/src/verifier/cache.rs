//! The memory of the verifier: what may be answered without the store, and who goes to ask it.
//!
//! Hits read [`Slots`] and take no lock. Everything else happens under one mutex, which is held for a few
//! table operations and never across an await. That mutex also carries the **epoch**, which is what makes a
//! revocation final: every change of any key moves it, a look-up remembers the epoch from before its SELECT,
//! and what it brings home enters the cache only if the epoch is still the same. So a reader that was paused
//! between SELECT and insert cannot bring a revoked key back, and nobody who comes after the change joins a
//! look-up that began before it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::entry::{Entry, Found, Instant};
use super::flight::Flight;
use super::identities::Identities;
use super::options::VerifierOptions;
use super::shared::{KnownSets, SharedSets};
use super::slot::{Loan, Open, Slot};
use super::slots::{Gone, Guess, Slots};
use super::spot::{Sought, Spot, Spots};
use super::unknown::{Budget, Charge, UnknownKeys};
use super::usage::KeyUsage;
use crate::hash::Digest;
use crate::sync::{Mutex, MutexGuard};
use crate::{KeyRecord, PermissionSet};

/// Keys whose usage is taken under one hold of the lock, so that a big cache does not stop the misses.
const PORTION: usize = 256;

pub(super) struct Cache<E> {
    spots: Spots,
    slots: Slots,
    sets: KnownSets,
    max_age_us: u64,
    directory: Mutex<Directory<E>>,
}

struct Directory<E> {
    epoch: u64,
    flights: HashMap<Digest, Ticket<E>>,
    identities: Identities,
    sets: SharedSets,
    unknown: UnknownKeys,
    budget: Budget,
    /// The latest time seen here, for those who come without one.
    latest_ns: u64,
    counts: Counts,
}

/// What happened off the fast path, and how full the cache is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) misses: u64,
    pub(super) negative_hits: u64,
    pub(super) throttled: u64,
    pub(super) usage_lost: u64,
    pub(super) limits_lost: u64,
    pub(super) entries: usize,
}

/// A look-up and the epoch in which it began.
struct Ticket<E> {
    flight: Arc<Flight<Outcome<E>>>,
    epoch: u64,
}

/// What a look-up brings to everybody who waited for it.
pub(super) enum Outcome<E> {
    Found(Arc<Entry>),
    Unknown,
    Failed(Arc<E>),
}

/// What a caller whose key was not in the cache has to do.
pub(super) enum Join<'a, E> {
    /// Nothing: somebody brought it in the meantime, or the store did not know it a moment ago.
    Answered(Outcome<E>),
    /// Wait for the one who is asking.
    Follow(Arc<Flight<Outcome<E>>>),
    /// Ask the store and report.
    Lead(Lead<'a, E>),
    /// Come back later: too many unknown keys were looked up.
    Throttled(Duration),
}

/// The duty to ask the store. Dropping it without [`Lead::report`] hands the duty to another.
pub(super) struct Lead<'a, E> {
    cache: &'a Cache<E>,
    sought: Sought,
    ticket: Ticket<E>,
    /// `None` for a key that has an entry already.
    charge: Option<Charge>,
    reported: bool,
}

impl<E> Cache<E> {
    pub(super) fn new(options: &VerifierOptions) -> Self {
        let slots = Slots::new(options.capacity);
        let directory = Directory {
            // The places for unknown keys start out stamped with epoch 0, which never is.
            epoch: 1,
            flights: HashMap::new(),
            identities: Identities::new(slots.len()),
            sets: SharedSets::default(),
            unknown: UnknownKeys::new(options.unknown_capacity, options.unknown_ttl),
            budget: Budget::new(
                options.unknown_budget,
                options.unknown_budget_per_address,
                u32::try_from(options.older_schemes.len() + 1).unwrap_or(u32::MAX),
            ),
            latest_ns: 0,
            counts: Counts::default(),
        };
        let max_age = options.max_age.map_or(u128::MAX, |age| age.as_micros());
        let max_age_us = u64::try_from(max_age).unwrap_or(u64::MAX);
        let (spots, sets) = (Spots::default(), KnownSets::default());
        Self { spots, slots, sets, max_age_us, directory: Mutex::new(directory) }
    }

    /// The slot that may be that of a text.
    #[inline]
    pub(super) fn guess(&self, text: &str) -> Option<Guess> {
        self.slots.guess(self.spots.of(text))
    }

    /// What a text is looked for by where it is not in memory.
    pub(super) fn sought(&self, text: &str) -> Sought {
        Sought { spot: self.spots.of(text), digest: Digest::of(text) }
    }

    #[inline]
    pub(super) fn slot(&self, guess: Guess) -> Option<&Slot> {
        self.slots.slot(guess)
    }

    /// The slot that this entry is in, for those who have just come from the store with it.
    pub(super) fn slot_of(&self, entry: &Arc<Entry>) -> Option<&Slot> {
        self.slots.slot_of(entry)
    }

    /// Whether what an entry says may be believed without asking the store again.
    pub(super) fn believes(&self, entry: &Entry, now: Instant) -> bool {
        entry.is_fresh(self.max_age_us, now)
    }

    /// Permissions by the number that a slot names.
    #[inline]
    pub(super) fn permissions(&self, number: u32) -> Option<&PermissionSet> {
        self.sets.get(number)
    }

    /// An address as slots compare it.
    #[inline]
    pub(super) fn print(&self, address: Option<IpAddr>) -> u32 {
        self.spots.print(address)
    }

    /// The slow path: finds out who asks the store.
    pub(super) fn join(
        &self,
        sought: Sought,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Join<'_, E> {
        let mut directory = self.lock();
        let directory = &mut *directory;
        directory.latest_ns = directory.latest_ns.max(now.nanoseconds);
        let slot = self.slots.find(&sought);
        if let Some(entry) = slot.map(Slot::entry).filter(|entry| self.believes(entry, now)) {
            return Join::Answered(Outcome::Found(Loan::into_inner(entry)));
        }
        if directory.unknown.contains(&sought.digest, directory.epoch, now.microseconds()) {
            directory.counts.negative_hits += 1;
            return Join::Answered(Outcome::Unknown);
        }
        if let Some(ticket) = directory.flights.get(&sought.digest)
            && ticket.epoch == directory.epoch
        {
            return Join::Follow(Arc::clone(&ticket.flight));
        }
        let mut charge = None;
        if slot.is_none() {
            match directory.budget.charge(address, now.nanoseconds) {
                Ok(charged) => charge = Some(charged),
                Err(wait) => {
                    directory.counts.throttled += 1;
                    return Join::Throttled(wait);
                }
            }
        }
        directory.counts.misses += 1;
        let ticket = Ticket { flight: Arc::new(Flight::new()), epoch: directory.epoch };
        directory.flights.insert(sought.digest, ticket.clone());
        Join::Lead(Lead { cache: self, sought, ticket, charge, reported: false })
    }

    /// An entry that takes no place, of a key that is judged without its secret: its limits are those of the key,
    /// and what it counts is taken with the rest.
    pub(super) fn pass(&self, record: KeyRecord, now: Instant) -> Arc<Entry> {
        let mut directory = self.lock();
        directory.latest_ns = directory.latest_ns.max(now.nanoseconds);
        directory.entry(Spot::NONE, record.into(), now)
    }

    /// Believes nothing any more that was known of a key. When this returns, no later caller is answered from
    /// before. The entry stays where it is until a newer one replaces it, for it says that there is such a key.
    pub(super) fn forget(&self, id: Uuid) {
        let mut directory = self.lock();
        directory.epoch += 1;
        for entry in directory.identities.entries(id) {
            if self.slots.slot_of(&entry).is_some_and(Slot::forget) {
                directory.counts.entries -= 1;
            }
        }
    }

    /// The same for all keys.
    pub(super) fn forget_all(&self) {
        let mut directory = self.lock();
        directory.epoch += 1;
        directory.counts.entries = 0;
        self.slots.forget_all();
    }

    pub(super) fn take_usage(&self) -> Vec<KeyUsage> {
        let ids = self.lock().identities.ids();
        let mut taken = Vec::new();
        for portion in ids.chunks(PORTION) {
            let mut directory = self.lock();
            let now_ns = directory.latest_ns;
            let counted = |entry: &Arc<Entry>| self.slots.slot_of(entry)?.take_usage();
            taken.extend(
                portion
                    .iter()
                    .filter_map(|id| directory.identities.take_usage(*id, now_ns, counted)),
            );
        }
        taken
    }

    pub(super) fn restore_usage(&self, usage: Vec<KeyUsage>) {
        let mut directory = self.lock();
        for usage in usage {
            directory.identities.restore_usage(usage);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let directory = self.lock();
        Counts {
            usage_lost: directory.identities.usage_lost(),
            limits_lost: directory.identities.limits_lost(),
            ..directory.counts
        }
    }

    fn put_in(&self, directory: &mut Directory<E>, digest: &Digest, entry: &Arc<Entry>) {
        let number = directory.sets.number(&entry.record().permissions, &self.sets);
        let window = entry.window(self.max_age_us);
        let open = number.map(|permissions| Open { permissions, window });
        let gone = self.slots.insert(digest, Arc::clone(entry), open);
        if gone.as_ref().is_none_or(|gone| gone.entry.is_forgotten()) {
            directory.counts.entries += 1;
        }
        directory.bury(gone);
    }

    fn take_out(&self, directory: &mut Directory<E>, sought: &Sought) {
        let gone = self.slots.remove(sought);
        if gone.as_ref().is_some_and(|gone| !gone.entry.is_forgotten()) {
            directory.counts.entries -= 1;
        }
        directory.bury(gone);
    }

    fn lock(&self) -> MutexGuard<'_, Directory<E>> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Directory<E> {
    /// What was found, as an entry that shares limits with those of the same key.
    fn entry(&mut self, spot: Spot, mut found: Found, now: Instant) -> Arc<Entry> {
        self.sets.share(&mut found.record.permissions);
        let meter = self.identities.meter(&found.record, now.nanoseconds);
        let entry = Arc::new(Entry::new(spot, found, meter, now.microseconds()));
        self.identities.add(&entry, now.nanoseconds);
        entry
    }

    /// Keeps what was counted for an entry that left the table.
    fn bury(&mut self, gone: Option<Gone>) {
        if let Some(usage) = gone.and_then(|gone| gone.usage) {
            self.identities.restore_usage(usage);
        }
    }
}

impl<E> Lead<'_, E> {
    /// Brings home what the store said: to the cache if nothing changed meanwhile, and to all who wait.
    pub(super) fn report(mut self, answer: Result<Option<Found>, E>, now: Instant) -> Outcome<E> {
        self.reported = true;
        let mut directory = self.cache.lock();
        let unchanged = directory.epoch == self.ticket.epoch;
        let outcome = match answer {
            Ok(Some(found)) => {
                let Sought { spot, digest } = self.sought;
                let entry = directory.entry(spot, found, now);
                if unchanged {
                    self.cache.put_in(&mut directory, &digest, &entry);
                }
                Outcome::Found(entry)
            }
            Ok(None) => {
                if unchanged {
                    // Who has an entry is known to the store, and this key is not, or not any more.
                    self.cache.take_out(&mut directory, &self.sought);
                    let epoch = directory.epoch;
                    directory.unknown.insert(self.sought.digest, epoch, now.microseconds());
                }
                Outcome::Unknown
            }
            Err(error) => Outcome::Failed(Arc::new(error)),
        };
        if !matches!(outcome, Outcome::Unknown) {
            self.give_back(&mut directory);
        }
        self.leave(&mut directory);
        drop(directory);
        self.ticket.flight.land(Some(outcome.clone()));
        outcome
    }

    fn give_back(&self, directory: &mut Directory<E>) {
        if let Some(charge) = &self.charge {
            directory.budget.give_back(charge);
        }
    }

    /// Takes the flight off the board, unless a later epoch has put another in its place.
    fn leave(&self, directory: &mut Directory<E>) {
        if let Some(ticket) = directory.flights.get(&self.sought.digest)
            && Arc::ptr_eq(&ticket.flight, &self.ticket.flight)
        {
            directory.flights.remove(&self.sought.digest);
        }
    }
}

impl<E> Drop for Lead<'_, E> {
    fn drop(&mut self) {
        if !self.reported {
            let mut directory = self.cache.lock();
            self.give_back(&mut directory);
            self.leave(&mut directory);
            drop(directory);
            self.ticket.flight.land(None);
        }
    }
}

impl<E> Clone for Ticket<E> {
    fn clone(&self) -> Self {
        Self { flight: Arc::clone(&self.flight), epoch: self.epoch }
    }
}

impl<E> Clone for Outcome<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Found(entry) => Self::Found(Arc::clone(entry)),
            Self::Unknown => Self::Unknown,
            Self::Failed(error) => Self::Failed(Arc::clone(error)),
        }
    }
}
