//! Numbers about the store itself, for `/metrics`.

use crate::FactCheck;

/// Upper bounds of the batch-size histogram: how many writes shared one commit.
pub const BATCH_BUCKETS: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// The store at one moment. Counters only ever grow while the process lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Writes that wait.
    pub writer_queue_depth: usize,
    /// How many may wait.
    pub writer_queue_capacity: usize,
    /// Commits done.
    pub commits: u64,
    /// Commits that failed.
    pub failed_commits: u64,
    /// Writes answered.
    pub jobs: u64,
    /// Commits by batch size, cumulative, one number for each of [`BATCH_BUCKETS`]. `commits` is
    /// the count of the histogram, `jobs_committed` its sum.
    pub batch_sizes: [u64; 9],
    /// Writes that were committed.
    pub jobs_committed: u64,
    /// Time spent in commits, in microseconds.
    pub commit_micros: u64,
    /// The readers of what is short.
    pub readers: ReaderStats,
    /// Those of what may take long.
    pub long_readers: ReaderStats,
    /// Calls refused because a queue was full.
    pub refused: u64,
    /// Connections made.
    pub connections: u64,
    /// Connections thrown away because they broke.
    pub connections_broken: u64,
    /// Days of the ledger that were compared with their entries by the running check.
    pub ledger_checks: u64,
    /// How many sums of them were not what they should be: in the round through all days that goes on, or in
    /// the one before if there were more; and how many counters, when each was last compared.
    pub ledger_faults: usize,
    /// How far the running check of the ledger by the facts is, once it has begun.
    pub fact_check: Option<FactCheck>,
    /// How often something that is over could not be removed.
    pub failed_chores: u64,
}

/// Reader threads that share a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReaderStats {
    /// How many there are.
    pub threads: usize,
    /// How many are at work.
    pub busy: usize,
    /// Reads that wait.
    pub waiting: usize,
    /// How many may wait.
    pub queue_capacity: usize,
    /// Reads answered.
    pub reads: u64,
}
