//! A revocation is final when `forget` returns, whatever was under way.

use std::sync::atomic::{AtomicBool, Ordering};

use super::tools::{PausingStore, block_on, issue, noon, record, store};
use crate::{Denial, Request, Verifier, VerifierOptions, VerifyError};

fn denial<E: std::fmt::Debug>(result: Result<crate::Grant, VerifyError<E>>) -> Denial {
    match result {
        Err(VerifyError::Denied(denial)) => denial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_revoked_key_is_refused_at_once() {
    let verifier = Verifier::new(store(2), VerifierOptions::default());
    let keys = [issue(0), issue(1)];
    let verify =
        |n: usize| block_on(verifier.verify(keys[n].secret.expose(), &Request::any(), noon()));
    assert!(verify(0).is_ok() && verify(1).is_ok());
    verifier.store().update(record(0).id, |record| record.revoked_at = Some(noon()));
    verifier.forget(record(0).id);
    assert_eq!(denial(verify(0)), Denial::Revoked);
    assert!(verify(1).is_ok());
    assert_eq!(verifier.store().finds(), 3, "the other key stayed in memory");
    verifier.forget_all();
    assert_eq!(verifier.stats().entries, 0);
    assert!(verify(1).is_ok());
    assert_eq!(verifier.store().finds(), 4);
}

/// (g) A reader paused between SELECT and insert cannot resurrect a revoked key.
#[test]
fn a_paused_reader_cannot_bring_a_revoked_key_back() {
    for forget_all in [false, true] {
        let pausing = PausingStore::default();
        pausing.inner.insert(issue(0).hash, record(0));
        pausing.close();
        let verifier = Verifier::new(pausing, VerifierOptions::default());
        let key = issue(0);
        let verify = || block_on(verifier.verify(key.secret.expose(), &Request::any(), noon()));
        std::thread::scope(|scope| {
            let early = scope.spawn(verify);
            verifier.store().wait_for_held(1);
            // The reader has read the good record and is paused. Now the key is revoked.
            verifier.store().inner.update(record(0).id, |r| r.revoked_at = Some(noon()));
            if forget_all {
                verifier.forget_all();
            } else {
                verifier.forget(record(0).id);
            }
            // Whoever comes now must not wait for the old look-up but begin a new one.
            let late = scope.spawn(verify);
            verifier.store().wait_for_held(2);
            verifier.store().open();
            assert_eq!(denial(late.join().unwrap()), Denial::Revoked);
            // The early one began before the revocation; either answer would be right for it.
            drop(early.join().unwrap());
        });
        assert_eq!(denial(verify()), Denial::Revoked);
        assert_eq!(verifier.store().inner.finds(), 2);
        let usage = verifier.take_usage();
        assert_eq!(usage.iter().map(|u| u.count).sum::<u64>(), 1, "the early use was counted");
    }
}

#[test]
fn an_unknown_key_is_known_as_soon_as_it_is_made() {
    let verifier = Verifier::new(store(0), VerifierOptions::default());
    let key = issue(0);
    let verify = || block_on(verifier.verify(key.secret.expose(), &Request::any(), noon()));
    assert_eq!(denial(verify()), Denial::Unknown);
    assert_eq!(denial(verify()), Denial::Unknown);
    assert_eq!(verifier.stats().negative_hits, 1);
    verifier.store().insert(key.hash, record(0));
    verifier.forget(record(0).id);
    assert!(verify().is_ok());
}

/// Many threads verify while one revokes and readmits: whenever `forget` has returned, no answer is older.
#[test]
fn no_answer_is_older_than_the_last_forget() {
    let verifier = Verifier::new(store(1), VerifierOptions::default());
    let key = issue(0);
    let (stop, id) = (AtomicBool::new(false), record(0).id);
    let verify = || block_on(verifier.verify(key.secret.expose(), &Request::any(), noon()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(verify());
                }
            });
        }
        let wrong = (0..3_000).find(|round| {
            let revoke = round % 2 == 0;
            verifier.store().update(id, |record| record.revoked_at = revoke.then(noon));
            verifier.forget(id);
            verify().is_err() != revoke
        });
        // The others stop before the verdict, or a failure would leave them running for ever.
        stop.store(true, Ordering::Relaxed);
        assert_eq!(wrong, None, "the first round with an answer older than its forget");
    });
}
