//! Seeing what happens while it happens: stored events and changed figures, read once for all who
//! follow.
//!
//! A reader is nothing but a position in the log of events. One task per process ([`follow()`]) reads
//! what was committed, by this process or another, writes it out and keeps the newest part of it in
//! memory ([`Tail`]); a [`Reader`] takes what comes after its position from there, and from the store
//! what is older. Events are numbered in the order of their commits, so there is no moment between
//! the two at which one could be missed or seen twice.
//!
//! Nothing is buffered for a reader. One whose client does not take what is sent is cut by the
//! connection's watchdog, and one that falls out of the tail is let go: it can come back and go on
//! from where it was.

mod credentials;
mod figures;
mod follow;
mod message;
mod places;
mod reader;
mod tail;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use follow::follow;
pub(crate) use reader::{After, Ended, Item, Reader};

use credentials::Credentials;
use figures::Change;
use places::Places;
pub(crate) use tail::Batch;
use tail::Tail;

/// What the task that reads and those who follow share.
pub(crate) struct Live {
    tail: Mutex<Tail>,
    /// The last change of figures.
    change: ArcSwapOption<Change>,
    /// Which credentials may have changed: whoever follows with one of them is judged anew.
    credentials: Credentials,
    /// Wakes all readers; what is new they find themselves.
    news: watch::Sender<()>,
    places: Places,
    /// Readers that were let go because they were too slow.
    dropped: AtomicU64,
}

/// Numbers about the readers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LiveStats {
    /// Readers that follow now.
    pub(crate) readers: usize,
    /// Readers that were let go because they were too slow.
    pub(crate) dropped: u64,
}

impl Live {
    pub(crate) fn new() -> Live {
        Live {
            tail: Mutex::default(),
            change: ArcSwapOption::empty(),
            credentials: Credentials::new(),
            news: watch::Sender::new(()),
            places: Places::new(),
            dropped: AtomicU64::new(0),
        }
    }

    /// To be called after a key, or a session of a user, may have changed. Whoever follows with it is
    /// handed nothing more before the store was asked about it again.
    pub(crate) fn credential_changed(&self, id: Uuid) {
        self.credentials.changed(id);
        self.news.send_replace(());
    }

    /// The same for every credential: for changes of which only the fact is known.
    pub(crate) fn credentials_changed(&self) {
        self.credentials.all_changed();
        self.news.send_replace(());
    }

    pub(crate) fn stats(&self) -> LiveStats {
        let dropped = self.dropped.load(Ordering::Relaxed);
        LiveStats { readers: self.places.taken(), dropped }
    }

    /// Goes on from the event of this number, whatever was read before.
    fn begin(&self, at: i64) {
        self.tail().begin(at);
    }

    /// Hands out what was read.
    fn publish(&self, batches: Vec<Batch>, bytes: usize) {
        let mut tail = self.tail();
        batches.into_iter().for_each(|batch| tail.push(Arc::new(batch), bytes));
        drop(tail);
        self.news.send_replace(());
    }

    /// Hands out changed figures.
    fn publish_figures(&self, change: Change) {
        self.change.store(Some(Arc::new(change)));
        self.news.send_replace(());
    }

    /// Held for moments only.
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
