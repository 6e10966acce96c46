//! One batch: one transaction, one commit, then the answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Instant;

use diesel::QueryResult;
use diesel::result::Error;

use super::{Work, Writer};
use crate::StoreError;
use crate::conn::{Conn, Lease};
use crate::error::{Trouble, Verdict};
use crate::facts::Appended;
use crate::ledger::{self, Posted};

/// How often a batch is tried when its connection turns out to be dead or another transaction was
/// in the way. Only a transaction whose commit was never sent is tried again.
const ATTEMPTS: usize = 3;

type Works = Vec<Box<dyn Work>>;

/// How a transaction ended.
enum End {
    /// Committed; the works that failed by themselves are left out of it.
    Committed { done: Works, failed: Vec<(Box<dyn Work>, Error)>, posted: Option<Posted> },
    /// Rolled back, and not one of the works happened.
    Undone(Works, Error),
    /// The commit failed: nothing may be reported as stored.
    CommitFailed(Works, Error),
}

/// Runs the works, commits and answers all.
pub(super) fn run(lease: &mut Lease, works: Works, writer: &Writer) {
    let counters = &writer.counters;
    let mut works = works;
    for attempt in 1.. {
        let conn = match lease.conn() {
            Ok(conn) => conn,
            Err(error) => {
                let verdict = Verdict::unavailable(&error);
                return answer_all(works, &Err(verdict));
            }
        };
        let started = Instant::now();
        // Alone on SQLite it ran without a savepoint; its parts then have one each.
        let has_savepoints_left = matches!(conn, Conn::Lite(_)) && works.len() == 1;
        let end = match conn {
            Conn::Lite(_) if works.len() > 1 => with_savepoints(conn, works),
            Conn::Lite(_) => all_or_nothing(conn, BEGIN_WRITING, works),
            Conn::Pg(_) => all_or_nothing(conn, "BEGIN", works),
        };
        match end {
            End::Committed { done, failed, posted } => {
                // Committed into a file that nobody will find again is not stored.
                if let Err(displaced) = lease.check_place() {
                    counters.failed_commits.fetch_add(1, Ordering::Relaxed);
                    writer.memory.doubt();
                    let verdict = Verdict::unavailable(&StoreError::Unavailable(displaced.into()));
                    let failed = failed.into_iter().map(|(work, _)| work);
                    return answer_all(done.into_iter().chain(failed).collect(), &Err(verdict));
                }
                if let Some(posted) = posted {
                    writer.memory.advance(&posted);
                }
                counters.committed(done.iter().map(|work| work.len()).sum(), started.elapsed());
                writer.committed.send_replace(());
                answer_all(done, &Ok(()));
                for (work, error) in failed {
                    let verdict = lease.judge(&error);
                    work.answer(Err(verdict));
                }
                return;
            }
            End::CommitFailed(undone, error) => {
                counters.failed_commits.fetch_add(1, Ordering::Relaxed);
                // The error may hide that it was committed.
                writer.memory.doubt();
                let verdict = lease.judge(&error);
                return answer_all(undone, &Err(verdict));
            }
            End::Undone(undone, error) => {
                let verdict = lease.judge(&error);
                let again = matches!(verdict.trouble, Trouble::Lost | Trouble::Collision);
                if again && attempt < ATTEMPTS {
                    works = undone;
                    continue;
                }
                let count: usize = undone.iter().map(|work| work.len()).sum();
                if count == 1 || matches!(verdict.trouble, Trouble::Lost) {
                    return answer_all(undone, &Err(verdict));
                }
                // One of them is the culprit; alone, it harms only itself.
                let parts = undone.into_iter().flat_map(Work::split);
                if has_savepoints_left {
                    return run(lease, parts.collect(), writer);
                }
                for single in parts {
                    run(lease, vec![single], writer);
                }
                return;
            }
        }
    }
}

/// Taking SQLite's write lock up front: a transaction that upgrades later is refused at once.
const BEGIN_WRITING: &str = "BEGIN IMMEDIATE";

/// SQLite: a savepoint for each work costs little, but each page that is changed under it is copied
/// first, so a work that is alone goes without.
fn with_savepoints(conn: &mut Conn, works: Works) -> End {
    if let Err(error) = conn.batch(BEGIN_WRITING) {
        return End::Undone(works, error);
    }
    let mut done: Works = Vec::new();
    let mut failed = Vec::new();
    let mut waiting: std::collections::VecDeque<_> = works.into();
    while let Some(mut work) = waiting.pop_front() {
        let error = match in_savepoint(conn, &mut *work) {
            Ok(Ok(())) => {
                done.push(work);
                continue;
            }
            Ok(Err(error)) => error,
            // The savepoint is gone: SQLite rolled the whole transaction back, as it does when
            // the disk is full. Going on would write outside any transaction.
            Err(error) => {
                done.push(work);
                done.extend(waiting);
                done.extend(failed.into_iter().map(|(work, _)| work));
                return undo(conn, done, error);
            }
        };
        if work.len() > 1 {
            work.split().into_iter().rev().for_each(|part| waiting.push_front(part));
        } else {
            failed.push((work, error));
        }
    }
    let posted = match post(conn, &mut done) {
        Ok(posted) => posted,
        Err(error) => {
            done.extend(failed.into_iter().map(|(work, _)| work));
            return undo(conn, done, error);
        }
    };
    match conn.batch("COMMIT") {
        Ok(()) => End::Committed { done, failed, posted },
        Err(error) => {
            done.extend(failed.into_iter().map(|(work, _)| work));
            drop(conn.batch("ROLLBACK"));
            End::CommitFailed(done, error)
        }
    }
}

/// The outer error means that the transaction itself is over.
fn in_savepoint(conn: &mut Conn, work: &mut dyn Work) -> QueryResult<QueryResult<()>> {
    conn.batch("SAVEPOINT job")?;
    match guarded(conn, work) {
        Ok(()) => conn.batch("RELEASE job").map(Ok),
        Err(error) => match conn.batch("ROLLBACK TO job; RELEASE job") {
            Ok(()) => Ok(Err(error)),
            Err(_) => Err(error),
        },
    }
}

/// PostgreSQL, and a work that is alone: no savepoints; one failure undoes the batch.
fn all_or_nothing(conn: &mut Conn, begin: &str, mut works: Works) -> End {
    if let Err(error) = conn.batch(begin) {
        return End::Undone(works, error);
    }
    for index in 0..works.len() {
        let Some(work) = works.get_mut(index) else { break };
        if let Err(error) = guarded(conn, &mut **work) {
            return undo(conn, works, error);
        }
    }
    let posted = match post(conn, &mut works) {
        Ok(posted) => posted,
        Err(error) => return undo(conn, works, error),
    };
    match conn.batch("COMMIT") {
        Ok(()) => End::Committed { done: works, failed: Vec::new(), posted },
        Err(error) => End::CommitFailed(works, error),
    }
}

/// A rollback that fails leaves a connection that is dead or has no transaction any more; the
/// first error says which.
fn undo(conn: &mut Conn, works: Works, error: Error) -> End {
    drop(conn.batch("ROLLBACK"));
    End::Undone(works, error)
}

/// Posts the facts that the works appended, all together.
fn post(conn: &mut Conn, works: &mut Works) -> QueryResult<Option<Posted>> {
    let mut all: Option<Appended> = None;
    for appended in works.iter_mut().filter_map(|work| work.appended()) {
        all.get_or_insert_default().extend(appended);
    }
    let Some(appended) = all else { return Ok(None) };
    catch_unwind(AssertUnwindSafe(|| ledger::post(conn, appended.facts)))
        .unwrap_or_else(|_| Err(Error::QueryBuilderError("posting panicked".into())))
}

/// A panic in one work is a defect of that work alone.
fn guarded(conn: &mut Conn, work: &mut dyn Work) -> QueryResult<()> {
    catch_unwind(AssertUnwindSafe(|| work.run(conn)))
        .unwrap_or_else(|_| Err(Error::QueryBuilderError("a write panicked".into())))
}

fn answer_all(works: Works, outcome: &Result<(), Verdict>) {
    for work in works {
        work.answer(outcome.clone());
    }
}
