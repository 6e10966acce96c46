//! (d) Ten thousand verifications of one key cause one read and one line to write.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::tools::{block_on, issue, noon, record, store};
use crate::{AllowList, KeyRecord, RateLimit, Request, UseTally, Verifier, VerifierOptions};

#[test]
fn ten_thousand_verifications_are_one_line_to_write() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let key = issue(0);
    let from: IpAddr = "2001:db8::7".parse().unwrap();
    for n in 0..10_000 {
        let now = noon() + Duration::from_micros(n);
        let request = Request::requires("read").from(from);
        block_on(verifier.verify(key.secret.expose(), &request, now)).unwrap();
    }
    assert_eq!(verifier.store().finds(), 1);
    let usage = verifier.take_usage();
    assert_eq!(usage.len(), 1);
    assert_eq!((usage[0].key_id, usage[0].count), (record(0).id, 10_000));
    assert_eq!(usage[0].last_used, noon() + Duration::from_micros(9_999));
    assert_eq!(usage[0].last_address, Some(from));
    assert_eq!(verifier.take_usage(), []);
}

/// What stands beside a key in the table has counters for its first four permissions.
#[test]
fn checks_from_memory_count_every_permission() {
    let names = ["a", "b", "c", "d", "e", "f", "g/*"];
    let store = store(0);
    store
        .insert(issue(0).hash, KeyRecord { permissions: names.into_iter().collect(), ..record(0) });
    let verifier = Verifier::new(store, VerifierOptions::default());
    let (key, from) = (issue(0).secret, IpAddr::from([10, 0, 0, 9]));
    block_on(verifier.verify(key.expose(), &Request::any(), noon())).unwrap();
    let check = |request: Request<'_>| {
        let pass = verifier.check(key.expose(), &request.from(from), noon()).unwrap().unwrap();
        assert_eq!(pass.key_id(), record(0).id);
    };
    for (n, name) in names.iter().enumerate() {
        let wanted = name.replace('*', "17");
        (0..=n).for_each(|_| check(Request::requires(&wanted)));
    }
    check(Request::any());
    let refused = verifier.check(key.expose(), &Request::requires("h"), noon()).unwrap();
    assert_eq!(refused.unwrap_err().code(), "insufficient_scope");
    let usage = verifier.take_usage().remove(0);
    let expected = names.iter().zip(1..).map(|(name, n)| ((*name).to_owned(), n)).collect();
    assert_eq!((usage.count, usage.permissions), (30, expected));
    assert_eq!((usage.last_used, usage.last_address), (noon(), Some(from)));
}

/// There are numbers for a thousand sets; keys with others are judged by their record.
#[test]
fn a_set_of_permissions_for_every_key_is_judged_as_well() {
    const KEYS: u64 = 1_200;
    let store = store(0);
    for n in 0..KEYS {
        let permissions = [format!("read:{n}")].into_iter().collect();
        store.insert(issue(n).hash, KeyRecord { permissions, ..record(n) });
    }
    let verifier = Verifier::new(store, VerifierOptions::default());
    for n in 0..KEYS {
        let key = issue(n).secret;
        block_on(verifier.verify(key.expose(), &Request::any(), noon())).unwrap();
        for wanted in [n, n + 1] {
            let wanted_text = format!("read:{wanted}");
            let request = Request::requires(&wanted_text);
            let judged = verifier.check(key.expose(), &request, noon()).unwrap();
            assert_eq!(judged.is_ok(), wanted == n, "key {n} for {wanted}");
        }
    }
    let usage = verifier.take_usage();
    assert_eq!(usage.len(), usize::try_from(KEYS).unwrap());
    assert!(usage.iter().all(|usage| usage.count == 2 && usage.permissions.len() == 1));
}

#[test]
fn a_failed_flush_gives_its_counts_back() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let key = issue(0);
    let verify = |n| {
        let now = noon() + Duration::from_secs(n);
        block_on(verifier.verify(key.secret.expose(), &Request::any(), now)).unwrap()
    };
    verify(1);
    let taken = verifier.take_usage();
    verify(2);
    verifier.restore_usage(taken);
    let usage = verifier.take_usage();
    assert_eq!((usage.len(), usage[0].count), (1, 2));
    assert_eq!(usage[0].last_used, noon() + Duration::from_secs(2));
}

#[test]
fn refusals_are_not_uses() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let key = issue(0);
    let result =
        block_on(verifier.verify(key.secret.expose(), &Request::requires("write"), noon()));
    assert!(result.is_err());
    assert_eq!(verifier.take_usage(), []);
}

/// A permission that opens a part of an answer is needed, and neither a use nor taken from a limit.
#[test]
fn a_permission_besides_is_noted_and_is_no_use() {
    let store = store(0);
    let limit = RateLimit { limit: NonZeroU32::MIN, window: Duration::from_secs(60) };
    let permissions = ["read", "people", "more", "other"].into_iter().collect();
    let key = KeyRecord { permissions, rate_limits: limit.into(), ..record(0) };
    store.insert(issue(0).hash, key);
    let verifier = Verifier::new(store, VerifierOptions::default());
    let request = Request::requires("read");
    let grant = block_on(verifier.verify(issue(0).secret.expose(), &request, noon())).unwrap();
    assert!(grant.note("people") && grant.note("people") && grant.note("other"));
    assert!(!grant.note("write"));
    let usage = verifier.take_usage().remove(0);
    let counted = [("other", 1), ("people", 2), ("read", 1)].map(|(name, n)| (name.to_owned(), n));
    assert_eq!((usage.count, usage.last_used), (1, noon()));
    assert_eq!((usage.permissions, usage.superseded), (counted.into(), None));
    // After the use itself was taken, too.
    assert!(grant.note("more"));
    let usage = verifier.take_usage().remove(0);
    assert_eq!((usage.count, usage.last_used), (0, noon()));
    assert_eq!(usage.permissions, [("more".to_owned(), 1)].into());
    assert_eq!(verifier.take_usage(), []);
}

/// Whoever goes on with a dead secret is told apart from uses, in memory that does not grow with the attempts.
#[test]
fn attempts_with_a_dead_secret_are_counted_by_key() {
    let store = store(9);
    let change = |n: u64, change: fn(&mut KeyRecord)| {
        let mut changed = record(n);
        change(&mut changed);
        store.insert(issue(n).hash, changed);
    };
    change(1, |record| record.revoked_at = Some(noon()));
    change(2, |record| record.enabled = false);
    change(3, |record| record.expires_at = Some(noon()));
    change(4, |record| record.secret_ends_at = Some(noon()));
    change(5, |record| record.not_before = Some(noon() + Duration::from_secs(60)));
    change(6, |record| record.allowed_ips = AllowList::parse(["10.0.0.1"]).unwrap());
    let verifier = Verifier::new(store, VerifierOptions::default());
    let from: IpAddr = "2001:db8::7".parse().unwrap();
    let attempt = |n: u64, micros| {
        let request = Request::requires("write").from(from);
        let now = noon() + Duration::from_micros(micros);
        block_on(verifier.verify(issue(n).secret.expose(), &request, now)).unwrap_err()
    };
    // Neither the unknown 10 nor a key that lacks nothing but the time, the place or the permission.
    for n in [0, 1, 2, 3, 4, 5, 6, 10] {
        attempt(n, 1);
    }
    let counted = allocation_counter::measure(|| {
        let dead = issue(1);
        for _ in 0..9_998 {
            let now = noon() + Duration::from_micros(7);
            let request = Request::any().from(from);
            assert!(verifier.check(dead.secret.expose(), &request, now).unwrap().is_err());
        }
    });
    assert!(counted.count_total < 100, "{} allocations", counted.count_total);
    attempt(1, 9);
    let mut usage = verifier.take_usage();
    usage.sort_by_key(|usage| usage.key_id);
    let tally = |count, micros| UseTally {
        count,
        last_used: noon() + Duration::from_micros(micros),
        last_address: Some(from),
    };
    let expected = [(1, tally(10_000, 9)), (2, tally(1, 1)), (3, tally(1, 1)), (4, tally(1, 1))];
    let told: Vec<_> = usage.iter().map(|u| (u.key_id, u.count, u.refused)).collect();
    assert_eq!(told, expected.map(|(n, tally)| (record(n).id, 0, Some(tally))));
    assert_eq!(verifier.take_usage(), [], "once");

    // A flush that failed, and attempts since, of which the cache has forgotten the first.
    verifier.restore_usage(usage);
    attempt(1, 5);
    verifier.forget(record(1).id);
    attempt(1, 11);
    let again: Vec<_> = verifier.take_usage();
    let one = again.iter().find(|usage| usage.key_id == record(1).id).unwrap();
    assert_eq!((one.count, one.refused), (0, Some(tally(10_002, 11))));
}

/// Four threads use keys while others take, give back, forget and overflow a small cache: in the end every
/// grant was handed out exactly once.
#[test]
fn every_grant_is_handed_out_exactly_once() {
    let options = VerifierOptions { capacity: 20, ..VerifierOptions::default() };
    let verifier = Verifier::new(store(60), options);
    let keys: Vec<_> = (0..60).map(issue).collect();
    let (stop, mut written) = (AtomicBool::new(false), HashMap::new());
    std::thread::scope(|scope| {
        let users: Vec<_> = (0..4)
            .map(|thread| {
                let (verifier, keys) = (&verifier, &keys);
                scope.spawn(move || {
                    for n in 0..5_000 {
                        let key = &keys[(n * 7 + thread * 13) % 60];
                        block_on(verifier.verify(key.secret.expose(), &Request::any(), noon()))
                            .unwrap();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            for n in (0..60).cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                verifier.forget(record(n).id);
                if n == 0 {
                    verifier.forget_all();
                }
            }
        });
        let mut flush_fails = false;
        while users.iter().any(|user| !user.is_finished()) {
            let usage = verifier.take_usage();
            flush_fails = !flush_fails;
            if flush_fails {
                verifier.restore_usage(usage);
            } else {
                usage.iter().for_each(|u| *written.entry(u.key_id).or_insert(0) += u.count);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    verifier.take_usage().iter().for_each(|u| *written.entry(u.key_id).or_insert(0) += u.count);
    assert_eq!(written.values().sum::<u64>() + verifier.stats().usage_lost, 20_000);
    assert_eq!(verifier.stats().usage_lost, 0);
}
