//! The store: queues in front, database threads behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use diesel::QueryResult;
use rr_sync::ledger::Account;
use tokio::sync::{oneshot, watch};

use crate::checkpoint::Log;
use crate::conn::{self, Conn, Lease, Manager, PgTarget, SqliteFile, Target};
use crate::error::Verdict;
use crate::events::EventJob;
use crate::facts::Appended;
use crate::ledger::Memory;
use crate::queue::{Queue, Refused};
use crate::readers::{self, Readers};
use crate::url;
use crate::writer::{self, Closure, WriteJob, Writer};
use crate::{FactCheck, KeySchemes, OpenError, StoreError, StoreOptions, StoreStats};

/// The store. Cheap to clone: all clones are one. When the last one is dropped, or [`Store::close`]
/// was called, the database threads finish what was accepted and end.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: &'static str,
    key_schemes: KeySchemes,
    readers: Arc<Readers>,
    /// Threads of their own for reads that may take long, which so keep no other read waiting.
    long_readers: Arc<Readers>,
    writer: Arc<Writer>,
    connections: Arc<conn::Counters>,
    refused: AtomicU64,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held by whoever looks at the ledger for all who wait for it.
    looking: tokio::sync::Mutex<()>,
    ledger_checks: AtomicU64,
    /// Found in the round that goes on, and in the one before.
    ledger_faults: [AtomicUsize; 2],
    /// The same of counters, when those of an account were last compared.
    counter_faults: Mutex<BTreeMap<Account, usize>>,
    fact_check: Mutex<Option<FactCheck>>,
    failed_chores: AtomicU64,
}

/// About what a write, or an event of one, weighs in the queue beside its body.
pub(crate) const SMALL: usize = 1024;
/// How many reads that may take long wait for their turn; whoever comes then is told to come back.
const LONG_READS: usize = 64;

impl Store {
    /// Opens the database and starts its threads.
    ///
    /// A SQLite file is made if it is missing, and checked at once. PostgreSQL need not be there
    /// yet: calls answer [`StoreError::Unavailable`] until it is.
    pub fn open(options: StoreOptions) -> Result<Store, OpenError> {
        let database = options.url.kind();
        let (target, file) = match &options.url.0 {
            url::Target::Sqlite(path) => {
                let file = SqliteFile::prepare(path.clone(), options.bulk)?;
                let (mut conn, _) = file.connect()?;
                conn::check_version(&mut conn)?;
                (Target::Lite(file.clone()), Some(file))
            }
            url::Target::Postgres(url) => {
                (Target::Pg(Box::new(PgTarget::new(url, &options)?)), None)
            }
        };
        let connections = Arc::new(conn::Counters::default());
        let manager = Manager { target, counters: Arc::clone(&connections) };
        let reader_count = options.readers.clamp(1, 64);
        let long_count = reader_count.div_ceil(2);
        let connections_of_readers = u32::try_from(reader_count + long_count).unwrap_or(u32::MAX);
        let pool = conn::new_pool(manager, connections_of_readers.saturating_add(2));
        let lease = || Lease::new(pool.clone(), Arc::clone(&connections), options.connect_timeout);

        let readers = Arc::new(Readers::new(Queue::new(options.queue, usize::MAX)));
        let long_readers = Arc::new(Readers::new(Queue::new(LONG_READS, usize::MAX)));
        let writer = Arc::new(Writer::new(Queue::new(options.queue, options.queue_bytes)));
        let mut threads = Vec::new();
        for (readers, name, count) in
            [(&readers, "db-read", reader_count), (&long_readers, "db-long-read", long_count)]
        {
            for number in 0..count {
                let name = format!("{name}-{number}");
                let thread = readers::spawn(Arc::clone(readers), name, lease());
                threads.push(thread.map_err(OpenError::Thread)?);
            }
        }
        let log = file.map(|file| Log::start(file, lease())).transpose();
        let (log, thread) = log.map_err(OpenError::Thread)?.unzip();
        threads.extend(thread);
        let thread = writer::spawn(Arc::clone(&writer), lease(), log, options.batch.max(1));
        threads.push(thread.map_err(OpenError::Thread)?);
        let inner = Inner {
            database,
            key_schemes: options.key_schemes,
            readers,
            long_readers,
            writer,
            connections,
            refused: AtomicU64::new(0),
            threads: Mutex::new(threads),
            looking: tokio::sync::Mutex::new(()),
            ledger_checks: AtomicU64::new(0),
            ledger_faults: Default::default(),
            counter_faults: Mutex::default(),
            fact_check: Mutex::new(None),
            failed_chores: AtomicU64::new(0),
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// Whether the database answers, keeps its promises (each connection was checked when it was
    /// made), has every migration this program knows, and its ledger holds every fact.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let migrations = self.migration_status().await?;
        if migrations.iter().any(|migration| !migration.applied) {
            return Err(StoreError::Outdated);
        }
        self.ledger_is_current().await
    }

    /// Whether the writer would at present take so many events whose bodies have so many bytes together.
    pub fn has_room(&self, events: usize, bytes: usize) -> bool {
        self.inner.writer.queue.has_room(events.saturating_mul(SMALL).saturating_add(bytes))
    }

    /// How keys are hashed in this store.
    pub fn key_schemes(&self) -> &KeySchemes {
        &self.inner.key_schemes
    }

    /// Numbers about the store itself.
    pub fn stats(&self) -> StoreStats {
        let inner = &*self.inner;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let writer = &inner.writer.counters;
        let [readers, long_readers] = [&inner.readers, &inner.long_readers];
        StoreStats {
            database: inner.database,
            writer_queue_depth: inner.writer.queue.len(),
            writer_queue_capacity: inner.writer.queue.capacity(),
            commits: get(&writer.commits),
            failed_commits: get(&writer.failed_commits),
            jobs: get(&writer.jobs),
            batch_sizes: std::array::from_fn(|index| writer.batch_sizes.get(index).map_or(0, get)),
            jobs_committed: get(&writer.jobs_committed),
            commit_micros: get(&writer.commit_micros),
            readers: readers.stats(),
            long_readers: long_readers.stats(),
            refused: get(&inner.refused),
            connections: get(&inner.connections.made),
            connections_broken: get(&inner.connections.broken),
            ledger_checks: get(&inner.ledger_checks),
            ledger_faults: inner
                .ledger_faults
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .max()
                .unwrap_or(0)
                + inner.wrong_counters(),
            fact_check: inner.fact_check.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            failed_chores: get(&inner.failed_chores),
        }
    }

    /// Finishes what was accepted, then closes every connection. Later calls are
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.inner.close_queues();
        let threads =
            std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                drop(thread.join());
            }
        });
        drop(joined.await);
    }

    /// Runs a read on a reader thread. It may run twice if its connection turns out to be dead.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Conn) -> QueryResult<T> + Send + 'static,
        T: Send + 'static,
    {
        self.read_by(&self.inner.readers, work).await
    }

    /// The same for a read that goes through as many rows as there happen to be. However many of these are asked
    /// for, looks at the ledger, at keys and at everything else that is short go on beside them.
    pub(crate) async fn read_long<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Conn) -> QueryResult<T> + Send + 'static,
        T: Send + 'static,
    {
        self.read_by(&self.inner.long_readers, work).await
    }

    async fn read_by<T, F>(&self, readers: &Readers, mut work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Conn) -> QueryResult<T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |lease: &mut Lease| drop(reply.send(lease.read(&mut work))));
        self.accepted(readers.queue.push(job, 0))?;
        answer.await.unwrap_or_else(|_| Err(Verdict::defect("a read panicked").into()))
    }

    /// Runs a write in the writer's next transaction and returns after its commit. The work may
    /// run more than once, but takes effect once.
    pub(crate) async fn write<T, F>(&self, mut work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Conn) -> QueryResult<T> + Send + 'static,
        T: Send + 'static,
    {
        self.push(move |conn| Ok((work(conn)?, None))).await
    }

    /// A write that may append facts, and says which. They are posted with it, and whoever is told of
    /// it finds it in the next figures.
    pub(crate) async fn write_facts<T, F>(&self, mut work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Conn) -> QueryResult<(T, Appended)> + Send + 'static,
        T: Send + 'static,
    {
        self.push(move |conn| work(conn).map(|(result, appended)| (result, Some(appended)))).await
    }

    async fn push<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Conn) -> QueryResult<(T, Option<Appended>)> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = WriteJob::Other(Box::new(Closure::new(work, reply)));
        let pushed = self.inner.writer.queue.push(job, SMALL);
        self.accepted(pushed)?;
        answer.await.unwrap_or_else(|_| Err(Verdict::defect("a write was lost").into()))
    }

    /// Hands an event to the writer.
    pub(crate) fn push_event(&self, job: Box<EventJob>) -> Result<(), StoreError> {
        let weight = job.weight();
        self.accepted(self.inner.writer.queue.push(WriteJob::Event(job), weight))
    }

    /// Told of every commit.
    pub(crate) fn committed(&self) -> &watch::Sender<()> {
        &self.inner.writer.committed
    }

    /// The figures in memory.
    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.inner.writer.memory
    }

    /// Counts a day of the ledger that was compared, and what differed.
    pub(crate) fn count_check(&self, faults: usize, begins_round: bool) {
        self.inner.ledger_checks.fetch_add(1, Ordering::Relaxed);
        let [this, before] = &self.inner.ledger_faults;
        if begins_round {
            before.store(this.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
        this.fetch_add(faults, Ordering::Relaxed);
    }

    /// Notes how many counters of an account were wrong when they were last compared.
    pub(crate) fn note_counters(&self, account: Account, faults: usize) {
        let mut all = self.inner.counter_faults.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(account, faults);
    }

    /// Notes how far the ledger was compared with the facts.
    pub(crate) fn note_fact_check(&self, check: FactCheck) {
        *self.inner.fact_check.lock().unwrap_or_else(PoisonError::into_inner) = Some(check);
    }

    /// Counts parts of a sweep that were not done.
    pub(crate) fn count_failed_chores(&self, number: usize) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.inner.failed_chores.fetch_add(number, Ordering::Relaxed);
    }

    /// Waits until nobody else looks at the ledger.
    pub(crate) async fn looking(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.looking.lock().await
    }

    fn accepted(&self, pushed: Result<(), Refused>) -> Result<(), StoreError> {
        pushed.map_err(|refused| match refused {
            Refused::Full => {
                self.inner.refused.fetch_add(1, Ordering::Relaxed);
                StoreError::Busy
            }
            Refused::Closed => StoreError::Unavailable("the store is closed".into()),
        })
    }
}

impl Inner {
    fn wrong_counters(&self) -> usize {
        self.counter_faults.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    fn close_queues(&self) {
        self.readers.queue.close();
        self.long_readers.queue.close();
        self.writer.queue.close();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close_queues();
    }
}
