//! (e) Rotation never extends life, never revives, keeps "disabled", shares the limit, evicts at grace 0.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use super::tools::{block_on, issue, noon, record};
use crate::memory::MemoryStore;
use crate::{
    Denial, KeyRecord, RateLimit, Request, Verifier, VerifierOptions, VerifyError, rotate,
    secret_end,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// A verifier over one key with the secret 0, which has been used.
fn verifier(key: KeyRecord) -> Verifier<MemoryStore> {
    let store = MemoryStore::new();
    store.insert(issue(0).hash, key);
    let verifier = Verifier::new(store, VerifierOptions::default());
    drop(verify(&verifier, 0, noon()));
    verifier
}

/// Rotates from secret 0 to secret 1 the way the documentation says.
fn carry_out(verifier: &Verifier<MemoryStore>, key: &KeyRecord, grace: Duration) {
    let grace_until = rotate(key, noon(), grace).unwrap();
    let ends = Some(secret_end(key.secret_ends_at, grace_until));
    verifier.store().insert(issue(0).hash, KeyRecord { secret_ends_at: ends, ..key.clone() });
    verifier.store().insert(issue(1).hash, key.clone());
    verifier.forget(key.id);
}

fn verify(
    verifier: &Verifier<MemoryStore>,
    secret: u64,
    now: SystemTime,
) -> Result<crate::Grant, Denial> {
    block_on(verifier.verify(issue(secret).secret.expose(), &Request::any(), now)).map_err(
        |error| match error {
            VerifyError::Denied(denial) => denial,
            VerifyError::Store(never) => match *never {},
        },
    )
}

#[test]
fn both_secrets_work_until_the_grace_ends_to_the_instant() {
    let verifier = verifier(record(0));
    carry_out(&verifier, &record(0), HOUR);
    let last = noon() + HOUR - Duration::from_nanos(1);
    for now in [noon(), last] {
        let old = verify(&verifier, 0, now).unwrap();
        assert_eq!(old.superseded_at(), Some(noon() + HOUR), "the answer can warn its holder");
        assert_eq!(verify(&verifier, 1, now).unwrap().superseded_at(), None);
        assert_eq!(old.key_id(), record(0).id);
    }
    assert_eq!(verify(&verifier, 0, noon() + HOUR).unwrap_err(), Denial::Superseded);
    assert!(verify(&verifier, 1, noon() + HOUR).is_ok());
    let usage = verifier.take_usage();
    assert_eq!((usage.len(), usage[0].count), (1, 6));
    let old = usage[0].superseded.unwrap();
    assert_eq!((old.count, old.last_used), (2, noon() + HOUR - Duration::from_micros(1)));
}

#[test]
fn a_grace_of_zero_ends_the_old_secret_at_once() {
    let verifier = verifier(record(0));
    carry_out(&verifier, &record(0), Duration::ZERO);
    assert_eq!(verify(&verifier, 0, noon()).unwrap_err(), Denial::Superseded);
    assert!(verify(&verifier, 1, noon()).is_ok());
}

#[test]
fn the_new_secret_lives_no_longer_than_the_key() {
    let key = KeyRecord { expires_at: Some(noon() + HOUR), ..record(0) };
    let verifier = verifier(key.clone());
    carry_out(&verifier, &key, 5 * HOUR);
    for secret in [0, 1] {
        assert_eq!(verify(&verifier, secret, noon() + HOUR).unwrap_err(), Denial::Expired);
    }
}

#[test]
fn a_disabled_key_stays_disabled() {
    let key = KeyRecord { enabled: false, ..record(0) };
    let verifier = verifier(key.clone());
    carry_out(&verifier, &key, HOUR);
    for secret in [0, 1] {
        assert_eq!(verify(&verifier, secret, noon()).unwrap_err(), Denial::Disabled);
    }
}

#[test]
fn rotating_does_not_refill_the_limit() {
    let limit = RateLimit { limit: NonZeroU32::new(3).unwrap(), window: HOUR };
    let key = KeyRecord { rate_limits: limit.into(), ..record(0) };
    let verifier = verifier(key.clone());
    carry_out(&verifier, &key, HOUR);
    let passed = (0..10).filter(|n| verify(&verifier, n % 2, noon()).is_ok()).count();
    assert_eq!(passed, 2, "one of three was used before the rotation");
}
