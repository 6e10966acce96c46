//! The task that reads for all who follow.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Batch;
use super::figures::Change;
use crate::figures::Rendered;
use crate::problem::Outcome;
use crate::state::AppState;

/// How often the database is looked at for what other processes committed. What this one commits is
/// looked for at once.
const LOOK: Duration = Duration::from_millis(25);
/// How often figures are looked at.
const FIGURES: Duration = Duration::from_millis(250);
/// Between two looks there is time for each reader to be served; what comes meanwhile goes together.
const REST: Duration = Duration::from_millis(2);
const REST_PER_READER: Duration = Duration::from_micros(20);
/// How long to wait when the database is away.
const PAUSE: Duration = Duration::from_millis(250);

/// Reads for as long as anybody follows; ends never.
pub(crate) async fn follow(state: Arc<AppState>) {
    let mut commits = state.store.commits();
    loop {
        state.live.places.someone().await;
        if let Err(problem) = as_long_as_somebody_follows(&state, &mut commits).await {
            tracing::debug!(%problem, "events could not be followed; in a moment, then");
            sleep(PAUSE).await;
        }
    }
}

async fn as_long_as_somebody_follows(
    state: &AppState,
    commits: &mut watch::Receiver<()>,
) -> Outcome<()> {
    state.live.begin(state.store.last_event().await?);
    let mut figures = state.rendered_figures(state.now()).await?;
    // Some may have been shown others: since the last look, or before this one.
    state.live.publish_figures(Change::to(&figures));
    let mut figures_at = Instant::now();
    loop {
        let readers = state.live.places.taken();
        if readers == 0 {
            return Ok(());
        }
        // What is committed from here on ends the wait below.
        commits.borrow_and_update();
        look_at_events(state).await?;
        if figures_at.elapsed() >= FIGURES {
            figures = look_at_figures(state, figures).await?;
            figures_at = Instant::now();
        }
        let readers = u32::try_from(readers).unwrap_or(u32::MAX);
        sleep(REST.saturating_add(REST_PER_READER.saturating_mul(readers)).min(LOOK)).await;
        tokio::select! {
            // A store that is closed commits nothing more, and says so at the next look.
            _ = commits.changed() => {}
            () = sleep(LOOK) => {}
        }
    }
}

async fn look_at_events(state: &AppState) -> Outcome<()> {
    loop {
        let after = state.live.tail().to();
        let rows = state.store.events_after(after).await?;
        if rows.is_empty() {
            return Ok(());
        }
        state.live.publish(Batch::of(after, rows), state.settings.limits.stream_tail_bytes);
    }
}

async fn look_at_figures(state: &AppState, before: Arc<Rendered>) -> Outcome<Arc<Rendered>> {
    let now = state.now();
    let after = state.rendered_figures(now).await?;
    let Some(change) = Change::between(&before, &after, now)? else { return Ok(before) };
    state.live.publish_figures(change);
    Ok(after)
}
