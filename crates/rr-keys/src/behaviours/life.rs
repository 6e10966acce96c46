//! The life of keys, lived at random: the verifier with its cache against a reference that remembers
//! everything and caches nothing.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use uuid::Uuid;

use super::tools::{block_on, issue, noon, record};
use crate::memory::MemoryStore;
use crate::{
    KeyRecord, KeyUsage, QuotaPeriod, Quotas, RateLimit, RateLimits, Request, Verifier,
    VerifierOptions, VerifyError, rotate, secret_end,
};

const KEYS: u64 = 3;
const SECONDS: fn(u64) -> Duration = Duration::from_secs;
const PERMISSIONS: [&str; 3] = ["read", "write", "read:orders/17"];

/// Something that happens to a key.
#[derive(Debug, Clone)]
enum Step {
    Verify {
        secret: usize,
        permission: usize,
        /// Checks from memory where that can tell, without keeping the record.
        by_check: bool,
    },
    Wait(u64),
    Grant {
        key: u64,
        permissions: Vec<usize>,
    },
    Enable {
        key: u64,
        enabled: bool,
    },
    Expire {
        key: u64,
        after: Option<u64>,
    },
    Start {
        key: u64,
        after: Option<u64>,
    },
    Limit {
        key: u64,
        windows: Vec<(u32, u64)>,
    },
    Quota {
        key: u64,
        day: Option<u32>,
        total: Option<u32>,
    },
    Revoke {
        key: u64,
    },
    Rotate {
        key: u64,
        grace: u64,
        on_first_use: bool,
    },
    ForgetAll,
    Flush {
        fails: bool,
    },
    /// An orderly stop, which writes the usage, and a start with nothing in memory.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..KEYS;
    let soon = || prop::option::of(0..30_u64);
    prop_oneof![
        20 => (0..12_usize, 0..3_usize, any::<bool>())
            .prop_map(|(secret, permission, by_check)| Step::Verify { secret, permission, by_check }),
        4 => (0..20_u64).prop_map(Step::Wait),
        1 => (20_000..80_000_u64).prop_map(Step::Wait),
        2 => (key.clone(), prop::collection::vec(0..3_usize, 0..3))
            .prop_map(|(key, permissions)| Step::Grant { key, permissions }),
        1 => (key.clone(), any::<bool>()).prop_map(|(key, enabled)| Step::Enable { key, enabled }),
        1 => (key.clone(), soon()).prop_map(|(key, after)| Step::Expire { key, after }),
        1 => (key.clone(), soon()).prop_map(|(key, after)| Step::Start { key, after }),
        1 => (key.clone(), prop::collection::vec((1..4_u32, 1..20_u64), 0..3))
            .prop_map(|(key, windows)| Step::Limit { key, windows }),
        2 => (key.clone(), prop::option::of(0..6_u32), prop::option::of(1..20_u32))
            .prop_map(|(key, day, total)| Step::Quota { key, day, total }),
        1 => key.clone().prop_map(|key| Step::Revoke { key }),
        3 => (key, 0..30_u64, any::<bool>())
            .prop_map(|(key, grace, on_first_use)| Step::Rotate { key, grace, on_first_use }),
        1 => Just(Step::ForgetAll),
        3 => any::<bool>().prop_map(|fails| Step::Flush { fails }),
        1 => Just(Step::Restart),
    ]
}

/// The reference: records, secrets, and every use of every key.
struct World {
    now: SystemTime,
    records: Vec<KeyRecord>,
    /// Key and end of each secret, in the order of their making.
    secrets: Vec<(u64, Option<SystemTime>)>,
    /// The secrets that wait for their first use, with the grace that it starts.
    pending: BTreeMap<usize, Duration>,
    /// The uses of each key since its limits were last set, which is when its buckets start anew here.
    uses: Vec<Vec<SystemTime>>,
    /// In half of the worlds no key has a quota, so that most are judged by what stands in the table.
    without_quotas: bool,
    /// All uses of each key: all of them count towards its quotas, since it has one from the start.
    all_uses: Vec<Vec<SystemTime>>,
    written: HashMap<Uuid, Counted>,
    counted: HashMap<Uuid, Counted>,
}

/// What is known of the uses of a key: how many, with old secrets, with dead ones, and by permission.
#[derive(Debug, Clone, Default, PartialEq)]
struct Counted {
    count: u64,
    superseded: u64,
    refused: u64,
    permissions: BTreeMap<String, u64>,
}

impl World {
    /// The answer, from the rules as the documentation states them.
    fn answer(&self, secret: usize, permission: &str) -> &'static str {
        let Some((key, end)) = self.secrets.get(secret) else { return "invalid_key" };
        let index = usize::try_from(*key).unwrap();
        let record = &self.records[index];
        let over = |time: Option<SystemTime>| time.is_some_and(|time| time <= self.now);
        let granted = record.permissions.iter().any(|own| {
            own == permission || (own == "read:orders/*" && permission == "read:orders/17")
        });
        // The most uses that any stretch up to now would hold with this one, against what it may hold.
        let within = record.rate_limits.iter().all(|(_, limit)| {
            self.uses[index].iter().rev().zip(2_u128..).all(|(start, uses)| {
                let stretch = self.now.duration_since(*start).unwrap().as_nanos();
                let (allowed, window) = (u128::from(limit.limit.get()), limit.window.as_nanos());
                uses * window <= allowed * window + stretch * allowed
            })
        });
        let day = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 86_400
        };
        let all = &self.all_uses[index];
        let today = all.iter().filter(|time| day(**time) == day(self.now)).count();
        let up_to = |period, uses: usize| {
            record
                .quotas
                .limit(period)
                .is_none_or(|limit| uses < usize::try_from(limit.get()).unwrap())
        };
        let in_quota = up_to(QuotaPeriod::Day, today) && up_to(QuotaPeriod::Total, all.len());
        match () {
            () if record.revoked_at.is_some() => "key_revoked",
            () if !record.enabled => "key_disabled",
            () if over(record.expires_at) => "key_expired",
            () if over(*end) => "key_superseded",
            () if record.not_before.is_some_and(|start| start > self.now) => "key_not_yet_valid",
            () if !granted => "insufficient_scope",
            () if !in_quota => "quota_exceeded",
            () if !within => "rate_limited",
            () => "granted",
        }
    }

    /// Ends what a key has: what was never used at once, the rest at the end of the grace.
    fn end_secrets(&mut self, key: u64, grace_until: SystemTime) {
        let now = self.now;
        for (n, (_, end)) in self.secrets.iter_mut().enumerate().filter(|(_, s)| s.0 == key) {
            let until = if self.pending.remove(&n).is_some() { now } else { grace_until };
            *end = Some(secret_end(*end, until));
        }
    }

    /// The first use of a secret, if it was pending.
    fn use_first(&mut self, secret: usize) {
        let Some(grace) = self.pending.remove(&secret) else { return };
        let key = self.secrets[secret].0;
        let record = &self.records[usize::try_from(key).unwrap()];
        self.end_secrets(key, rotate(record, self.now, grace).unwrap());
        self.secrets[secret].1 = None;
    }

    fn write(&mut self, store: &MemoryStore, usage: &[KeyUsage]) {
        store.write_usage(usage);
        for usage in usage {
            let written = self.written.entry(usage.key_id).or_default();
            written.count += usage.count;
            written.superseded += usage.superseded.map_or(0, |old| old.count);
            written.refused += usage.refused.map_or(0, |refused| refused.count);
            for (permission, count) in &usage.permissions {
                *written.permissions.entry(permission.clone()).or_default() += count;
            }
            let record = self.records.iter_mut().find(|record| record.id == usage.key_id).unwrap();
            let mut used = record.quotas.used();
            // What was refused is no use of a quota.
            if let Some(quota) = usage.quota {
                used.merge(quota);
                record.quotas = record.quotas.clone().with_used(used);
            }
        }
    }
}

/// A key that has a quota from the start, though none that matters.
fn with_quota(record: KeyRecord) -> KeyRecord {
    let quotas = Quotas::new([(QuotaPeriod::Month, NonZeroU32::MAX)]);
    KeyRecord { quotas, ..record }
}

/// Changes a key in both worlds, the way an application does: commit, then forget.
fn change(
    world: &mut World,
    verifier: &Verifier<MemoryStore>,
    key: u64,
    apply: impl FnOnce(&mut KeyRecord),
) {
    let record = &mut world.records[usize::try_from(key).unwrap()];
    apply(record);
    for (n, (owner, end)) in (0..).zip(&world.secrets) {
        if *owner == key {
            let record = KeyRecord { secret_ends_at: *end, ..record.clone() };
            let (store, hash) = (verifier.store(), issue(n).hash);
            match world.pending.get(&usize::try_from(n).unwrap()) {
                Some(grace) => store.insert_pending(hash, record, *grace),
                None => store.insert(hash, record),
            }
        }
    }
    verifier.forget(record.id);
}

fn live(world: &mut World, verifier: &mut Verifier<MemoryStore>, step: Step) {
    let now = world.now;
    match step {
        Step::Verify { secret, permission, by_check } => {
            verify(world, verifier, secret, PERMISSIONS[permission], by_check);
        }
        Step::Wait(seconds) => world.now += SECONDS(seconds),
        Step::Grant { key, permissions } => change(world, verifier, key, |record| {
            let words = ["read", "write", "read:orders/*"];
            record.permissions = permissions.iter().map(|n| words[*n]).collect();
        }),
        Step::Enable { key, enabled } => change(world, verifier, key, |r| r.enabled = enabled),
        Step::Expire { key, after } => {
            change(world, verifier, key, |r| r.expires_at = after.map(|s| now + SECONDS(s)));
        }
        Step::Start { key, after } => {
            change(world, verifier, key, |r| r.not_before = after.map(|s| now + SECONDS(s)));
        }
        Step::Limit { key, windows } => {
            // Limits are set on a key at rest, so that the reference need not know how edits are carried over.
            world.now += SECONDS(1_000);
            world.uses[usize::try_from(key).unwrap()].clear();
            let names = ["a", "b"].map(|name| name.parse().unwrap()).into_iter();
            let limits = windows.into_iter().map(|(uses, seconds)| RateLimit {
                limit: NonZeroU32::new(uses).unwrap(),
                window: SECONDS(seconds),
            });
            let limits = RateLimits::new(names.zip(limits)).unwrap();
            change(world, verifier, key, |record| record.rate_limits = limits);
        }
        Step::Quota { .. } if world.without_quotas => {}
        Step::Quota { key, day, total } => change(world, verifier, key, |record| {
            let limit = |period, uses: Option<u32>| Some((period, NonZeroU32::new(uses?)?));
            let wanted = [limit(QuotaPeriod::Day, day), limit(QuotaPeriod::Total, total)];
            let month = (QuotaPeriod::Month, NonZeroU32::MAX);
            let quotas = Quotas::new(wanted.into_iter().flatten().chain([month]));
            record.quotas = quotas.with_used(record.quotas.used());
        }),
        Step::Revoke { key } => change(world, verifier, key, |r| r.revoked_at = Some(now)),
        Step::Rotate { key, grace, on_first_use } => {
            let record = &world.records[usize::try_from(key).unwrap()];
            if let Ok(grace_until) = rotate(record, now, SECONDS(grace)) {
                if on_first_use {
                    let unused = world.pending.extract_if(.., |n, _| world.secrets[*n].0 == key);
                    let unused: Vec<usize> = unused.map(|(n, _)| n).collect();
                    unused.into_iter().for_each(|n| world.secrets[n].1 = Some(now));
                    world.pending.insert(world.secrets.len(), SECONDS(grace));
                } else {
                    world.end_secrets(key, grace_until);
                }
                world.secrets.push((key, None));
                change(world, verifier, key, |_| ());
            }
        }
        Step::ForgetAll => verifier.forget_all(),
        Step::Flush { fails } => {
            let usage = verifier.take_usage();
            if fails {
                verifier.restore_usage(usage);
            } else {
                world.write(verifier.store(), &usage);
            }
        }
        Step::Restart => {
            // Limits begin anew, so all of them are at rest, as they are in the reference.
            world.now += SECONDS(1_000);
            world.uses.iter_mut().for_each(Vec::clear);
            let usage = verifier.take_usage();
            world.write(verifier.store(), &usage);
            let options = VerifierOptions { capacity: 2, ..VerifierOptions::default() };
            *verifier = Verifier::new(MemoryStore::new(), options);
            (0..KEYS).for_each(|key| change(world, verifier, key, |_| ()));
        }
    }
}

fn verify(
    world: &mut World,
    verifier: &Verifier<MemoryStore>,
    secret: usize,
    permission: &str,
    by_check: bool,
) {
    let expected = world.answer(secret, permission);
    if matches!(expected, "granted" | "quota_exceeded" | "rate_limited") {
        world.use_first(secret);
    }
    let presented = issue(u64::try_from(secret).unwrap()).secret;
    let request = Request::requires(permission);
    let checked = by_check.then(|| verifier.check(presented.expose(), &request, world.now));
    let judged = match checked.flatten() {
        Some(judged) => judged.map(drop).map_err(VerifyError::Denied),
        None => block_on(verifier.verify(presented.expose(), &request, world.now)).map(drop),
    };
    let answer = match judged {
        Ok(_) => "granted",
        Err(VerifyError::Denied(denial)) => denial.code(),
        Err(VerifyError::Store(never)) => match *never {},
    };
    assert_eq!(answer, expected, "secret {secret} for {permission}");
    if matches!(answer, "key_revoked" | "key_disabled" | "key_expired" | "key_superseded") {
        let (key, _) = world.secrets[secret];
        let record = &world.records[usize::try_from(key).unwrap()];
        world.counted.entry(record.id).or_default().refused += 1;
    }
    if answer == "granted" {
        let (key, end) = world.secrets[secret];
        let index = usize::try_from(key).unwrap();
        world.uses[index].push(world.now);
        world.all_uses[index].push(world.now);
        let record = &world.records[index];
        let counted = world.counted.entry(record.id).or_default();
        counted.count += 1;
        counted.superseded += u64::from(end.is_some());
        let exact = record.permissions.contains(permission);
        let by = if exact { permission } else { "read:orders/*" };
        *counted.permissions.entry(by.to_owned()).or_default() += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_verifier_and_the_reference_live_the_same_life(
        steps in prop::collection::vec(step(), 1..120),
        capacity in 1..8_usize,
        without_quotas in any::<bool>(),
    ) {
        let options = VerifierOptions { capacity, ..VerifierOptions::default() };
        let mut verifier = Verifier::new(MemoryStore::new(), options);
        let mut world = World {
            now: noon(),
            records: (0..KEYS)
                .map(record)
                .map(|record| if without_quotas { record } else { with_quota(record) })
                .collect(),
            without_quotas,
            secrets: (0..KEYS).map(|key| (key, None)).collect(),
            pending: BTreeMap::new(),
            uses: vec![Vec::new(); usize::try_from(KEYS).unwrap()],
            all_uses: vec![Vec::new(); usize::try_from(KEYS).unwrap()],
            written: HashMap::new(),
            counted: HashMap::new(),
        };
        (0..KEYS).for_each(|key| change(&mut world, &verifier, key, |_| ()));
        for step in steps {
            live(&mut world, &mut verifier, step);
        }
        let usage = verifier.take_usage();
        world.write(verifier.store(), &usage);
        prop_assert_eq!(world.written, world.counted, "every grant and refusal was written down once");
    }
}
