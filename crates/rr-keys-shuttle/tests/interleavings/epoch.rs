//! (g) A reader paused anywhere cannot bring back what was taken away.

use std::sync::Arc;

use rr_keys_shuttle::{Denial, Issued, KeyRecord, Request, Verifier};
use shuttle::thread;
use uuid::Uuid;

use crate::tools::{
    KEY, NOW, Rows, admitted, explore, hash, issue, readers, record, verifier, verify,
};

/// A change is written, then told to the verifier; from then on `expected` must hold, whoever read before.
fn after_a_change(
    verifier: &Arc<Verifier<Rows>>,
    readers: Vec<thread::JoinHandle<bool>>,
    tell: impl FnOnce(&Verifier<Rows>),
    expected: &[(&Issued, Result<(), Denial>)],
) {
    tell(verifier);
    for (issued, expected) in expected {
        assert_eq!(
            verify(verifier, issued).map(drop),
            *expected,
            "as soon as the call has returned"
        );
    }
    admitted(readers);
    for (issued, expected) in expected {
        assert_eq!(
            verify(verifier, issued).map(drop),
            *expected,
            "after every reader has come home"
        );
    }
}

fn revocation(tell: fn(&Verifier<Rows>)) {
    let key = issue(1);
    let verifier = verifier(&[(&key, record())]);
    let readers = readers(&verifier, &[&key, &key]);
    verifier.store().write(|rows| rows[0].1.revoked_at = Some(NOW));
    let tell = |verifier: &Verifier<Rows>| {
        tell(verifier);
        let checked = verifier.check(key.secret.expose(), &Request::any(), NOW);
        assert!(checked.is_none_or(|judged| judged.is_err()), "nor by memory alone");
    };
    after_a_change(&verifier, readers, tell, &[(&key, Err(Denial::Revoked))]);
}

#[test]
fn a_revoked_key_stays_revoked() {
    explore(|| revocation(|verifier| verifier.forget(KEY)));
}

#[test]
fn it_stays_so_when_everything_is_forgotten() {
    explore(|| revocation(|verifier| verifier.forget_all()));
}

#[test]
fn a_replaced_secret_stays_replaced_and_the_new_one_works() {
    explore(|| {
        let (old, new) = (issue(1), issue(2));
        let verifier = verifier(&[(&old, record())]);
        let readers = readers(&verifier, &[&old, &new]);
        verifier.store().write(|rows| {
            rows[0].1.secret_ends_at = Some(NOW);
            rows.push((hash(&new), record()));
        });
        let expected = [(&old, Err(Denial::Superseded)), (&new, Ok(()))];
        after_a_change(&verifier, readers, |verifier| verifier.forget(KEY), &expected);
    });
}

#[test]
fn a_first_use_of_the_new_secret_ends_the_old_one() {
    explore(|| {
        let (old, new) = (issue(1), issue(2));
        let pending = KeyRecord { secret_pending: true, ..record() };
        let verifier = verifier(&[(&old, record()), (&new, pending)]);
        let readers = readers(&verifier, &[&old, &old]);
        let expected = [(&old, Err(Denial::Superseded)), (&new, Ok(()))];
        let use_it = |verifier: &Verifier<Rows>| drop(verify(verifier, &new).unwrap());
        after_a_change(&verifier, readers, use_it, &expected);
    });
}

#[test]
fn two_changes_at_once_are_both_seen() {
    explore(|| {
        let (one, two) = (issue(1), issue(2));
        let other = KeyRecord { id: Uuid::from_u128(2), ..record() };
        let verifier = verifier(&[(&one, record()), (&two, other.clone())]);
        let readers = readers(&verifier, &[&one, &two]);
        let switch_off = {
            let verifier = Arc::clone(&verifier);
            thread::spawn(move || {
                verifier.store().write(|rows| rows[1].1.enabled = false);
                verifier.forget(other.id);
            })
        };
        verifier.store().write(|rows| rows[0].1.expires_at = Some(NOW));
        let expected = [(&one, Err(Denial::Expired))];
        after_a_change(&verifier, readers, |verifier| verifier.forget(KEY), &expected);
        switch_off.join().unwrap();
        assert_eq!(verify(&verifier, &two).err(), Some(Denial::Disabled));
    });
}

#[test]
fn every_use_is_counted_once_whatever_is_forgotten() {
    explore(|| {
        let key = issue(1);
        let verifier = verifier(&[(&key, record())]);
        let readers = readers(&verifier, &[&key, &key]);
        let checker = checker(&verifier, key.secret.expose());
        verifier.forget(KEY);
        let mut counted: u64 = verifier.take_usage().iter().map(|usage| usage.count).sum();
        assert_eq!(admitted(readers), 2);
        let checked = u64::try_from(checker.join().unwrap()).unwrap();
        counted += verifier.take_usage().iter().map(|usage| usage.count).sum::<u64>();
        assert_eq!(counted, 2 + checked);
        assert_eq!(verifier.take_usage(), []);
    });
}

/// A key whose slot is taken by another while it is looked at: no use may be lost, nor counted for the other.
#[test]
fn a_use_is_counted_for_its_own_key_whoever_takes_the_slot() {
    explore(|| {
        // As many as have a place at this capacity, and one too many.
        let keys: Vec<Issued> = (1..=9).map(issue).collect();
        let own = |n: u128| KeyRecord { id: Uuid::from_u128(n), ..record() };
        let rows: Vec<_> = keys.iter().zip((1..).map(own)).collect();
        let verifier = verifier(&rows);
        let (newcomer, known) = keys.split_last().unwrap();
        known.iter().for_each(|key| drop(verify(&verifier, key).unwrap()));
        let mut counted = uses(&verifier);
        let checkers: Vec<_> =
            known.iter().take(2).map(|key| checker(&verifier, key.secret.expose())).collect();
        verify(&verifier, newcomer).unwrap();
        counted.extend(uses(&verifier));
        let checked: Vec<usize> = checkers.into_iter().map(|one| one.join().unwrap()).collect();
        counted.extend(uses(&verifier));
        for (n, (_, record)) in rows.iter().enumerate() {
            let expected = 1 + checked.get(n).copied().unwrap_or_default();
            let own: usize =
                counted.iter().filter(|used| used.0 == record.id).map(|used| used.1).sum();
            assert_eq!(own, expected, "key {n}");
        }
    });
}

fn uses(verifier: &Verifier<Rows>) -> Vec<(Uuid, usize)> {
    let taken = verifier.take_usage();
    taken.iter().map(|usage| (usage.key_id, usage.count.try_into().unwrap())).collect()
}

/// Checks a key from memory alone, twice; tells how often it was let in.
fn checker(verifier: &Arc<Verifier<Rows>>, text: &str) -> thread::JoinHandle<usize> {
    let (verifier, text) = (Arc::clone(verifier), text.to_owned());
    thread::spawn(move || {
        let check = || verifier.check(&text, &Request::any(), NOW).is_some_and(|it| it.is_ok());
        usize::from(check()) + usize::from(check())
    })
}
