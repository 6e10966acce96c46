//! One who follows.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::figures::changed_parts;
use super::places::Place;
use super::tail::{Batch, Next};
use crate::auth::{Permission, Standing};
use crate::codes::Code;
use crate::connection::Draining;
use crate::figures::Rendered;
use crate::problem::{Outcome, Problem};
use crate::state::AppState;

/// The longest time without a look at whether the credential still holds.
const CHECK: Duration = Duration::from_secs(1);
/// How long to wait when the database is away.
const PAUSE: Duration = Duration::from_millis(250);

/// What a reader is handed.
#[derive(Debug)]
pub(crate) enum Item {
    /// The events of a batch after a number.
    Events(Arc<Batch>, i64),
    /// An object of the figures that changed; all of them, the first time.
    Figures(Bytes),
    /// Nothing went to the client for a while.
    Beat,
}

/// A position in the log of events, with the right to go on from there.
pub(crate) struct Reader {
    state: Arc<AppState>,
    standing: Standing,
    /// The state of credentials that it was judged by, and when.
    judged: Option<(u64, Instant)>,
    position: i64,
    /// The run of the tail that it took something from.
    run: Option<u64>,
    /// The figures that it knows.
    shown: Option<Arc<Rendered>>,
    /// When the client was last told anything that shows it that the server lives.
    told_at: Instant,
    news: watch::Receiver<()>,
    draining: Draining,
    ended: Ended,
    _place: Place,
}

/// A place to begin after, as a client named it.
pub(crate) struct After {
    /// The number of an event.
    pub(crate) number: i64,
    /// How to refuse it, in the words in which it was named.
    pub(crate) refuse: fn(&'static str) -> Problem,
}

/// Why it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server stops.
    Stopping,
    /// The credential is not good any more.
    Credential,
    /// It did not keep up.
    TooSlow,
}

/// Whether a reader may go on.
enum Judgement {
    Good,
    Over,
    /// The store cannot say.
    Unknown,
}

impl Reader {
    /// Begins after the event of this number, or with whatever comes next.
    pub(crate) async fn join(
        state: Arc<AppState>,
        standing: Standing,
        after: Option<After>,
    ) -> Outcome<Reader> {
        let place = state.live.places.take(standing.id(), &state.settings.limits)?;
        if state.is_draining() {
            return Err(Problem::new(Code::Draining));
        }
        let last = state.store.last_event().await?;
        let position = match after {
            None => last,
            Some(After { number, .. }) if number <= last => number,
            Some(After { refuse, .. }) => {
                return Err(refuse("is later than the last event of this server"));
            }
        };
        Ok(Reader {
            standing,
            judged: None,
            position,
            run: None,
            shown: None,
            told_at: Instant::now(),
            news: state.live.news.subscribe(),
            draining: state.drain.signal(),
            ended: Ended::Stopping,
            _place: place,
            state,
        })
    }

    /// The number of the last event that it was handed, or passed over.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// Why there was no next.
    pub(crate) fn ended(&self) -> Ended {
        self.ended
    }

    /// To be called by whoever wrote to the client what shows it that the server lives: what is handed out may
    /// come to nothing for one client and be no sign of life for another.
    pub(crate) fn told(&mut self) {
        self.told_at = Instant::now();
    }

    /// What comes next; `None` when it is over: the server stops, the credential is not good any more,
    /// or the reader was too slow.
    pub(crate) async fn next(&mut self) -> Option<Item> {
        loop {
            if self.state.is_draining() {
                return None;
            }
            let judgement = self.judge().await;
            if matches!(judgement, Judgement::Over) {
                self.ended = Ended::Credential;
                return None;
            }
            // Before what comes next: there may be more of it at any time, and nothing in it for this client.
            if self.told_at.elapsed() >= self.state.settings.limits.stream_beat {
                self.told();
                return Some(Item::Beat);
            }
            match judgement {
                Judgement::Over | Judgement::Unknown => {}
                Judgement::Good => match self.events().await {
                    Ok(Some(batch)) if self.is_judged() => {
                        let after = std::mem::replace(&mut self.position, batch.upto());
                        return Some(Item::Events(batch, after));
                    }
                    // A credential changed while the store was asked.
                    Ok(Some(_)) => continue,
                    Ok(None) => match self.figures().await {
                        Ok(Some(parts)) if self.is_judged() => {
                            return Some(Item::Figures(parts));
                        }
                        Ok(Some(_)) => {
                            self.shown = None;
                            continue;
                        }
                        Ok(None) | Err(_) => {}
                    },
                    Err(TooSlow) => {
                        self.ended = Ended::TooSlow;
                        self.state.live.dropped.fetch_add(1, Ordering::Relaxed);
                        tracing::debug!(position = self.position, "let a slow reader go");
                        return None;
                    }
                },
            }
            self.wait().await;
        }
    }

    /// Whether the present state of credentials is the one that it was judged by.
    fn is_judged(&self) -> bool {
        let now = self.state.live.credentials.mark(self.standing.id());
        self.judged.is_some_and(|(credentials, _)| credentials == now)
    }

    /// Asks the store again when something may have changed, and looks at the clock each time.
    async fn judge(&mut self) -> Judgement {
        let is_old = |(_, at): (u64, Instant)| at.elapsed() >= self.standing.lasts();
        if !self.is_judged() || self.judged.is_none_or(is_old) {
            // From before the look, so that a change during it counts.
            let credentials = self.state.live.credentials.mark(self.standing.id());
            match self.standing.renew(&self.state).await {
                Ok(true) => self.judged = Some((credentials, Instant::now())),
                Ok(false) => return Judgement::Over,
                Err(_) => return Judgement::Unknown,
            }
        }
        if self.standing.is_good(self.state.now()) { Judgement::Good } else { Judgement::Over }
    }

    /// The events that come next: from memory, else from the store. Who took from memory once and does
    /// not find its place there again is too slow.
    async fn events(&mut self) -> Result<Option<Arc<Batch>>, TooSlow> {
        let (next, run) = {
            let tail = self.state.live.tail();
            (tail.after(self.position), tail.run())
        };
        match next {
            Next::Batch(batch) => {
                self.run = Some(run);
                Ok(Some(batch))
            }
            Next::Nothing => Ok(None),
            Next::Gone if self.run == Some(run) => Err(TooSlow),
            Next::Gone => Ok(self.stored().await),
        }
    }

    /// One batch from the store. When the store is away, the next wait ends soon.
    async fn stored(&self) -> Option<Arc<Batch>> {
        let rows = self.state.store.events_after(self.position).await.ok()?;
        Batch::of(self.position, rows).into_iter().next().map(Arc::new)
    }

    /// The figures that it does not know yet.
    async fn figures(&mut self) -> Outcome<Option<Bytes>> {
        if !self.standing.may(Permission::ReadMetrics) {
            return Ok(None);
        }
        let now = self.state.now();
        let Some(shown) = &self.shown else {
            let all = self.state.rendered_figures(now).await?;
            let parts = changed_parts(None, &all, now)?;
            self.shown = Some(all);
            return Ok(parts);
        };
        let change = self.state.live.change.load();
        let Some(change) = &*change else { return Ok(None) };
        let Some((known, parts)) = change.news_for(shown, now)? else { return Ok(None) };
        self.shown = Some(known);
        Ok(parts)
    }

    /// Until there may be something to do.
    fn wait(&mut self) -> impl Future<Output = ()> {
        let limits = &self.state.settings.limits;
        let mut most = CHECK.min(limits.stream_beat.saturating_sub(self.told_at.elapsed()));
        if !self.is_judged() {
            most = most.min(PAUSE);
        }
        if let Some(end) = self.standing.ends_at() {
            most = most.min(end.since(self.state.now()) + Duration::from_millis(1));
        }
        let (news, draining) = (&mut self.news, self.draining.clone());
        async move {
            tokio::select! {
                _ = news.changed() => {}
                () = draining.begun() => {}
                () = sleep(most) => {}
            }
        }
    }
}

/// A reader that fell out of the tail.
struct TooSlow;
