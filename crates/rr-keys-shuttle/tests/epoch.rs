//! (g) A reader paused anywhere cannot bring back what was taken away: the real verifier and its real cache,
//! under a scheduler that pauses every thread at every lock and every shared word.
//!
//! Each test runs thousands of interleavings, half of them drawn evenly, half by the method that finds an
//! error of a given depth with a known probability. A failure prints a schedule that replays it.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use rr_keys_shuttle::{
    Denial, HashScheme, Issued, KeyFormat, KeyHash, KeyRecord, KeyStore, Request, Verifier,
    VerifierOptions, VerifyError,
};
use shuttle::sync::Mutex;
use shuttle::{future, thread};
use uuid::Uuid;

const INTERLEAVINGS: usize = 2_000;
const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const KEY: Uuid = Uuid::from_u128(1);

/// A row for each secret, read and written in one step, as in a database.
#[derive(Default)]
struct Rows(Mutex<Vec<(KeyHash, KeyRecord)>>);

impl Rows {
    fn write(&self, change: impl FnOnce(&mut Vec<(KeyHash, KeyRecord)>)) {
        change(&mut self.0.lock().unwrap());
    }
}

impl KeyStore for Rows {
    type Error = Infallible;

    async fn find(&self, hash: KeyHash) -> Result<Option<KeyRecord>, Infallible> {
        let rows = self.0.lock().unwrap();
        Ok(rows.iter().find(|row| row.0 == hash).map(|row| row.1.clone()))
    }
}

fn verifier(rows: &[(&Issued, KeyRecord)]) -> Arc<Verifier<Rows>> {
    let rows = rows.iter().map(|(issued, record)| (hash(issued), record.clone())).collect();
    let options = VerifierOptions {
        capacity: 2,
        unknown_capacity: 1,
        unknown_budget: None,
        unknown_budget_per_address: None,
        ..VerifierOptions::default()
    };
    Arc::new(Verifier::new(Rows(Mutex::new(rows)), options))
}

fn hash(issued: &Issued) -> KeyHash {
    issued.hash(&HashScheme::default())
}

fn record() -> KeyRecord {
    KeyRecord::new(KEY, "key", NOW)
}

fn issue(byte: u8) -> Issued {
    KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(byte))
}

fn verify(verifier: &Verifier<Rows>, text: &str) -> Result<(), Denial> {
    let request = Request::any();
    match future::block_on(verifier.verify(text, &request, NOW)) {
        Ok(_) => Ok(()),
        Err(VerifyError::Denied(denial)) => Err(denial),
        Err(VerifyError::Store(never)) => match *never {},
    }
}

/// Others that use these keys all the while.
fn readers(verifier: &Arc<Verifier<Rows>>, keys: &[&Issued]) -> Vec<thread::JoinHandle<()>> {
    let read = |issued: &&Issued| {
        let (verifier, text) = (Arc::clone(verifier), issued.secret.expose().to_owned());
        thread::spawn(move || drop(verify(&verifier, &text)))
    };
    keys.iter().map(read).collect()
}

/// Runs a test under both schedulers.
fn explore(test: fn()) {
    shuttle::check_random(test, INTERLEAVINGS);
    shuttle::check_pct(test, INTERLEAVINGS, 3);
}

/// A change is written, then told to the verifier; from then on `expected` must hold, whoever read before.
fn after_a_change(
    verifier: &Arc<Verifier<Rows>>,
    readers: Vec<thread::JoinHandle<()>>,
    tell: impl FnOnce(&Verifier<Rows>),
    expected: &[(&Issued, Result<(), Denial>)],
) {
    tell(verifier);
    for (issued, expected) in expected {
        assert_eq!(
            verify(verifier, issued.secret.expose()),
            *expected,
            "as soon as the call has returned"
        );
    }
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    for (issued, expected) in expected {
        assert_eq!(
            verify(verifier, issued.secret.expose()),
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
        assert_eq!(verify(&verifier, two.secret.expose()), Err(Denial::Disabled));
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
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        counted += verifier.take_usage().iter().map(|usage| usage.count).sum::<u64>();
        assert_eq!(counted, 2);
        assert_eq!(verifier.take_usage(), []);
    });
}
