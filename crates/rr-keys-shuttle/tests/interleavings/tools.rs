//! A store, a verifier on it, and threads that use its keys.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use rr_keys_shuttle::{
    Denial, Grant, HashScheme, Issued, KeyFormat, KeyHash, KeyRecord, KeyStore, Request, Verifier,
    VerifierOptions, VerifyError,
};
use shuttle::sync::Mutex;
use shuttle::{future, thread};
use uuid::Uuid;

const INTERLEAVINGS: usize = 2_000;
pub(crate) const NOW: SystemTime = SystemTime::UNIX_EPOCH;
pub(crate) const KEY: Uuid = Uuid::from_u128(1);

/// A row for each secret, read and written in one step, as in a database.
#[derive(Default)]
pub(crate) struct Rows(Mutex<Vec<(KeyHash, KeyRecord)>>);

impl Rows {
    pub(crate) fn write(&self, change: impl FnOnce(&mut Vec<(KeyHash, KeyRecord)>)) {
        change(&mut self.0.lock().unwrap());
    }
}

impl KeyStore for Rows {
    type Error = Infallible;

    async fn find(&self, hash: KeyHash) -> Result<Option<KeyRecord>, Infallible> {
        let rows = self.0.lock().unwrap();
        Ok(rows.iter().find(|row| row.0 == hash).map(|row| row.1.clone()))
    }

    /// With a grace of nothing.
    async fn activate(&self, hash: KeyHash, now: SystemTime) -> Result<bool, Infallible> {
        let mut rows = self.0.lock().unwrap();
        let pending = |row: &&(KeyHash, KeyRecord)| row.0 == hash && row.1.secret_pending;
        let Some(id) = rows.iter().find(pending).map(|row| row.1.id) else { return Ok(false) };
        for (own, record) in rows.iter_mut().filter(|row| row.1.id == id) {
            record.secret_pending = false;
            record.secret_ends_at = (*own != hash).then_some(now);
        }
        Ok(true)
    }
}

pub(crate) fn verifier(rows: &[(&Issued, KeyRecord)]) -> Arc<Verifier<Rows>> {
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

pub(crate) fn hash(issued: &Issued) -> KeyHash {
    issued.hash(&HashScheme::default())
}

pub(crate) fn record() -> KeyRecord {
    KeyRecord::new(KEY, "key", NOW)
}

pub(crate) fn issue(byte: u8) -> Issued {
    KeyFormat::REVENUE_RIPPLE.issue(|buffer| buffer.fill(byte))
}

pub(crate) fn verify(verifier: &Verifier<Rows>, issued: &Issued) -> Result<Grant, Denial> {
    verify_text(verifier, issued.secret.expose())
}

fn verify_text(verifier: &Verifier<Rows>, text: &str) -> Result<Grant, Denial> {
    let request = Request::any();
    match future::block_on(verifier.verify(text, &request, NOW)) {
        Ok(grant) => Ok(grant),
        Err(VerifyError::Denied(denial)) => Err(denial),
        Err(VerifyError::Store(never)) => match *never {},
    }
}

/// Others that use these keys all the while; each tells whether it was let in.
pub(crate) fn readers(
    verifier: &Arc<Verifier<Rows>>,
    keys: &[&Issued],
) -> Vec<thread::JoinHandle<bool>> {
    let read = |issued: &&Issued| {
        let (verifier, text) = (Arc::clone(verifier), issued.secret.expose().to_owned());
        thread::spawn(move || verify_text(&verifier, &text).is_ok())
    };
    keys.iter().map(read).collect()
}

/// Waits for all of them; how many were let in.
pub(crate) fn admitted(readers: Vec<thread::JoinHandle<bool>>) -> usize {
    readers.into_iter().map(|reader| reader.join().unwrap()).filter(|admitted| *admitted).count()
}

/// Runs a test under both schedulers.
pub(crate) fn explore(test: fn()) {
    shuttle::check_random(test, INTERLEAVINGS);
    shuttle::check_pct(test, INTERLEAVINGS, 3);
}
