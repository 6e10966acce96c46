//! Keys, clocks and stores for the behaviour tests.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::memory::MemoryStore;
use crate::{HashScheme, KeyFormat, KeyHash, KeyRecord, KeyStore, Secret};

/// The instant at which most tests play.
pub(super) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

/// A new key and its hash under the default scheme.
#[derive(Debug)]
pub(super) struct TestKey {
    pub(super) secret: Secret,
    pub(super) hash: KeyHash,
    pub(super) hint: String,
}

/// The `n`-th key of a deterministic row.
pub(super) fn issue(n: u64) -> TestKey {
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| {
        for (block, chunk) in buffer.chunks_mut(32).enumerate() {
            let digest = Sha256::digest(format!("{n}/{block}"));
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    });
    let hash = issued.hash(&HashScheme::default());
    TestKey { secret: issued.secret, hash, hint: issued.hint }
}

/// A record that may `read`.
pub(super) fn record(n: u64) -> KeyRecord {
    KeyRecord {
        permissions: ["read"].into_iter().collect(),
        ..KeyRecord::new(Uuid::from_u128(u128::from(n) + 1), format!("key {n}"), noon())
    }
}

/// A store with the keys `0..n`.
pub(super) fn store(n: u64) -> MemoryStore {
    let store = MemoryStore::new();
    for n in 0..n {
        store.insert(issue(n).hash, record(n));
    }
    store
}

/// Runs a future on this thread with nothing but the standard library.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// A store whose answers, already read, are held back until the test lets them go: a reader paused between
/// SELECT and insert.
#[derive(Default)]
pub(super) struct PausingStore {
    pub(super) inner: MemoryStore,
    gate: Mutex<Gate>,
    moved: Condvar,
}

#[derive(Default)]
struct Gate {
    closed: bool,
    held: usize,
}

impl PausingStore {
    pub(super) fn close(&self) {
        self.gate.lock().unwrap().closed = true;
    }

    pub(super) fn open(&self) {
        self.gate.lock().unwrap().closed = false;
        self.moved.notify_all();
    }

    /// Waits until so many readers have read and are held. Lets all go before it gives up, for a test that
    /// fails must also end.
    pub(super) fn wait_for_held(&self, readers: usize) {
        let gate = self.gate.lock().unwrap();
        let patience = Duration::from_secs(20);
        let waited = self.moved.wait_timeout_while(gate, patience, |gate| gate.held < readers);
        let timed_out = waited.unwrap().1.timed_out();
        if timed_out {
            self.open();
            panic!("{readers} readers were expected to ask the store");
        }
    }
}

impl KeyStore for PausingStore {
    type Error = Infallible;

    async fn find(&self, hash: KeyHash) -> Result<Option<KeyRecord>, Infallible> {
        let answer = self.inner.find(hash).await;
        let mut gate = self.gate.lock().unwrap();
        gate.held += 1;
        self.moved.notify_all();
        let mut gate = self.moved.wait_while(gate, |gate| gate.closed).unwrap();
        gate.held -= 1;
        drop(gate);
        answer
    }
}

/// A store that fails.
#[derive(Default)]
pub(super) struct BrokenStore {
    pub(super) finds: AtomicU64,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is on fire")]
pub(super) struct OnFire;

impl KeyStore for BrokenStore {
    type Error = OnFire;

    async fn find(&self, _: KeyHash) -> Result<Option<KeyRecord>, OnFire> {
        self.finds.fetch_add(1, Ordering::Relaxed);
        Err(OnFire)
    }
}
