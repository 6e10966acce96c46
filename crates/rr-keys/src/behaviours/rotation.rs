//! (e) Rotation never extends life, never revives, keeps "disabled", shares the limit, evicts at grace 0.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use super::tools::{block_on, issue, noon, record};
use crate::memory::MemoryStore;
use crate::{
    AllowList, Denial, KeyHash, KeyRecord, KeyStore, RateLimit, Request, Verifier, VerifierOptions,
    VerifyError, rotate, secret_end,
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

fn verify<S: KeyStore<Error = Infallible>>(
    verifier: &Verifier<S>,
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

/// A rotation that begins on the first use of secret 1.
fn prepare(verifier: &Verifier<MemoryStore>, key: &KeyRecord, grace: Duration) {
    verifier.store().insert_pending(issue(1).hash, key.clone(), grace);
    verifier.forget(key.id);
}

#[test]
fn the_old_secret_works_until_the_new_one_was_used_and_the_grace_is_over() {
    let verifier = verifier(record(0));
    prepare(&verifier, &record(0), HOUR);
    let week = noon() + 168 * HOUR;
    assert_eq!(verify(&verifier, 0, week).unwrap().superseded_at(), None, "nothing has an end yet");
    assert_eq!(verify(&verifier, 1, week).unwrap().superseded_at(), None);
    let old = verify(&verifier, 0, week).unwrap();
    assert_eq!(old.superseded_at(), Some(week + HOUR), "counted from the first use");
    let pass = verifier.check(issue(0).secret.expose(), &Request::any(), week).unwrap().unwrap();
    assert_eq!(pass.superseded_at(), old.superseded_at(), "without its record, too");
    let last = week + HOUR - Duration::from_nanos(1);
    for secret in [1, 0] {
        assert!(verify(&verifier, secret, last).is_ok(), "later uses move nothing");
    }
    assert_eq!(verify(&verifier, 0, week + HOUR).unwrap_err(), Denial::Superseded);
    assert!(verify(&verifier, 1, week + HOUR).is_ok());
    let usage = verifier.take_usage();
    assert_eq!((usage[0].count, usage[0].superseded.unwrap().count), (8, 3));
}

#[test]
fn a_first_use_with_a_grace_of_zero_is_final_before_its_answer() {
    let verifier = verifier(record(0));
    prepare(&verifier, &record(0), Duration::ZERO);
    assert!(verify(&verifier, 0, noon()).is_ok());
    assert!(verify(&verifier, 1, noon()).is_ok());
    assert_eq!(verify(&verifier, 0, noon()).unwrap_err(), Denial::Superseded);
}

#[test]
fn only_the_first_use_of_a_pending_secret_is_not_answered_from_memory() {
    let verifier = verifier(record(0));
    prepare(&verifier, &record(0), HOUR);
    let new = issue(1).secret;
    let check = || verifier.check(new.expose(), &Request::any(), noon());
    assert!(check().is_none());
    let missing = block_on(verifier.verify(new.expose(), &Request::requires("write"), noon()));
    assert!(missing.is_err());
    assert!(check().is_none(), "a refusal is no use");
    let write = verifier.check(new.expose(), &Request::requires("write"), noon());
    assert_eq!(write.unwrap().unwrap_err().code(), "insufficient_scope", "and needs no store");
    assert_eq!(verify(&verifier, 0, noon()).unwrap().superseded_at(), None);
    verify(&verifier, 1, noon()).unwrap();
    let finds = verifier.store().finds();
    assert!(check().unwrap().is_ok());
    assert_eq!(verifier.store().finds(), finds);
}

#[test]
fn a_pending_secret_revives_nothing_and_ends_nothing_of_a_key_that_does_not_work() {
    let elsewhere = AllowList::parse(["10.0.0.0/8"]).unwrap();
    for (key, denial) in [
        (KeyRecord { expires_at: Some(noon()), ..record(0) }, Denial::Expired),
        (KeyRecord { revoked_at: Some(noon()), ..record(0) }, Denial::Revoked),
        (KeyRecord { enabled: false, ..record(0) }, Denial::Disabled),
        (KeyRecord { allowed_ips: elsewhere, ..record(0) }, Denial::AddressNotAllowed),
    ] {
        let verifier = verifier(key.clone());
        prepare(&verifier, &key, Duration::ZERO);
        let finds = verifier.store().finds();
        for secret in [1, 0, 1].into_iter().cycle().take(30) {
            assert_eq!(verify(&verifier, secret, noon()).unwrap_err(), denial);
        }
        assert_eq!(verifier.store().finds(), finds + 2, "each secret is looked up once");
    }
    let ends = KeyRecord { expires_at: Some(noon() + HOUR), ..record(0) };
    let verifier = verifier(ends.clone());
    prepare(&verifier, &ends, 5 * HOUR);
    verify(&verifier, 1, noon()).unwrap();
    let old = verify(&verifier, 0, noon()).unwrap();
    assert_eq!(old.superseded_at(), Some(noon() + HOUR), "not past the key's own end");
}

#[test]
fn a_pending_secret_that_was_refused_is_used_first_when_it_is_good() {
    let start = noon() + Duration::from_secs(10);
    let verifier = verifier(record(0));
    let key = KeyRecord { not_before: Some(start), ..record(0) };
    prepare(&verifier, &key, Duration::ZERO);
    assert_eq!(verify(&verifier, 1, noon()).unwrap_err(), Denial::NotYetValid);
    assert!(verify(&verifier, 1, start).is_ok());
    assert_eq!(verify(&verifier, 0, start).unwrap_err(), Denial::Superseded);
}

/// A store that commits a first use and whose answer is slow to come.
struct Slow(MemoryStore);

impl KeyStore for Slow {
    type Error = Infallible;

    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, Infallible>> + Send {
        self.0.find(hash)
    }

    async fn activate(&self, hash: KeyHash, now: SystemTime) -> Result<bool, Infallible> {
        self.0.activate(hash, now).await?;
        std::future::pending().await
    }
}

#[test]
fn a_first_use_whose_caller_hangs_up_ends_the_old_secret_too() {
    let store = Slow(MemoryStore::new());
    store.0.insert(issue(0).hash, record(0));
    store.0.insert_pending(issue(1).hash, record(0), Duration::ZERO);
    let options = VerifierOptions { max_age: None, ..VerifierOptions::default() };
    let verifier = Verifier::new(store, options);
    assert!(verify(&verifier, 0, noon()).is_ok());
    {
        let (new, request) = (issue(1).secret, Request::any());
        let mut first_use = pin!(verifier.verify(new.expose(), &request, noon()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first_use.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(verify(&verifier, 0, noon()).unwrap_err(), Denial::Superseded);
    assert!(verify(&verifier, 1, noon()).is_ok());
}

#[test]
fn a_first_use_does_not_refill_the_limit() {
    let limit = RateLimit { limit: NonZeroU32::new(3).unwrap(), window: HOUR };
    let key = KeyRecord { rate_limits: limit.into(), ..record(0) };
    let verifier = verifier(key.clone());
    prepare(&verifier, &key, HOUR);
    let passed = (0..10).filter(|n| verify(&verifier, n % 2, noon()).is_ok()).count();
    assert_eq!(passed, 2, "one of three was used before");
}
