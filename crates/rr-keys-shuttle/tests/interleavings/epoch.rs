//! (g) A reader paused anywhere cannot bring back what was taken away.

use std::sync::Arc;

use rr_keys_shuttle::{Denial, Issued, KeyRecord, Verifier};
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
        verifier.forget(KEY);
        let mut counted: u64 = verifier.take_usage().iter().map(|usage| usage.count).sum();
        assert_eq!(admitted(readers), 2);
        counted += verifier.take_usage().iter().map(|usage| usage.count).sum::<u64>();
        assert_eq!(counted, 2);
        assert_eq!(verifier.take_usage(), []);
    });
}
