//! The writer: takes what waits, commits it together, then answers all.
//!
//! A lone write is committed at once, without waiting for company; where many write at once, the
//! writer waits a moment until about half of them are there again (`pace.rs`). One that fails harms no
//! neighbour: on SQLite each runs inside a savepoint unless it is alone; on PostgreSQL, where a savepoint costs two
//! round trips, the whole batch is rolled back and its jobs run one by one. Facts that a batch brought
//! are posted to the ledger in its transaction, once for all of them. Nobody hears of a success before
//! the commit that contains it has returned and the figures in memory know of it.

mod batch;
mod job;
mod pace;
mod reply;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;

pub(crate) use job::{Closure, Work};
pub(crate) use reply::{Reply, Round, reply};

use crate::checkpoint::Log;
use crate::conn::Lease;
use crate::events::{EventGroup, EventJob};
use crate::ledger::Memory;
use crate::queue::Queue;
use crate::stats::BATCH_BUCKETS;

use self::pace::Pace;

/// How many bytes of writes share a commit, about.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// Something to be written.
pub(crate) enum WriteJob {
    /// An event; those that wait together become one statement.
    Event(Box<EventJob>),
    /// Anything else.
    Other(Box<dyn Work>),
}

/// What the writer and its callers share.
pub(crate) struct Writer {
    pub(crate) queue: Queue<WriteJob>,
    pub(crate) counters: Counters,
    pub(crate) memory: Arc<Memory>,
    /// Told of every commit.
    pub(crate) committed: watch::Sender<()>,
}

impl Writer {
    pub(crate) fn new(queue: Queue<WriteJob>) -> Writer {
        Writer {
            queue,
            counters: Counters::default(),
            memory: Arc::default(),
            committed: watch::Sender::new(()),
        }
    }
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) failed_commits: AtomicU64,
    pub(crate) jobs: AtomicU64,
    pub(crate) jobs_committed: AtomicU64,
    pub(crate) commit_micros: AtomicU64,
    pub(crate) batch_sizes: [AtomicU64; BATCH_BUCKETS.len()],
}

impl Counters {
    pub(crate) fn committed(&self, jobs: usize, took: Duration) {
        let jobs = u64::try_from(jobs).unwrap_or(u64::MAX);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.jobs_committed.fetch_add(jobs, Ordering::Relaxed);
        self.commit_micros.fetch_add(took, Ordering::Relaxed);
        for (bound, count) in BATCH_BUCKETS.iter().zip(&self.batch_sizes) {
            if jobs <= *bound {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Starts the writer, which ends when the queue is closed and everything in it is written.
pub(crate) fn spawn(
    writer: Arc<Writer>,
    mut lease: Lease,
    mut log: Option<Log>,
    max_batch: usize,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("db-write".to_owned()).spawn(move || {
        let mut pace = Pace::default();
        let next = |pace: &Pace| writer.queue.pop_batch(max_batch, MAX_BATCH_BYTES, pace.company());
        while let Some(jobs) = next(&pace) {
            let (count, started) = (jobs.len(), Instant::now());
            batch::run(&mut lease, group(jobs), &writer);
            pace.ran(count, started.elapsed());
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            writer.counters.jobs.fetch_add(count, Ordering::Relaxed);
            if let Some(log) = &mut log {
                log.grew(writer.counters.commits.load(Ordering::Relaxed), &mut lease);
            }
        }
    })
}

/// Gathers the events of a batch into one piece of work.
fn group(jobs: Vec<WriteJob>) -> Vec<Box<dyn Work>> {
    let mut events = Vec::new();
    let mut works: Vec<Box<dyn Work>> = Vec::new();
    for job in jobs {
        match job {
            WriteJob::Event(event) => events.push(*event),
            WriteJob::Other(work) => works.push(work),
        }
    }
    if !events.is_empty() {
        works.push(Box::new(EventGroup::new(events)));
    }
    works
}
