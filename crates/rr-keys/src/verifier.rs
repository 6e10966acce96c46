//! Presented text in, grant or refusal out, with the store asked as rarely as can be.

mod cache;
mod entry;
mod flight;
mod grant;
mod identities;
mod options;
mod pass;
mod shared;
mod slot;
mod slots;
mod spot;
mod stats;
mod unknown;
mod usage;
mod work;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use uuid::Uuid;

pub use entry::Outdated;
pub use grant::Grant;
pub use options::VerifierOptions;
pub use pass::Pass;
pub use stats::CacheStats;
pub use usage::{KeyUsage, UseTally};
#[cfg(test)]
pub(crate) use work::looks;

use crate::hash::Digest;
use crate::limit::Spent;
use crate::{Denial, HashScheme, KeyFormat, KeyHash, KeyRecord, KeyStore, Request};
use cache::{Cache, Join, Outcome};
use entry::{Entry, Found, Instant};
use slot::{Counted, Loan, Seen, Slot, Use};
use spot::Sought;
use stats::StripedCounter;

/// Answers whether a presented key opens the door.
///
/// A key in memory is judged without the store and without allocation (but for the first use that is counted apart: of
/// its fifth or a later permission), and without a lock too unless it has limits or quotas, which are counted behind one
/// of its own. The first use of a
/// key asks the store once, however many callers come at the same time. Expiry and all other conditions are
/// judged anew for every request, so a key in memory ends on the instant. Any executor will do, and none.
pub struct Verifier<S: KeyStore> {
    store: S,
    format: KeyFormat,
    scheme: HashScheme,
    older_schemes: Vec<HashScheme>,
    cache: Cache<S::Error>,
    hits: StripedCounter,
}

/// Why a verification did not end in a grant.
#[derive(Debug)]
pub enum VerifyError<E> {
    /// The key does not open the door.
    Denied(Denial),
    /// The store could not answer. Shared, because everybody who waited for the same look-up gets it.
    Store(Arc<E>),
}

impl<S: KeyStore> Verifier<S> {
    /// A verifier with an empty memory.
    pub fn new(store: S, options: VerifierOptions) -> Self {
        let cache = Cache::new(&options);
        let VerifierOptions { format, scheme, older_schemes, .. } = options;
        Self { store, format, scheme, older_schemes, cache, hits: StripedCounter::new() }
    }

    /// Judges a presented key, asking the store when the key is not in memory.
    pub async fn verify(
        &self,
        presented: &str,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Result<Grant, VerifyError<S::Error>> {
        let instant = Instant::of(now);
        let seen = self.seek(presented);
        if let Some(judged) = seen.and_then(|seen| self.recall(seen, request, now, instant)) {
            return Ok(judged?);
        }
        self.format.parse(presented).map_err(|_| Denial::Malformed)?;
        let sought = self.cache.sought(presented);
        let mut entry = self.look_up(presented, sought, request, instant).await?;
        if entry.is_first_use(request, now) {
            self.activate(presented, entry.record().id, now).await?;
            // What became of the key meanwhile counts.
            entry = self.look_up(presented, sought, request, instant).await?;
        }
        Ok(self.admit(Loan::from_inner(entry), request, now, instant)?)
    }

    /// As [`Verifier::verify`], from memory alone; `None` when only the store can tell.
    pub fn try_verify(
        &self,
        presented: &str,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Option<Result<Grant, Denial>> {
        match self.seek(presented) {
            Some(seen) => self.recall(seen, request, now, Instant::of(now)),
            None => self.malformed(presented),
        }
    }

    /// As [`Verifier::try_verify`], for those who do not need the record: the quickest there is, because nothing has to
    /// be kept alive. The use is judged, limited and counted all the same.
    #[inline]
    pub fn check(
        &self,
        presented: &str,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Option<Result<Pass, Denial>> {
        let instant = Instant::of(now);
        let Some((slot, seen)) = self.seek(presented) else { return self.malformed(presented) };
        match self.glance(slot, &seen, request, instant) {
            Glance::Granted => Some(Ok(Pass::plain(seen.key_id))),
            Glance::Overtaken => None,
            Glance::Unsure => {
                let judged = self.recall((slot, seen), request, now, instant)?;
                Some(judged.map(Pass::from))
            }
        }
    }

    /// Judges a key for a caller that proved in another way that it speaks for it, as by a signature made with
    /// a secret that was given to its holder. `record` is what the store says of the key now.
    ///
    /// Every condition holds as for its secret, a use is taken from the same limits and quotas and counted with
    /// the others. Nothing of it answers a later call, so there is nothing to forget.
    pub fn vouch(
        &self,
        record: KeyRecord,
        request: &Request<'_>,
        now: SystemTime,
    ) -> Result<Grant, Denial> {
        let instant = Instant::of(now);
        let entry = self.cache.pass(record, instant);
        self.admit(Loan::from_inner(entry), request, now, instant)
    }

    /// Forgets one key. Call it after the store has committed a change of it.
    ///
    /// When this returns the change is final on this node: every verification that starts later sees it,
    /// whatever look-ups were under way. Limits and uncounted usage of the key are kept.
    pub fn forget(&self, id: Uuid) {
        self.cache.forget(id);
    }

    /// Forgets all keys, with the same promise: for changes of which only the fact is known.
    pub fn forget_all(&self) {
        self.cache.forget_all();
    }

    /// Takes the usage counted since the last time, to be written down: one entry for each key that was
    /// used, each grant handed out exactly once.
    ///
    /// Write what you took, or [give it back](Verifier::restore_usage), before you take again: the next
    /// taking counts as your word that the store has it, and from then on a key that has left memory starts
    /// from what the store says about its quotas.
    pub fn take_usage(&self) -> Vec<KeyUsage> {
        self.cache.take_usage()
    }

    /// Gives back what [`Verifier::take_usage`] handed out and could not be written; the next taking has it.
    pub fn restore_usage(&self, usage: Vec<KeyUsage>) {
        self.cache.restore_usage(usage);
    }

    /// The counters.
    pub fn stats(&self) -> CacheStats {
        let counts = self.cache.counts();
        CacheStats {
            hits: self.hits.sum(),
            misses: counts.misses,
            negative_hits: counts.negative_hits,
            throttled: counts.throttled,
            entries: counts.entries,
            usage_lost: counts.usage_lost,
            limits_lost: counts.limits_lost,
        }
    }

    /// The look of the keys that this verifier accepts.
    pub fn format(&self) -> &KeyFormat {
        &self.format
    }

    /// How a new key is to be hashed for the store, so that this verifier finds it.
    pub fn scheme(&self) -> &HashScheme {
        &self.scheme
    }

    /// The store that it asks.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The slot of a key in memory, and what is in it. Looks in memory first and leaves the check digits for after:
    /// what is in memory was a well-formed key when it came there. Garbage leads to nothing, and nothing is hashed
    /// for it.
    #[inline]
    fn seek(&self, presented: &str) -> Option<(&Slot, Seen)> {
        if !self.format.has_length(presented.len()) {
            return None;
        }
        let guess = self.cache.guess(presented)?;
        // The order counts: memory brings the guess while the digest is computed, and the slot while the next text
        // is read.
        let digest = Digest::of(presented);
        let slot = self.cache.slot(guess)?;
        Some((slot, slot.look(&digest)?))
    }

    /// What can be said without the store of a text that is not in memory.
    #[cold]
    fn malformed<T>(&self, presented: &str) -> Option<Result<T, Denial>> {
        self.format.parse(presented).is_err().then_some(Err(Denial::Malformed))
    }

    /// Lets a key in by what stands in its slot, and counts the use.
    #[inline]
    fn glance(&self, slot: &Slot, seen: &Seen, request: &Request<'_>, now: Instant) -> Glance {
        if !seen.open.window.contains(now) {
            return Glance::Unsure;
        }
        let permissions = self.cache.permissions(seen.open.permissions);
        let permission = match (permissions, request.permission) {
            (Some(permissions), Some(wanted)) => match permissions.granting(wanted) {
                None => return Glance::Unsure,
                place => place,
            },
            (Some(_), None) => None,
            (None, _) => return Glance::Unsure,
        };
        match slot.count(seen, self.one_use(permission, request, now)) {
            Counted::Here => {
                self.hits.add_one();
                Glance::Granted
            }
            Counted::NotHere => Glance::Unsure,
            Counted::Overtaken => Glance::Overtaken,
        }
    }

    /// Judges a key in memory by its entry, if that can tell.
    fn recall(
        &self,
        (slot, seen): (&Slot, Seen),
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> Option<Result<Grant, Denial>> {
        let entry = slot.lend(&seen)?;
        match self.glance(slot, &seen, request, instant) {
            Glance::Granted => return Some(Ok(Grant::new(entry, Spent::default(), instant))),
            Glance::Overtaken => return None,
            Glance::Unsure => {}
        }
        if !self.cache.believes(&entry, instant) || entry.is_first_use(request, now) {
            return None;
        }
        self.hits.add_one();
        slot.touch();
        Some(self.admit_seen(entry, Some((slot, seen)), request, now, instant))
    }

    /// Judges a request by the entry of its key and takes it from the limits.
    fn admit(
        &self,
        entry: Loan,
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> Result<Grant, Denial> {
        let slot = self.cache.slot_of(&entry);
        let seen = slot.and_then(|slot| Some((slot, slot.look_for(&entry)?)));
        self.admit_seen(entry, seen, request, now, instant)
    }

    /// The same for an entry that was seen in a slot.
    fn admit_seen(
        &self,
        entry: Loan,
        seen: Option<(&Slot, Seen)>,
        request: &Request<'_>,
        now: SystemTime,
        instant: Instant,
    ) -> Result<Grant, Denial> {
        let (permission, spent) = entry.judge(request, now, instant)?;
        let used = self.one_use(permission, request, instant);
        if seen.is_none_or(|(slot, seen)| slot.count(&seen, used) != Counted::Here) {
            entry.count(permission, instant.microseconds(), request.address);
        }
        Ok(Grant::new(entry, spent, instant))
    }

    fn one_use(&self, permission: Option<usize>, request: &Request<'_>, now: Instant) -> Use {
        let address = request.address;
        Use { permission, now, address, print: self.cache.print(address) }
    }

    /// Leads the look-up or waits for the one who does. Starts over when a leader was dropped half-way.
    async fn look_up(
        &self,
        presented: &str,
        sought: Sought,
        request: &Request<'_>,
        instant: Instant,
    ) -> Result<Arc<Entry>, VerifyError<S::Error>> {
        let outcome = loop {
            match self.cache.join(sought, request.address, instant) {
                Join::Answered(outcome) => break outcome,
                Join::Follow(flight) => {
                    if let Some(outcome) = flight.wait().await {
                        break outcome;
                    }
                }
                Join::Lead(lead) => {
                    let answer = self.ask(presented, sought.digest.into()).await;
                    break lead.report(answer, instant);
                }
                Join::Throttled(retry_after) => {
                    return Err(Denial::TooManyUnknown { retry_after }.into());
                }
            }
        };
        match outcome {
            Outcome::Found(entry) => Ok(entry),
            Outcome::Unknown => Err(Denial::Unknown.into()),
            Outcome::Failed(error) => Err(VerifyError::Store(error)),
        }
    }

    /// The first use of a pending secret, final before it is answered.
    async fn activate(
        &self,
        presented: &str,
        id: Uuid,
        now: SystemTime,
    ) -> Result<(), VerifyError<S::Error>> {
        // However this ends: an error can hide that the change was committed, and so can a caller who hangs up.
        let _forgetting = Forgetting { verifier: self, id };
        let mut outcome = Ok(false);
        for scheme in std::iter::once(&self.scheme).chain(&self.older_schemes) {
            outcome = self.store.activate(scheme.hash(presented), now).await;
            if !matches!(outcome, Ok(false)) {
                break;
            }
        }
        outcome.map(drop).map_err(|error| VerifyError::Store(Arc::new(error)))
    }

    /// Asks the store for the key under one scheme after the other.
    async fn ask(&self, presented: &str, sha256: KeyHash) -> Result<Option<Found>, S::Error> {
        let hash_under = |scheme: &HashScheme| match scheme.is_sha256() {
            true => sha256,
            false => scheme.hash(presented),
        };
        let to = hash_under(&self.scheme);
        if let Some(record) = self.store.find(to).await? {
            return Ok(Some(record.into()));
        }
        for scheme in &self.older_schemes {
            let from = hash_under(scheme);
            if let Some(record) = self.store.find(from).await? {
                return Ok(Some(Found { record, outdated: Some(Outdated { from, to }) }));
            }
        }
        Ok(None)
    }
}

/// Forgets a key when it goes.
struct Forgetting<'v, S: KeyStore> {
    verifier: &'v Verifier<S>,
    id: Uuid,
}

impl<S: KeyStore> Drop for Forgetting<'_, S> {
    fn drop(&mut self) {
        self.verifier.forget(self.id);
    }
}

/// What a slot says of a request.
enum Glance {
    Granted,
    /// More has to be judged than stands there, or a reason found.
    Unsure,
    /// What was seen is gone.
    Overtaken,
}

impl<S: KeyStore> fmt::Debug for Verifier<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl<E> From<Denial> for VerifyError<E> {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl<E> fmt::Display for VerifyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denial) => denial.fmt(f),
            Self::Store(_) => f.write_str("the key store did not answer"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for VerifyError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Denied(_) => None,
            Self::Store(error) => Some(&**error),
        }
    }
}
