//! Limits as a caller meets them.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::tools::{block_on, issue, noon, record, store};
use crate::memory::MemoryStore;
use crate::{
    Denial, KeyRecord, RateLimit, RateLimits, Request, Verifier, VerifierOptions, VerifyError,
};

fn per_minute(limit: u32) -> RateLimit {
    RateLimit { limit: NonZeroU32::new(limit).unwrap(), window: Duration::from_secs(60) }
}

fn limited(limit: u32) -> Verifier<MemoryStore> {
    let store = store(0);
    store.insert(issue(0).hash, KeyRecord { rate_limits: per_minute(limit).into(), ..record(0) });
    Verifier::new(store, VerifierOptions::default())
}

#[test]
fn the_answer_says_what_is_left_and_when_to_come_back() {
    let verifier = limited(2);
    let key = issue(0);
    let verify = || block_on(verifier.verify(key.secret.expose(), &Request::any(), noon()));
    let limits = verify().unwrap().rate_limits().unwrap();
    assert_eq!(limits.rate_limit(), "\"default\";r=1;t=30");
    assert_eq!(limits.rate_limit_policy(), "\"default\";q=2;w=60");
    let pass = verifier.check(key.secret.expose(), &Request::any(), noon()).unwrap().unwrap();
    assert_eq!(pass.rate_limits().unwrap().rate_limit(), "\"default\";r=0;t=60");
    let Err(VerifyError::Denied(denial)) = verify() else { panic!("two a minute") };
    assert_eq!((denial.code(), denial.http_status()), ("rate_limited", 429));
    assert_eq!(denial.retry_after(), Some(Duration::from_secs(30)));
    let Denial::RateLimited { limits, .. } = denial else { panic!() };
    assert_eq!(limits.rate_limit(), "\"default\";r=0;t=60");
}

/// (c) as a whole: through the verifier, from many threads, across eviction and change.
#[test]
fn concurrent_verifications_are_exact_whatever_the_cache_does() {
    let verifier = limited(500);
    let key = issue(0);
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for n in 0..400 {
                    if n % 50 == 0 {
                        verifier.forget(record(0).id);
                    }
                    let result =
                        block_on(verifier.verify(key.secret.expose(), &Request::any(), noon()));
                    passed.fetch_add(usize::from(result.is_ok()), Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| (0..200).for_each(|_| verifier.restore_usage(verifier.take_usage())));
    });
    assert_eq!(passed.into_inner(), 500);
    assert_eq!(verifier.take_usage()[0].count, 500);
}

#[test]
fn two_secrets_of_one_key_share_its_limit() {
    let verifier = limited(4);
    verifier
        .store()
        .insert(issue(1).hash, KeyRecord { rate_limits: per_minute(4).into(), ..record(0) });
    let passed = (0..10)
        .filter(|n| {
            let key = issue(n % 2);
            block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).is_ok()
        })
        .count();
    assert_eq!(passed, 4);
    assert_eq!(verifier.take_usage().len(), 1, "usage is the key's, not the secret's");
}

#[test]
fn a_refused_request_costs_nothing() {
    let verifier = limited(1);
    let key = issue(0);
    for _ in 0..10 {
        let lacks = Request::requires("write");
        let result = block_on(verifier.verify(key.secret.expose(), &lacks, noon()));
        assert!(matches!(result, Err(VerifyError::Denied(Denial::MissingPermission { .. }))));
    }
    assert!(block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).is_ok());
}

#[test]
fn every_window_must_have_room() {
    let store = store(0);
    let burst = RateLimit { limit: NonZeroU32::new(2).unwrap(), window: Duration::from_secs(1) };
    let windows =
        [("burst".parse().unwrap(), burst), ("sustained".parse().unwrap(), per_minute(3))];
    let rate_limits = RateLimits::new(windows).unwrap();
    store.insert(issue(0).hash, KeyRecord { rate_limits, ..record(0) });
    let verifier = Verifier::new(store, VerifierOptions::default());
    let key = issue(0);
    let verify = |after: Duration| {
        block_on(verifier.verify(key.secret.expose(), &Request::any(), noon() + after))
    };
    let denied = |after| match verify(after) {
        Err(VerifyError::Denied(Denial::RateLimited { retry_after, limits })) => {
            (retry_after, limits)
        }
        other => panic!("{other:?}"),
    };
    let (none, moment) = (Duration::ZERO, Duration::from_millis(600));
    let limits = verify(none).unwrap().rate_limits().unwrap();
    assert_eq!(limits.rate_limit(), "\"burst\";r=1;t=1, \"sustained\";r=2;t=20");
    assert_eq!(limits.rate_limit_policy(), "\"burst\";q=2;w=1, \"sustained\";q=3;w=60");
    verify(none).unwrap();
    let (wait, limits) = denied(none);
    assert_eq!(wait, Duration::from_millis(500));
    assert_eq!(limits.rate_limit(), "\"burst\";r=0;t=1, \"sustained\";r=1;t=40");
    verify(moment).unwrap();
    // Now the other refuses alone, and for longer.
    let (wait, limits) = denied(2 * moment);
    assert_eq!(wait, Duration::from_millis(18_800));
    assert_eq!(limits.rate_limit(), "\"burst\";r=1;t=1, \"sustained\";r=0;t=59");
}

/// (c) also for callers that show no secret: whoever vouches for a key takes from its limits and is counted.
#[test]
fn a_key_that_is_vouched_for_is_the_same_key() {
    let verifier = limited(3);
    let key = issue(0);
    let stored = || KeyRecord { rate_limits: per_minute(3).into(), ..record(0) };
    let verify = || block_on(verifier.verify(key.secret.expose(), &Request::any(), noon()));
    let vouch = |record| verifier.vouch(record, &Request::any(), noon());
    verify().unwrap();
    assert_eq!(
        vouch(stored()).unwrap().rate_limits().unwrap().rate_limit(),
        "\"default\";r=1;t=40"
    );
    let revoked = KeyRecord { revoked_at: Some(noon()), ..stored() };
    assert_eq!(vouch(revoked).unwrap_err(), Denial::Revoked, "from now on");
    verify().unwrap();
    assert_eq!(vouch(stored()).unwrap_err().code(), "rate_limited");
    let usage = verifier.take_usage();
    assert_eq!((usage.len(), usage[0].count), (1, 3), "{usage:?}");
    verifier.forget(record(0).id);
    assert_eq!(verifier.stats().entries, 0);
    assert!(verifier.take_usage().is_empty(), "each use is handed out once");
}
