//! What the server does besides answering.

use std::sync::Arc;
use std::time::Duration;

use rr_http::AppState;
use rr_store::{Actor, Audit};
use tokio::task::JoinHandle;

/// How often counted key usage is written.
const FLUSH: Duration = Duration::from_secs(5);
/// How often changes of keys by other processes are looked for. `keys revoke` counts on it.
const FOLLOW: Duration = Duration::from_millis(250);
/// How long such a look may take. A database that is silent is treated like one that is away: keys are
/// forgotten, and nobody is let in on what may be out of date.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often facts of other processes are looked for.
const FOLLOW_LEDGER: Duration = Duration::from_millis(250);
/// How often a day of the ledger is compared with its entries.
const CHECK_LEDGER: Duration = Duration::from_secs(60);
/// How often what is over is removed.
const SWEEP: Duration = Duration::from_secs(600);
/// How long an idempotency id is remembered: the longest published retry schedule of a sender ends
/// after 76 hours, and people send again by hand days later.
const REMEMBER: Duration = Duration::from_secs(30 * 24 * 3600);

/// The running tasks.
pub(super) struct Tasks(Vec<JoinHandle<()>>);

/// Starts them on the present runtime.
pub(super) fn start(state: &Arc<AppState>) -> Tasks {
    Tasks(vec![
        tokio::spawn(flush_usage(Arc::clone(state))),
        tokio::spawn(follow_keys(Arc::clone(state))),
        tokio::spawn(follow_ledger(Arc::clone(state))),
        tokio::spawn(follow_sources(Arc::clone(state))),
        tokio::spawn(check_ledger(Arc::clone(state))),
        tokio::spawn(sweep(Arc::clone(state))),
    ])
}

impl Tasks {
    /// Ends them between two pieces of work or at the next wait; none of them holds anything that
    /// would be lost.
    pub(super) fn stop(self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn flush_usage(state: Arc<AppState>) {
    loop {
        tokio::time::sleep(FLUSH).await;
        state.flush_usage().await;
    }
}

async fn follow_keys(state: Arc<AppState>) {
    let mut seen = None;
    loop {
        tokio::time::sleep(FOLLOW).await;
        let look = tokio::time::timeout(PATIENCE, state.follow_key_changes(seen));
        seen = look.await.unwrap_or_else(|_| {
            state.forget_all_keys();
            None
        });
    }
}

async fn follow_ledger(state: Arc<AppState>) {
    loop {
        if let Err(error) = state.store.follow_ledger(state.now()).await {
            tracing::debug!(%error, "the ledger could not be looked at; in a moment, then");
        }
        tokio::time::sleep(FOLLOW_LEDGER).await;
    }
}

/// Sources that another process changed are known here a moment later.
async fn follow_sources(state: Arc<AppState>) {
    loop {
        tokio::time::sleep(FOLLOW).await;
        state.follow_sources().await;
    }
}

/// Goes round all days, one at a time; what differs is logged and counted in `/metrics`.
async fn check_ledger(state: Arc<AppState>) {
    let mut last = None;
    loop {
        tokio::time::sleep(CHECK_LEDGER).await;
        match state.store.check_ledger(last, state.now()).await {
            Ok(None) => last = None,
            Ok(Some((next, faults))) => {
                for fault in faults {
                    tracing::error!(
                        figure = fault.figure,
                        group = fault.group,
                        expected = fault.expected,
                        found = fault.found,
                        "a sum of the ledger is wrong; `revenue-ripple verify` tells more"
                    );
                }
                last = Some(next);
            }
            Err(error) => tracing::debug!(%error, "the ledger could not be checked; later, then"),
        }
    }
}

/// What could not be done is tried again with the next sweep, and counted in `/metrics`.
async fn sweep(state: Arc<AppState>) {
    loop {
        let audit =
            Audit { at: state.now(), actor: Actor::System, request_id: None, address: None };
        for (chore, outcome) in state.store.sweep(REMEMBER, audit).await {
            match outcome {
                Ok(0) => {}
                Ok(count) => tracing::debug!(count, "swept: {chore}"),
                Err(error) => {
                    let error = anyhow::Error::from(error);
                    tracing::warn!(error = %format_args!("{error:#}"), "not swept: {chore}");
                }
            }
        }
        tokio::time::sleep(SWEEP).await;
    }
}
