//! How a store is set up.

use std::time::Duration;

use crate::{DatabaseUrl, KeySchemes};

/// How a store is set up. [`StoreOptions::new`] gives the values for production.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Which database.
    pub url: DatabaseUrl,
    /// How many threads answer reads, each with a connection of its own.
    pub readers: usize,
    /// How many reads, and how many writes, may wait.
    pub queue: usize,
    /// How many writes share a commit at most.
    pub batch: usize,
    /// How many bytes of waiting writes are held in memory.
    pub queue_bytes: usize,
    /// A statement that takes longer is ended (PostgreSQL).
    pub statement_timeout: Duration,
    /// How long a call waits for a connection before it is [`crate::StoreError::Unavailable`].
    pub connect_timeout: Duration,
    /// Accept a PostgreSQL whose `synchronous_commit`, `fsync` or `full_page_writes` is weaker than
    /// `on`: an acknowledged write may then be lost in a crash.
    pub allow_weak_durability: bool,
    /// For millions of rows at once: SQLite keeps more of the file in memory (256 MiB) and copies
    /// its log into it less often. As durable as ever.
    pub bulk: bool,
    /// How keys are hashed.
    pub key_schemes: KeySchemes,
}

impl StoreOptions {
    /// The values for production.
    pub fn new(url: DatabaseUrl) -> StoreOptions {
        StoreOptions {
            url,
            readers: 4,
            queue: 1024,
            batch: 256,
            queue_bytes: 64 << 20,
            statement_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(3),
            allow_weak_durability: false,
            bulk: false,
            key_schemes: KeySchemes::default(),
        }
    }
}
