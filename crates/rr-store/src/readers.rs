//! The threads that answer reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::conn::Lease;
use crate::queue::Queue;
use crate::stats::ReaderStats;

/// A read with the channel that its answer goes to.
pub(crate) type ReadJob = Box<dyn FnOnce(&mut Lease) + Send>;

/// What the readers of one queue share.
pub(crate) struct Readers {
    pub(crate) queue: Queue<ReadJob>,
    threads: AtomicUsize,
    busy: AtomicUsize,
    done: AtomicU64,
}

impl Readers {
    pub(crate) fn new(queue: Queue<ReadJob>) -> Readers {
        let (threads, busy) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Readers { queue, threads, busy, done: AtomicU64::new(0) }
    }

    pub(crate) fn stats(&self) -> ReaderStats {
        ReaderStats {
            threads: self.threads.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
            waiting: self.queue.len(),
            queue_capacity: self.queue.capacity(),
            reads: self.done.load(Ordering::Relaxed),
        }
    }
}

/// Starts a reader, which ends when the queue is closed and empty.
pub(crate) fn spawn(
    readers: Arc<Readers>,
    name: String,
    mut lease: Lease,
) -> std::io::Result<JoinHandle<()>> {
    readers.threads.fetch_add(1, Ordering::Relaxed);
    thread::Builder::new().name(name).spawn(move || {
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
