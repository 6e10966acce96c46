//! Bulk writing: one thread makes rows, the store takes them in batches.

use std::time::Duration;

use rr_domain::{Fact, Timestamp};
use rr_store::{
    Audit, ImportBatch, ImportCounts, NewActivity, NewEvent, NewKey, NewUser, Store, StoreError,
};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task;

use crate::commands::database;
use crate::failure::Failure;
use crate::interrupt::Stop;

/// How many rows go into one transaction: enough that syncing and rewriting index pages are shared
/// by many rows, little enough to hold three of them in memory.
const ROWS: usize = 40_000;
/// How many bytes of events go into one transaction.
const BYTES: usize = 8 << 20;
/// Batches that wait for the store: enough to keep it busy, little enough to bound the memory.
const WAITING: usize = 2;
/// How often a batch is tried again while the database is locked or away, with a pause each time.
const RETRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// Something to write.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    User(NewUser),
    Fact(Fact),
    /// A fact, and when it was recorded.
    Recorded(Timestamp, Fact),
    Key(NewKey),
    Event(NewEvent),
    Activity(NewActivity),
}

/// How much was new to the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Written {
    pub(crate) users: usize,
    pub(crate) facts: usize,
    pub(crate) keys: usize,
    pub(crate) events: usize,
    pub(crate) activity: usize,
    /// Users left out because another user has their e-mail.
    pub(crate) emails_taken: usize,
}

/// Where the rows go.
pub(crate) struct Sink {
    sender: mpsc::Sender<ImportBatch>,
    batch: ImportBatch,
    rows: usize,
    bytes: usize,
    stop: Stop,
}

/// The rows are not wanted any more: somebody asked to stop, or the store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unwanted;

impl Sink {
    /// Hands rows over that belong together: they are written in one transaction.
    pub(crate) fn push(&mut self, items: impl IntoIterator<Item = Item>) -> Result<(), Unwanted> {
        for item in items {
            self.rows += 1;
            match item {
                Item::User(user) => self.batch.users.push(user),
                Item::Fact(fact) => self.batch.facts.push(fact),
                Item::Recorded(at, fact) => self.batch.recorded.push((at, fact)),
                Item::Key(key) => self.batch.keys.push(key),
                Item::Event(event) => {
                    self.bytes += event.body.len();
                    self.batch.events.push(event);
                }
                Item::Activity(activity) => self.batch.activity.push(activity),
            }
        }
        if self.rows >= ROWS || self.bytes >= BYTES { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), Unwanted> {
        if self.stop.is_asked() {
            return Err(Unwanted);
        }
        (self.rows, self.bytes) = (0, 0);
        let batch = std::mem::take(&mut self.batch);
        self.sender.blocking_send(batch).map_err(|_| Unwanted)
    }
}

/// Runs `produce` on a thread of its own and writes what it hands over, batch by batch. Each batch
/// is in the database whole or not at all; `produce` ends early when somebody asks to stop.
///
/// In a database that was empty the ledger follows at the end, because that is quicker.
pub(crate) async fn write<T: Send + 'static>(
    store: &Store,
    audit: &Audit,
    stop: &Stop,
    produce: impl FnOnce(&mut Sink) -> Result<T, Unwanted> + Send + 'static,
) -> Result<(Written, Option<T>), Failure> {
    let target = Target { store, audit, is_empty: store.is_empty().await? };
    let (sender, mut batches) = mpsc::channel(WAITING);
    let asked = stop.clone();
    let producer = task::spawn_blocking(move || {
        let mut sink =
            Sink { sender, batch: ImportBatch::default(), rows: 0, bytes: 0, stop: asked };
        let made = produce(&mut sink)?;
        if sink.rows > 0 {
            sink.send()?;
        }
        Ok::<T, Unwanted>(made)
    });
    let mut written = Written::default();
    let (mut count, mut next) = (0_u64, 1_u64);
    while let Some(batch) = batches.recv().await {
        written.add(&target.write(batch).await?);
        count += 1;
        // Each time that there are ten times as many.
        if count == next {
            store.gather_statistics().await?;
            next *= 10;
        }
    }
    let made = producer.await.map_err(|error| Failure::Trouble(error.into()))?.ok();
    if target.is_empty && made.is_some() {
        tokio::select! {
            posted = database::catch_up(store, "posting") => posted?,
            () = stop.asked() => return Err(Failure::trouble(
                "stopped; all rows are there, and their figures are worked out at the next start",
            )),
        }
    }
    Ok((written, made))
}

/// Where the batches go.
struct Target<'a> {
    store: &'a Store,
    audit: &'a Audit,
    /// Whether it was, before the first of them.
    is_empty: bool,
}

impl Target<'_> {
    /// Writes one batch, again while the database is locked or away: ids are derived, so a batch that
    /// was committed although its answer was lost changes nothing the second time.
    async fn write(&self, batch: ImportBatch) -> Result<ImportCounts, StoreError> {
        for _ in 0..RETRIES {
            match self.try_to_write(batch.clone()).await {
                Err(StoreError::Busy | StoreError::Unavailable(_)) => {
                    tokio::time::sleep(PAUSE).await;
                }
                settled => return settled,
            }
        }
        self.try_to_write(batch).await
    }

    async fn try_to_write(&self, batch: ImportBatch) -> Result<ImportCounts, StoreError> {
        if self.is_empty {
            self.store.load_batch(batch, self.audit.clone()).await
        } else {
            self.store.import_batch(batch, self.audit.clone()).await
        }
    }
}

impl Written {
    fn add(&mut self, counts: &ImportCounts) {
        self.users += counts.users;
        self.facts += counts.facts;
        self.keys += counts.keys;
        self.events += counts.events;
        self.activity += counts.activity;
        self.emails_taken += counts.emails_taken.len();
    }
}
