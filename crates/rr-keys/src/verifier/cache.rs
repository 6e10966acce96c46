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
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::entry::{Entry, Found, Instant};
use super::flight::Flight;
use super::identities::Identities;
use super::options::VerifierOptions;
use super::shared::SharedSets;
use super::slots::{Guess, Loan, Slots};
use super::spot::{Sought, Spot, Spots};
use super::unknown::{Budget, Charge, UnknownKeys};
use super::usage::KeyUsage;
use crate::hash::Digest;
use crate::sync::{Mutex, MutexGuard};
use crate::{KeyRecord, Request};

/// Keys whose usage is taken under one hold of the lock, so that a big cache does not stop the misses.
const PORTION: usize = 256;

pub(super) struct Cache<E> {
    spots: Spots,
    slots: Slots,
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
        Self { spots: Spots::default(), slots, max_age_us, directory: Mutex::new(directory) }
    }

    /// Where a text leads to, and the place there that may be its own.
    #[inline]
    pub(super) fn guess(&self, text: &str) -> (Spot, Option<Guess<'_>>) {
        let spot = self.spots.of(text);
        (spot, self.slots.guess(spot))
    }

    /// The fast path: a cached key that can answer the request. Takes no lock and allocates nothing.
    #[inline]
    pub(super) fn check(
        guess: &Guess<'_>,
        digest: &Digest,
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> Option<Loan> {
        let entry = guess.check(digest).filter(|entry| entry.can_answer(request, now, instant))?;
        entry.touch();
        Some(entry)
    }

    /// The same without a guess.
    fn get(&self, sought: &Sought, now: Instant) -> Option<Loan> {
        let entry = self.slots.get(sought).filter(|entry| entry.is_fresh(now))?;
        entry.touch();
        Some(entry)
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
        if let Some(entry) = self.get(&sought, now) {
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
        if self.slots.get(&sought).is_none() {
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
    /// and what it counts is taken with the rest. It stands under the identity, which no secret looks like.
    pub(super) fn pass(&self, record: KeyRecord, now: Instant) -> Arc<Entry> {
        let text = record.id.to_string();
        let sought = Sought { spot: self.spots.of(&text), digest: Digest::of(&text) };
        let mut directory = self.lock();
        directory.latest_ns = directory.latest_ns.max(now.nanoseconds);
        directory.entry(sought, record.into(), 0, now)
    }

    /// Believes nothing any more that was known of a key. When this returns, no later caller is answered from
    /// before. The entry stays where it is until a newer one replaces it, for it says that there is such a key.
    pub(super) fn forget(&self, id: Uuid) {
        let mut directory = self.lock();
        directory.epoch += 1;
        for entry in directory.identities.entries(id) {
            if self.slots.get(&entry.sought()).is_some_and(|entry| entry.forget()) {
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
            taken.extend(
                portion.iter().filter_map(|id| directory.identities.take_usage(*id, now_ns)),
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

    fn put_in(&self, directory: &mut Directory<E>, entry: &Arc<Entry>) {
        let gone = self.slots.insert(Arc::clone(entry));
        if gone.is_none_or(|gone| gone.is_forgotten()) {
            directory.counts.entries += 1;
        }
    }

    fn take_out(&self, directory: &mut Directory<E>, sought: &Sought) {
        if self.slots.remove(sought).is_some_and(|gone| !gone.is_forgotten()) {
            directory.counts.entries -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Directory<E>> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Directory<E> {
    /// What was found, as an entry that shares limits with those of the same key.
    fn entry(
        &mut self,
        sought: Sought,
        mut found: Found,
        max_age_us: u64,
        now: Instant,
    ) -> Arc<Entry> {
        self.sets.share(&mut found.record.permissions);
        let meter = self.identities.meter(&found.record, now.nanoseconds);
        let loaded_us = now.microseconds();
        let fresh_until_us = loaded_us.saturating_add(max_age_us);
        let entry = Arc::new(Entry::new(sought, found, meter, loaded_us, fresh_until_us));
        self.identities.add(&entry, now.nanoseconds);
        entry
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
                let entry = directory.entry(self.sought, found, self.cache.max_age_us, now);
                if unchanged {
                    self.cache.put_in(&mut directory, &entry);
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
