//! What the server does besides answering.

use std::sync::Arc;
use std::time::Duration;

use rr_http::AppState;
use tokio::task::JoinHandle;

/// How often counted key usage is written.
const FLUSH: Duration = Duration::from_secs(5);
/// How often changes of keys by other processes are looked for. `keys revoke` counts on it.
const FOLLOW: Duration = Duration::from_millis(250);
/// How often sessions that are over are removed.
const SWEEP: Duration = Duration::from_secs(600);

/// The running tasks.
pub(super) struct Tasks(Vec<JoinHandle<()>>);

/// Starts them on the present runtime.
pub(super) fn start(state: &Arc<AppState>) -> Tasks {
    Tasks(vec![
        tokio::spawn(flush_usage(Arc::clone(state))),
        tokio::spawn(follow_keys(Arc::clone(state))),
        tokio::spawn(sweep_sessions(Arc::clone(state))),
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
        seen = state.follow_key_changes(seen).await;
    }
}

async fn sweep_sessions(state: Arc<AppState>) {
    loop {
        match state.store.end_expired(state.now()).await {
            Ok(0) => {}
            Ok(ended) => tracing::debug!(ended, "removed sessions that were over"),
            Err(error) => tracing::debug!(%error, "sessions were not swept; later, then"),
        }
        tokio::time::sleep(SWEEP).await;
    }
}
