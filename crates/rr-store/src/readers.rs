//! The threads that answer reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::conn::Lease;
use crate::queue::Queue;

/// A read with the channel that its answer goes to.
pub(crate) type ReadJob = Box<dyn FnOnce(&mut Lease) + Send>;

/// What the readers share.
pub(crate) struct Readers {
    pub(crate) queue: Queue<ReadJob>,
    pub(crate) busy: AtomicUsize,
    pub(crate) done: AtomicU64,
}

impl Readers {
    pub(crate) fn new(queue: Queue<ReadJob>) -> Readers {
        Readers { queue, busy: AtomicUsize::new(0), done: AtomicU64::new(0) }
    }
}

/// Starts a reader, which ends when the queue is closed and empty.
pub(crate) fn spawn(
    readers: Arc<Readers>,
    number: usize,
    mut lease: Lease,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("db-read-{number}")).spawn(move || {
        while let Some(job) = readers.queue.pop() {
            readers.busy.fetch_add(1, Ordering::Relaxed);
            // A defect in one read must not cost all later ones their thread.
            if catch_unwind(AssertUnwindSafe(|| job(&mut lease))).is_err() {
                lease.discard();
            }
            readers.busy.fetch_sub(1, Ordering::Relaxed);
            readers.done.fetch_add(1, Ordering::Relaxed);
        }
    })
}
