//! What a cached key weighs.

use crate::keys::Keys;

/// Resident bytes that `count` keys add to the process, for each key; and those keys. Counted by the
/// operating system, so the table, the records, their texts and the allocator's own cost are all in it.
pub(crate) fn per_key(count: usize) -> (Keys, f64) {
    // The texts are the bench's and not the cache's, so they are made before.
    let texts = Keys::issue(count);
    let before = resident();
    let keys = texts.remembered();
    let after = resident();
    assert!(keys.cached() > count / 100 * 99, "{} of {count} keys are in memory", keys.cached());
    let bytes = after.saturating_sub(before) as f64 / keys.cached() as f64;
    (keys, bytes)
}

/// Resident bytes of this process, as Linux counts them.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    kibibytes * 1_024
}
