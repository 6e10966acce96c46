//! (d) Ten thousand verifications of one key cause one read and one line to write.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::tools::{block_on, issue, noon, record, store};
use crate::{Request, Verifier, VerifierOptions};

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
