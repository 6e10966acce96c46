//! What a cached key weighs.

use uuid::Uuid;

use crate::keys::{Keys, record};

/// What `count` cached keys weigh, and those keys.
pub(crate) struct Weighed {
    pub(crate) keys: Keys,
    /// Bytes for each record, as the store hands it out.
    pub(crate) record: f64,
    /// Bytes for each cached key beside its record.
    pub(crate) beside: f64,
}

/// Weighs by the operating system's count of resident bytes, so the table, the entries and the allocator's
/// own cost are all in it.
pub(crate) fn weigh(count: usize) -> Weighed {
    // The texts are the bench's and not the cache's, so they are made before.
    let texts = Keys::issue(count);
    let empty = resident();
    let records: Vec<_> = (0..count).zip(0..).map(|(_, n)| record(Uuid::from_u128(n))).collect();
    let with_records = resident();
    let keys = texts.remembered();
    let with_cache = resident();
    drop(records);
    let record = with_records.saturating_sub(empty) as f64 / count as f64;
    let cached = with_cache.saturating_sub(with_records) as f64 / keys.len() as f64;
    Weighed { keys, record, beside: cached - record }
}

/// Resident bytes of this process, as Linux counts them.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    kibibytes * 1_024
}
