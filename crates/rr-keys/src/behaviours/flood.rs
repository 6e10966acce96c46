//! (k) A flood of unknown keys neither asks the store beyond a budget nor pushes hot keys out.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use super::tools::{TestKey, block_on, issue, noon, store};
use crate::memory::MemoryStore;
use crate::{
    Denial, Grant, HashScheme, RateLimit, Request, Verifier, VerifierOptions, VerifyError,
};

fn per_second(limit: u32) -> Option<RateLimit> {
    Some(RateLimit { limit: NonZeroU32::new(limit).unwrap(), window: Duration::from_secs(1) })
}

#[test]
fn a_flood_of_unknown_keys_stays_within_its_budget() {
    let options = VerifierOptions {
        capacity: 16,
        unknown_budget: per_second(50),
        unknown_budget_per_address: None,
        ..VerifierOptions::default()
    };
    let verifier = Verifier::new(store(16), options);
    let hot: Vec<_> = (0..16).map(issue).collect();
    for key in &hot {
        block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).unwrap();
    }
    let mut throttled = 0;
    for n in 1_000..6_000 {
        match block_on(verifier.verify(issue(n).secret.expose(), &Request::any(), noon())) {
            Err(VerifyError::Denied(Denial::Unknown)) => {}
            Err(VerifyError::Denied(denial @ Denial::TooManyUnknown { .. })) => {
                assert_eq!((denial.http_status(), denial.code()), (429, "too_many_attempts"));
                assert_eq!(denial.retry_after(), Some(Duration::from_millis(20)));
                throttled += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((verifier.store().finds(), throttled), (16 + 50, 4_950));
    for key in &hot {
        assert!(
            verifier.check(key.secret.expose(), &Request::any(), noon()).is_some(),
            "still hot"
        );
    }
    assert_eq!(verifier.stats().throttled, 4_950);
    let later = noon() + Duration::from_millis(20);
    let again = block_on(verifier.verify(issue(7_000).secret.expose(), &Request::any(), later));
    assert!(matches!(again, Err(VerifyError::Denied(Denial::Unknown))), "the wait was long enough");
}

/// A verifier whose store sees 50 questions for unknown keys a second, and something to spend them all.
fn flooded(keys: u64) -> (Verifier<MemoryStore>, impl Fn(&Verifier<MemoryStore>, SystemTime)) {
    let options = VerifierOptions {
        capacity: 50,
        unknown_budget: per_second(50),
        unknown_budget_per_address: None,
        ..VerifierOptions::default()
    };
    let strangers: Vec<_> = (1_000..1_100).map(issue).collect();
    let flood = move |verifier: &Verifier<MemoryStore>, now| {
        let throttled = strangers
            .iter()
            .filter(|key| matches!(verify(verifier, key, now), Err(Denial::TooManyUnknown { .. })));
        assert_eq!(throttled.count(), 50);
    };
    (Verifier::new(store(keys), options), flood)
}

fn verify(
    verifier: &Verifier<MemoryStore>,
    key: &TestKey,
    now: SystemTime,
) -> Result<Grant, Denial> {
    block_on(verifier.verify(key.secret.expose(), &Request::any(), now)).map_err(|e| match e {
        VerifyError::Denied(denial) => denial,
        VerifyError::Store(never) => match *never {},
    })
}

/// A key of which there is a record need not win a place among the strangers: not when that is too old to be
/// believed, and not when it was forgotten.
#[test]
fn a_flood_keeps_no_known_key_out() {
    let (verifier, flood) = flooded(50);
    let known: Vec<_> = (0..50).map(issue).collect();
    for key in &known {
        verify(&verifier, key, noon()).unwrap();
    }
    for seconds in [0, 61, 122, 183] {
        let now = noon() + Duration::from_secs(seconds);
        flood(&verifier, now);
        if seconds == 122 {
            verifier.forget_all();
        }
        for (n, key) in known.iter().enumerate() {
            assert!(verify(&verifier, key, now).is_ok(), "key {n} after {seconds} s");
        }
    }
}

#[test]
fn a_key_that_the_store_has_no_more_is_a_stranger() {
    let (verifier, flood) = flooded(1);
    let key = issue(0);
    verify(&verifier, &key, noon()).unwrap();
    verifier.store().remove(key.hash);
    let at = |seconds| noon() + Duration::from_secs(seconds);
    flood(&verifier, at(61));
    assert_eq!(verify(&verifier, &key, at(61)).unwrap_err(), Denial::Unknown, "asked once more");
    assert_eq!(verifier.stats().entries, 0);
    flood(&verifier, at(122));
    let throttled = verify(&verifier, &key, at(122)).unwrap_err();
    assert!(matches!(throttled, Denial::TooManyUnknown { .. }), "{throttled:?}");
}

/// A key that nobody issued is looked for under every scheme, and each of these is a question to the store.
#[test]
fn the_budget_counts_questions_and_not_keys() {
    let options = VerifierOptions {
        older_schemes: vec![
            HashScheme::sha512(),
            HashScheme::hmac_sha256(b"the pepper of last year").unwrap(),
        ],
        unknown_budget: per_second(50),
        unknown_budget_per_address: None,
        ..VerifierOptions::default()
    };
    let verifier = Verifier::new(store(1), options);
    for n in 1_000..2_000 {
        let _ = block_on(verifier.verify(issue(n).secret.expose(), &Request::any(), noon()));
    }
    assert_eq!((verifier.store().finds(), verifier.stats().throttled), (48, 1_000 - 16));
}

#[test]
fn one_unknown_key_repeated_asks_once() {
    let verifier = Verifier::new(store(0), VerifierOptions::default());
    for _ in 0..10_000 {
        let result = block_on(verifier.verify(issue(1).secret.expose(), &Request::any(), noon()));
        assert!(matches!(result, Err(VerifyError::Denied(Denial::Unknown))));
    }
    assert_eq!((verifier.store().finds(), verifier.stats().negative_hits), (1, 9_999));
}

#[test]
fn one_address_cannot_shut_the_door_for_others() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let from = |address: &str| Request::any().from(address.parse::<IpAddr>().unwrap());
    for n in 1_000..3_000 {
        let _ = block_on(verifier.verify(issue(n).secret.expose(), &from("192.0.2.1"), noon()));
    }
    assert_eq!(verifier.store().finds(), 200);
    let good = issue(0);
    let blocked = block_on(verifier.verify(good.secret.expose(), &from("192.0.2.1"), noon()));
    assert!(matches!(blocked, Err(VerifyError::Denied(Denial::TooManyUnknown { .. }))));
    // Addresses share buckets by chance: one may have the ill luck, and not all of these.
    let mut others = (2..10).map(|number| format!("192.0.2.{number}"));
    assert!(others.any(|other| {
        block_on(verifier.verify(good.secret.expose(), &from(&other), noon())).is_ok()
    }));
}

#[test]
fn garbage_never_gets_as_far_as_the_store() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let key = issue(0).secret.expose().to_owned();
    for garbage in
        ["", "rr_", "Bearer", &key[1..], &key[..38], &key.to_lowercase(), &"x".repeat(1 << 20)]
    {
        let result = block_on(verifier.verify(garbage, &Request::any(), noon()));
        assert!(matches!(result, Err(VerifyError::Denied(Denial::Malformed))), "{garbage:.40}");
    }
    assert_eq!(verifier.store().finds(), 0);
}
