//! What a verification and a cached key cost in memory, counted and not timed.

use std::num::NonZeroU32;
use std::time::Duration;

use allocation_counter::measure;

use super::tools::{block_on, issue, noon, record, store};
use crate::{
    KeyFormat, KeyRecord, QuotaPeriod, Quotas, RateLimit, Request, Verifier, VerifierOptions,
};

#[test]
fn the_warm_path_allocates_nothing() {
    let store = store(1);
    let window = Duration::from_secs(60);
    let limit = RateLimit { limit: NonZeroU32::new(1_000_000).unwrap(), window };
    let quotas = Quotas::new(QuotaPeriod::ALL.map(|period| (period, NonZeroU32::MAX)));
    store.insert(issue(1).hash, KeyRecord { rate_limits: limit.into(), quotas, ..record(1) });
    let verifier = Verifier::new(store, VerifierOptions::default());
    let request =
        Request::requires("read").from("2001:db8::1".parse::<std::net::IpAddr>().unwrap());
    for n in [0, 1] {
        let key = issue(n);
        let text = key.secret.expose();
        block_on(verifier.verify(text, &request, noon())).unwrap();
        let counted = measure(|| {
            for _ in 0..1_000 {
                let pass = verifier.check(text, &request, noon()).unwrap().unwrap();
                let grant = verifier.try_verify(text, &request, noon()).unwrap().unwrap();
                assert_eq!((grant.record().name.len(), grant.key_id()), (5, pass.key_id()));
            }
        });
        assert_eq!(counted.count_total, 0, "key {n}");
        // One executor's waker is allocated by the test's own block_on, so the future is polled by hand.
        let counted = measure(|| {
            let mut future = std::pin::pin!(verifier.verify(text, &request, noon()));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_ready());
        });
        assert_eq!(counted.count_total, 0, "key {n}, as a future");
    }
}

#[test]
fn garbage_is_refused_without_allocation() {
    let verifier = Verifier::new(store(0), VerifierOptions::default());
    let garbage = ["", "Bearer", "rr_", &format!("rr_{}", "0".repeat(36)), &"x".repeat(1 << 20)];
    let counted = measure(|| {
        for text in garbage {
            assert!(KeyFormat::REVENUE_RIPPLE.parse(text).is_err());
            assert!(verifier.check(text, &Request::any(), noon()).unwrap().is_err());
        }
    });
    assert_eq!(counted.count_total, 0);
}

/// Besides the record with its texts: the entry, its place in the table, its line in the directory.
#[test]
fn a_cached_key_costs_at_most_200_bytes_besides_its_record() {
    const KEYS: u64 = 50_000;
    let store = store(KEYS);
    let texts: Vec<_> = (0..KEYS).map(|n| issue(n).secret).collect();
    let records = measure(|| {
        let records: Vec<KeyRecord> = (0..KEYS).map(record).collect();
        std::mem::forget(records);
    });
    let cached = measure(|| {
        let options =
            VerifierOptions { capacity: 50_000, unknown_capacity: 1, ..VerifierOptions::default() };
        let verifier = Verifier::new(store, options);
        for text in &texts {
            block_on(verifier.verify(text.expose(), &Request::any(), noon())).unwrap();
        }
        std::mem::forget(verifier);
    });
    let bytes = (cached.bytes_current - records.bytes_current) / 50_000;
    assert!((100..=200).contains(&bytes), "{bytes} bytes for each key");
}
