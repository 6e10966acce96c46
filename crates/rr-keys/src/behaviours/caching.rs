//! When the store is asked, and when not.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::tools::{BrokenStore, PausingStore, block_on, issue, noon, record, store};
use crate::{
    Denial, KeyFormat, KeyHash, KeyRecord, KeyStore, Request, Verifier, VerifierOptions,
    VerifyError,
};

#[test]
fn a_key_is_read_once_and_then_answered_from_memory() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let key = issue(0);
    assert!(verifier.check(key.secret.expose(), &Request::any(), noon()).is_none());
    for _ in 0..100 {
        let grant =
            block_on(verifier.verify(key.secret.expose(), &Request::requires("read"), noon()))
                .unwrap();
        assert_eq!(grant.record().name, "key 0");
        assert_eq!(grant.rate_limits(), None);
    }
    assert!(verifier.check(key.secret.expose(), &Request::any(), noon()).unwrap().is_ok());
    let stats = verifier.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (100, 1, 1));
    assert_eq!(verifier.store().finds(), 1);
}

#[test]
fn many_at_once_ask_the_store_once() {
    let pausing = PausingStore::default();
    pausing.inner.insert(issue(0).hash, record(0));
    pausing.close();
    let verifier = Verifier::new(pausing, VerifierOptions::default());
    let key = issue(0);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..32)
            .map(|_| {
                scope.spawn(|| {
                    block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).is_ok()
                })
            })
            .collect();
        verifier.store().wait_for_held(1);
        verifier.store().open();
        assert!(callers.into_iter().all(|caller| caller.join().unwrap()));
    });
    assert_eq!(verifier.store().inner.finds(), 1);
    assert_eq!(verifier.take_usage()[0].count, 32);
}

/// A store that never answers.
struct Silent;

impl KeyStore for Silent {
    type Error = std::convert::Infallible;

    async fn find(&self, _: KeyHash) -> Result<Option<KeyRecord>, Self::Error> {
        std::future::pending().await
    }
}

#[test]
fn a_caller_that_hangs_up_hands_the_look_up_to_the_next() {
    let verifier = Verifier::new(Silent, VerifierOptions::default());
    let key = issue(0);
    let mut context = Context::from_waker(Waker::noop());
    let request = Request::any();
    let mut follower = pin!(verifier.verify(key.secret.expose(), &request, noon()));
    {
        let mut leader = pin!(verifier.verify(key.secret.expose(), &request, noon()));
        assert!(leader.as_mut().poll(&mut context).is_pending());
        assert!(follower.as_mut().poll(&mut context).is_pending());
        assert_eq!(verifier.stats().misses, 1, "the follower waits");
    }
    assert!(matches!(follower.as_mut().poll(&mut context), Poll::Pending));
    assert_eq!(verifier.stats().misses, 2, "the follower leads now");
}

#[test]
fn a_broken_store_is_said_to_be_broken_and_asked_again() {
    let verifier = Verifier::new(BrokenStore::default(), VerifierOptions::default());
    let key = issue(0);
    for n in 1..=5_000 {
        let error =
            block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).unwrap_err();
        assert!(matches!(&error, VerifyError::Store(_)), "failures cost no budget");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is on fire");
        assert_eq!(verifier.store().finds.load(Ordering::Relaxed), n);
    }
}

#[test]
fn a_key_in_memory_ends_on_the_instant() {
    let store = store(0);
    let end = noon() + Duration::from_secs(5);
    store.insert(issue(0).hash, KeyRecord { expires_at: Some(end), ..record(0) });
    let verifier = Verifier::new(store, VerifierOptions::default());
    let key = issue(0);
    let at = |now| block_on(verifier.verify(key.secret.expose(), &Request::any(), now));
    assert!(at(noon()).is_ok());
    assert!(at(end - Duration::from_nanos(1)).is_ok());
    assert!(matches!(at(end), Err(VerifyError::Denied(Denial::Expired))));
    assert_eq!(verifier.store().finds(), 1);
}

/// (f) A change made elsewhere, of which no word ever came, is noticed within the stated time.
#[test]
fn a_record_is_believed_for_the_stated_time_and_no_longer() {
    let options =
        VerifierOptions { max_age: Some(Duration::from_secs(60)), ..VerifierOptions::default() };
    let verifier = Verifier::new(store(1), options);
    let key = issue(0);
    let at = |now| block_on(verifier.verify(key.secret.expose(), &Request::any(), now));
    assert!(at(noon()).is_ok());
    verifier.store().update(record(0).id, |record| record.revoked_at = Some(noon()));
    assert!(at(noon() + Duration::from_secs(60)).is_ok());
    // Nine idle minutes later the first request already sees it; so does one after the clock was set back.
    for now in [noon() + Duration::from_secs(61), noon() + Duration::from_secs(600)] {
        assert!(matches!(at(now), Err(VerifyError::Denied(Denial::Revoked))));
    }
    assert_eq!(verifier.stats().entries, 1, "the newer record took the place of the older");
}

#[test]
fn a_clock_set_back_does_not_make_a_record_live_for_ages() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let key = issue(0);
    let at = |now| block_on(verifier.verify(key.secret.expose(), &Request::any(), now)).is_ok();
    assert!(at(noon()));
    assert!(at(noon() - Duration::from_millis(900)), "two threads that read the clock apart");
    assert_eq!(verifier.store().finds(), 1);
    assert!(at(noon() - Duration::from_secs(3_600)));
    assert_eq!(verifier.store().finds(), 2);
}

#[test]
fn a_small_cache_stays_small_and_answers_right() {
    let options = VerifierOptions { capacity: 8, ..VerifierOptions::default() };
    let verifier = Verifier::new(store(500), options);
    let keys: Vec<_> = (0..500).map(issue).collect();
    for _ in 0..3 {
        for (n, key) in keys.iter().enumerate() {
            let grant =
                block_on(verifier.verify(key.secret.expose(), &Request::any(), noon())).unwrap();
            assert_eq!(grant.record().name, format!("key {n}"));
        }
    }
    assert!(verifier.stats().entries <= 20);
    let usage = verifier.take_usage();
    assert_eq!(usage.len(), 500);
    assert_eq!(usage.iter().map(|u| u.count).sum::<u64>(), 1_500);
}

#[test]
fn any_executor_will_do() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let verifier = std::sync::Arc::new(Verifier::new(store(16), VerifierOptions::default()));
    let tasks: Vec<_> = (0..400)
        .map(|n| {
            let verifier = std::sync::Arc::clone(&verifier);
            runtime.spawn(async move {
                let key = issue(n % 16);
                verifier
                    .verify(key.secret.expose(), &Request::requires("read"), noon())
                    .await
                    .is_ok()
            })
        })
        .collect();
    for task in tasks {
        assert!(runtime.block_on(task).unwrap());
    }
    assert_eq!(verifier.take_usage().iter().map(|usage| usage.count).sum::<u64>(), 400);
}

#[test]
fn another_format_is_another_door() {
    let format = KeyFormat::new("acme_").unwrap();
    let options = VerifierOptions { format, ..VerifierOptions::default() };
    let verifier = Verifier::new(store(1), options);
    let denied = verifier.check(issue(0).secret.expose(), &Request::any(), noon()).unwrap();
    assert_eq!(denied.unwrap_err(), Denial::Malformed);
    assert_eq!(verifier.store().finds(), 0);
}
