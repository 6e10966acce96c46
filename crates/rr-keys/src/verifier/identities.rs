//! The keys behind the cached entries: which entries are whose, limits that outlive an entry, and usage
//! that is waiting to be taken.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use uuid::Uuid;

use super::entry::Entry;
use super::usage::KeyUsage;
use crate::KeyRecord;
use crate::limit::Meter;

/// Every key that has an entry in the cache, an entry still held by a grant, usage not yet taken, or limits
/// not yet refilled.
pub(super) struct Identities {
    /// The entry of each key that came last; for nearly every key this is all there is.
    newest: HashSet<Newest>,
    rest: HashMap<Uuid, Rest>,
    /// The size at which this is next searched for keys that nothing keeps here.
    sweep_at: usize,
    floor: usize,
    usage_lost: u64,
    limits_lost: u64,
}

/// An entry under the identity that stands in it, so that a million keys need not write theirs down twice.
struct Newest(Arc<Entry>);

#[derive(Default)]
struct Rest {
    /// Entries of other secrets, and older ones that left the cache while somebody held them.
    older: Vec<Arc<Entry>>,
    /// What entries that are gone had counted.
    waiting: Option<KeyUsage>,
    meter: Option<Arc<Meter>>,
    /// Set while usage that was handed out last may not be written yet.
    unconfirmed: bool,
}

impl Identities {
    /// For a cache of `places` places.
    pub(super) fn new(places: usize) -> Self {
        let floor = places.saturating_mul(2).max(1_024);
        Self {
            newest: HashSet::new(),
            rest: HashMap::new(),
            sweep_at: floor,
            floor,
            usage_lost: 0,
            limits_lost: 0,
        }
    }

    /// The meter of a key that has limits: the same for all its secrets and after every change. It learns
    /// what the store knew of its quotas.
    pub(super) fn meter(&mut self, record: &KeyRecord, now_ns: u64) -> Option<Arc<Meter>> {
        let limited = !record.rate_limits.is_empty() || !record.quotas.is_empty();
        limited.then(|| {
            let rest = self.rest.entry(record.id).or_default();
            let meter = Arc::clone(rest.meter.get_or_insert_default());
            meter.learn(record, now_ns);
            meter
        })
    }

    /// Takes note of an entry, whether or not it goes into the cache.
    pub(super) fn add(&mut self, entry: &Arc<Entry>, now_ns: u64) {
        if let Some(Newest(previous)) = self.newest.replace(Newest(Arc::clone(entry))) {
            let id = entry.record().id;
            self.rest.entry(id).or_default().older.push(previous);
            self.fold(id);
            // Nobody may have held it, and nobody may have used it.
            self.drop_idle_rest(id, now_ns);
        }
        // Not before: until its entry is here, nothing else keeps the meter of a new key.
        if self.len() > self.sweep_at {
            self.sweep(now_ns);
        }
    }

    /// The entries of a key that may be in the cache.
    pub(super) fn entries(&self, id: Uuid) -> Vec<Arc<Entry>> {
        let newest = self.newest.get(&id).map(|newest| &newest.0).into_iter();
        let older = self.rest.get(&id).into_iter().flat_map(|rest| &rest.older);
        newest.chain(older).cloned().collect()
    }

    /// The keys known here, to be gone through in portions.
    pub(super) fn ids(&self) -> Vec<Uuid> {
        let rest = self.rest.keys().filter(|id| !self.newest.contains(*id));
        self.newest.iter().map(Newest::id).chain(rest).copied().collect()
    }

    /// The usage of one key since the last taking; forgets the key when nothing else keeps it here. `in_slot` takes
    /// what the slot of an entry has counted.
    pub(super) fn take_usage(
        &mut self,
        id: Uuid,
        now_ns: u64,
        in_slot: impl Fn(&Arc<Entry>) -> Option<KeyUsage>,
    ) -> Option<KeyUsage> {
        self.fold(id);
        let taken = |entry: &Arc<Entry>| in_slot(entry).into_iter().chain(entry.take_usage());
        let mut usage = None;
        let newest = self.newest.get(&id).into_iter().flat_map(|newest| taken(&newest.0));
        newest.for_each(|counted| merge(&mut usage, counted));
        if let Some(rest) = self.rest.get_mut(&id) {
            let older = rest.older.iter().flat_map(taken);
            for counted in older.chain(rest.waiting.take()) {
                merge(&mut usage, counted);
            }
            let quota = rest.meter.as_ref().and_then(|meter| meter.take_quota_use());
            if let Some(quota) = quota {
                let usage = usage.get_or_insert_with(|| KeyUsage::new(id, 0, UNIX_EPOCH));
                usage.quota.get_or_insert_default().merge(quota);
            }
            // What was handed out before is written by now, or else it was given back.
            rest.unconfirmed = rest.meter.is_some() && usage.is_some();
            self.drop_idle_rest(id, now_ns);
        }
        usage
    }

    /// Puts usage back that was taken and could not be written.
    pub(super) fn restore_usage(&mut self, usage: KeyUsage) {
        merge(&mut self.rest.entry(usage.key_id).or_default().waiting, usage);
    }

    /// Grants whose count was dropped because nobody ever took the usage.
    pub(super) fn usage_lost(&self) -> u64 {
        self.usage_lost
    }

    /// Keys whose limits were forgotten before they had refilled.
    pub(super) fn limits_lost(&self) -> u64 {
        self.limits_lost
    }

    /// What stands here; a key that has more than an entry counts twice.
    pub(super) fn len(&self) -> usize {
        self.newest.len() + self.rest.len()
    }

    /// Drops what nothing keeps here. When that is not enough, nobody takes the usage, and the counts of
    /// keys that left the cache are dropped too, and beyond a bound their limits: memory is bounded by the cache, not
    /// by the store, nor by how long a window lasts.
    fn sweep(&mut self, now_ns: u64) {
        for id in self.ids() {
            self.fold(id);
            self.drop_idle_rest(id, now_ns);
        }
        if self.len() > self.floor / 2 {
            let (newest, lost) = (&self.newest, &mut self.usage_lost);
            self.rest.retain(|id, rest| {
                if newest.contains(id) {
                    return true;
                }
                if let Some(waiting) = rest.waiting.take() {
                    *lost = lost.saturating_add(waiting.count);
                }
                rest.unconfirmed = false;
                rest.meter.as_ref().map(|meter| meter.take_quota_use());
                !rest.is_idle(now_ns)
            });
            self.forget_limits(now_ns);
        }
        self.sweep_at = self.len().saturating_mul(2).max(self.floor);
    }

    /// Of more keys than the floor that are here for their limits alone, those that lose least are forgotten: those
    /// whose limits would have refilled soonest. Half of the floor is left, so that this is not done for every newcomer.
    fn forget_limits(&mut self, now_ns: u64) {
        let is_alone = |id: &Uuid, rest: &Rest| rest.older.is_empty() && !self.newest.contains(id);
        let mut alone: Vec<(u64, Uuid)> = self
            .rest
            .iter()
            .filter(|(id, rest)| is_alone(id, rest))
            .filter_map(|(id, rest)| Some((rest.meter.as_ref()?.rests_at(now_ns), *id)))
            .collect();
        let Some(much) =
            alone.len().checked_sub(self.floor / 2).filter(|_| alone.len() > self.floor)
        else {
            return;
        };
        alone.select_nth_unstable(much);
        for (_, id) in alone.drain(..much) {
            self.rest.remove(&id);
        }
        self.limits_lost = self.limits_lost.saturating_add(u64::try_from(much).unwrap_or(u64::MAX));
    }

    /// Lets entries of a key go that nobody else holds: not the cache, no reader, no grant. Since nobody
    /// holds them nobody can count on them any more, so what they counted is final.
    fn fold(&mut self, id: Uuid) {
        let mut counted = Vec::new();
        // The count is only a hint, for reading it does not wait for what the last holder wrote.
        let hint = |newest: &Newest| Arc::strong_count(&newest.0) == 1;
        if self.newest.get(&id).is_some_and(hint)
            && let Some(Newest(newest)) = self.newest.take(&id)
        {
            match Arc::try_unwrap(newest) {
                Ok(entry) => counted.extend(entry.take_usage()),
                Err(held) => drop(self.newest.insert(Newest(held))),
            }
        }
        if let Some(rest) = self.rest.get_mut(&id) {
            let gone = rest.older.extract_if(.., |entry| Arc::get_mut(entry).is_some());
            counted.extend(gone.filter_map(|entry| entry.take_usage()));
        }
        for usage in counted {
            merge(&mut self.rest.entry(id).or_default().waiting, usage);
        }
    }

    /// Forgets the rest of a key when that changes nothing. An entry in use counts on its meter being the one
    /// and only of its key.
    fn drop_idle_rest(&mut self, id: Uuid, now_ns: u64) {
        let in_use = self.newest.contains(&id);
        let idle = |rest: &Rest| rest.is_idle(now_ns) && !(in_use && rest.meter.is_some());
        if self.rest.get(&id).is_some_and(idle) {
            self.rest.remove(&id);
        }
    }
}

impl Newest {
    fn id(&self) -> &Uuid {
        &self.0.record().id
    }
}

impl Borrow<Uuid> for Newest {
    fn borrow(&self) -> &Uuid {
        self.id()
    }
}

impl PartialEq for Newest {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Newest {}

impl Hash for Newest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl Rest {
    /// Whether forgetting it would change nothing, once the key has no entry.
    fn is_idle(&self, now_ns: u64) -> bool {
        self.older.is_empty()
            && self.waiting.is_none()
            && !self.unconfirmed
            && self.meter.as_ref().is_none_or(|meter| meter.at_rest(now_ns))
    }
}

fn merge(total: &mut Option<KeyUsage>, counted: KeyUsage) {
    match total {
        Some(total) => total.merge(counted),
        None => *total = Some(counted),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::{Duration, SystemTime};

    use super::super::spot::Spot;
    use super::*;
    use crate::{QuotaPeriod, Quotas, RateLimit};

    fn record(n: u64) -> KeyRecord {
        KeyRecord::new(Uuid::from_u128(n.into()), "k", SystemTime::UNIX_EPOCH)
    }

    fn entry(identities: &mut Identities, record: KeyRecord) -> Arc<Entry> {
        let meter = identities.meter(&record, 0);
        Arc::new(Entry::new(Spot::NONE, record.into(), meter, 0))
    }

    fn take(identities: &mut Identities, id: Uuid, now_ns: u64) -> Option<KeyUsage> {
        identities.take_usage(id, now_ns, |_| None)
    }

    #[test]
    fn counts_of_dropped_entries_are_kept_and_handed_out_once() {
        let mut identities = Identities::new(8);
        let first = entry(&mut identities, record(1));
        identities.add(&first, 0);
        first.count(None, 5, None);
        let second = entry(&mut identities, record(1));
        identities.add(&second, 0);
        second.count(None, 9, None);
        // A grant still holds the first entry and counts on it after it was replaced.
        first.count(None, 7, None);
        drop(first);
        let usage = take(&mut identities, record(1).id, 0).unwrap();
        assert_eq!(usage.count, 3);
        assert_eq!(usage.last_used, SystemTime::UNIX_EPOCH + Duration::from_micros(9));
        assert_eq!(take(&mut identities, record(1).id, 0), None);
        assert_eq!(identities.len(), 1, "the second entry is still held");
        drop(second);
        assert_eq!(take(&mut identities, record(1).id, 0), None);
        assert_eq!(identities.len(), 0);
    }

    #[test]
    fn restored_usage_merges_with_what_came_since() {
        let mut identities = Identities::new(8);
        let entry = entry(&mut identities, record(1));
        identities.add(&entry, 0);
        entry.count(None, 5, None);
        let taken = take(&mut identities, record(1).id, 0).unwrap();
        entry.count(None, 3, None);
        identities.restore_usage(taken);
        let usage = take(&mut identities, record(1).id, 0).unwrap();
        assert_eq!(usage.count, 2);
        assert_eq!(usage.last_used, SystemTime::UNIX_EPOCH + Duration::from_micros(5));
    }

    #[test]
    fn a_limit_in_use_keeps_its_key_until_it_has_refilled() {
        let mut identities = Identities::new(8);
        let limit = RateLimit { limit: NonZeroU32::MIN, window: Duration::from_secs(10) };
        let limited = KeyRecord { rate_limits: limit.into(), ..record(1) };
        let meter = identities.meter(&limited, 0).unwrap();
        assert!(meter.take(&limited, 0).is_ok());
        drop(meter);
        assert_eq!(take(&mut identities, limited.id, 9_999_999_999), None);
        assert_eq!(identities.len(), 1);
        assert_eq!(take(&mut identities, limited.id, 10_000_000_000), None);
        assert_eq!(identities.len(), 0);
    }

    /// A quota that was used must be remembered until its count can be read back from the store.
    #[test]
    fn a_quota_in_use_keeps_its_key_until_its_count_is_written() {
        let mut identities = Identities::new(8);
        let quotas = Quotas::new([(QuotaPeriod::Day, NonZeroU32::MIN)]);
        let key = KeyRecord { quotas, ..record(1) };
        identities.meter(&key, 0).unwrap().take(&key, 0).unwrap();
        let taken = take(&mut identities, key.id, 0).unwrap();
        assert_eq!(taken.quota.unwrap().day, 1);
        assert_eq!(identities.len(), 1, "the count is on its way");
        identities.restore_usage(taken.clone());
        assert!(identities.meter(&key, 0).unwrap().take(&key, 0).is_err());
        assert_eq!(take(&mut identities, key.id, 0), Some(taken), "given back once and whole");
        assert_eq!(identities.len(), 1);
        assert_eq!(take(&mut identities, key.id, 0), None);
        assert_eq!(identities.len(), 0, "by now it is written");
    }

    #[test]
    fn memory_is_bounded_even_when_nobody_takes_the_usage() {
        let mut identities = Identities::new(32);
        for n in 0..100_000 {
            let entry = entry(&mut identities, record(n));
            identities.add(&entry, 0);
            entry.count(None, 1, None);
            assert!(identities.len() <= 1_025, "{} keys after {n}", identities.len());
        }
        assert!(identities.usage_lost() > 98_000);
    }

    /// A window may last a month; the keys that come by meanwhile may be any number.
    #[test]
    fn memory_is_bounded_for_limited_keys_too_and_those_go_that_lose_least() {
        let mut identities = Identities::new(32);
        let month = Duration::from_secs(31 * 86_400);
        let limited = |n: u64, limit: u32| {
            let limit = RateLimit { limit: NonZeroU32::new(limit).unwrap(), window: month };
            KeyRecord { rate_limits: limit.into(), ..record(n) }
        };
        let mut come = |n, limit, times| {
            let key = limited(n, limit);
            let entry = entry(&mut identities, key.clone());
            for _ in 0..times {
                identities.meter(&key, 0).unwrap().take(&key, 0).unwrap();
            }
            identities.add(&entry, 0);
            entry.count(None, 1, None);
            drop(entry);
            assert!(identities.len() <= 2_050, "{} keys after {n}", identities.len());
        };
        (0..100).for_each(|n| come(n, 10, 10));
        (100..20_000).for_each(|n| come(n, 10, 1));
        assert!(identities.limits_lost() > 15_000);
        for n in 0..100 {
            let key = limited(n, 10);
            let meter = identities.meter(&key, 0).unwrap();
            assert!(meter.take(&key, 0).is_err(), "who has spent all is not let in anew");
        }
    }
}
