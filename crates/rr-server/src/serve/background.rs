//! What the server does besides answering.

use std::sync::Arc;
use std::time::Duration;

use rr_http::AppState;
use rr_store::{Actor, Audit, Fault};
use tokio::task::JoinSet;

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
/// How often some of the facts are recomputed and compared with the ledger, and how many. Ten million take less
/// than two days.
const CHECK_FACTS: Duration = Duration::from_secs(60);
const FACTS_AT_ONCE: u32 = 4_000;
/// How often what is over is removed.
const SWEEP: Duration = Duration::from_secs(600);
/// How long an idempotency id is remembered: the longest published retry schedule of a sender ends
/// after 76 hours, and people send again by hand days later.
const REMEMBER: Duration = Duration::from_secs(30 * 24 * 3600);

/// The running tasks. Dropping it ends them between two pieces of work or at the next wait; counted usage is
/// to be flushed before.
pub(super) struct Tasks(JoinSet<()>);

/// Starts them on the present runtime.
pub(super) fn start(state: &Arc<AppState>) -> Tasks {
    let mut tasks = JoinSet::new();
    tasks.spawn(flush_usage(Arc::clone(state)));
    tasks.spawn(follow_keys(Arc::clone(state)));
    tasks.spawn(follow_ledger(Arc::clone(state)));
    tasks.spawn(follow_sources(Arc::clone(state)));
    tasks.spawn(check_ledger(Arc::clone(state)));
    tasks.spawn(check_facts(Arc::clone(state)));
    tasks.spawn(sweep(Arc::clone(state)));
    Tasks(tasks)
}

impl Tasks {
    /// Ends when one of them does, which none does but by a defect. A server that goes on without it would honour
    /// revocations late, or lose counts, and look well.
    pub(super) async fn failed(&mut self) -> anyhow::Error {
        match self.0.join_next().await {
            Some(Err(error)) => anyhow::Error::new(error).context("a background task failed"),
            Some(Ok(())) | None => anyhow::anyhow!("a background task ended"),
        }
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
        let known = look.await.unwrap_or_else(|_| {
            state.forget_all_keys();
            None
        });
        if seen.is_some() && known.is_none() {
            tracing::warn!(
                "changes of keys cannot be read; until they can, the database is asked for every key"
            );
        }
        seen = known;
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
                tell(faults, "a sum of the ledger is wrong; `revenue-ripple verify` tells more");
                last = Some(next);
            }
            Err(error) => tracing::debug!(%error, "the ledger could not be checked; later, then"),
        }
    }
}

/// Goes round all facts, some at a time; what differs is logged and told in `/metrics`.
async fn check_facts(state: Arc<AppState>) {
    loop {
        tokio::time::sleep(CHECK_FACTS).await;
        match state.store.check_facts(FACTS_AT_ONCE, state.now()).await {
            Ok(faults) => tell(
                faults,
                "the ledger is not what the facts say; `revenue-ripple rebuild` makes it anew",
            ),
            Err(error) => {
                let error = anyhow::Error::from(error);
                tracing::warn!(error = %format_args!("{error:#}"),
                    "the ledger could not be compared with its facts; in a minute, then");
            }
        }
    }
}

fn tell(faults: Vec<Fault>, what: &str) {
    for Fault { figure, group, expected, found } in faults {
        tracing::error!(figure, group, expected, found, "{what}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_noticed_beside_those_that_go_on() {
        let mut tasks = Tasks(JoinSet::new());
        tasks.0.spawn(std::future::pending());
        tasks.0.spawn(async { panic!("a defect") });
        assert_eq!(tasks.failed().await.to_string(), "a background task failed");
    }
}
