//! Where the data lives.

use rr_store::DatabaseUrl;

use super::source::{ConfigError, Setting, Sources};

/// `[database]`.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseConfig {
    /// `RR_DATABASE_URL`, `database.url`, `--database-url`: `sqlite://PATH` or `postgres://…`.
    /// Default `sqlite://data/revenue-ripple.db`, below the working directory.
    pub(crate) url: DatabaseUrl,
    /// `RR_DATABASE_READERS`, `database.readers`: connections that read. Default 4.
    pub(crate) readers: usize,
    /// `RR_DATABASE_BATCH`, `database.batch`: writes that share a commit at most. Default 256.
    pub(crate) batch: usize,
    /// `RR_DATABASE_QUEUE`, `database.queue`: reads, and writes, that may wait. Default 1024.
    pub(crate) queue: usize,
}

pub(crate) const URL: Setting = Setting::new("database.url", "RR_DATABASE_URL");
const READERS: Setting = Setting::new("database.readers", "RR_DATABASE_READERS");
const BATCH: Setting = Setting::new("database.batch", "RR_DATABASE_BATCH");
const QUEUE: Setting = Setting::new("database.queue", "RR_DATABASE_QUEUE");

const DEFAULT_URL: &str = "sqlite://data/revenue-ripple.db";
const DEFAULT_READERS: usize = 4;
const DEFAULT_BATCH: usize = 256;
const DEFAULT_QUEUE: usize = 1024;

impl DatabaseConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<DatabaseConfig, ConfigError> {
        let url = match sources.private(URL, DatabaseUrl::parse)? {
            Some(url) => url,
            None => DatabaseUrl::parse(DEFAULT_URL)
                .map_err(|error| ConfigError(format!("{}: {error}", URL.variable)))?,
        };
        Ok(DatabaseConfig {
            url,
            readers: sources.parse(READERS, DEFAULT_READERS, parse_readers)?,
            batch: sources.parse(BATCH, DEFAULT_BATCH, parse_batch)?,
            queue: sources.parse(QUEUE, DEFAULT_QUEUE, parse_queue)?,
        })
    }
}

fn parse_readers(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|readers| (1..=64).contains(readers))
        .ok_or("is not a number between 1 and 64")
}

fn parse_batch(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|writes| (1..=1024).contains(writes))
        .ok_or("is not a number between 1 and 1024")
}

fn parse_queue(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|waiting| (8..=65_536).contains(waiting))
        .ok_or("is not a number between 8 and 65536")
}
