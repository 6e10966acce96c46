//! The end of serving: telling every connection, and knowing when the last one is gone.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use tokio::sync::watch;

/// Whether the server is stopping, and how many connections it still has.
#[derive(Debug, Clone)]
pub(crate) struct Drain(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    stopping: watch::Sender<bool>,
    /// The same, for those who look often.
    is_stopping: AtomicBool,
    connections: AtomicUsize,
    /// Changes whenever a connection ends.
    ended: tokio::sync::Notify,
}

/// One connection, counted as long as this lives.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Shared>);

/// What a connection waits on to learn that the server is stopping.
#[derive(Debug, Clone)]
pub(crate) struct Draining {
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
}

impl Shared {
    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }
}

impl Drain {
    pub(crate) fn new() -> Drain {
        let (stopping, _) = watch::channel(false);
        Drain(Arc::new(Shared {
            stopping,
            is_stopping: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            ended: tokio::sync::Notify::new(),
        }))
    }

    /// Whether the server is stopping.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.is_stopping()
    }

    /// Tells every connection: idle ones close, busy ones close after their answer.
    pub(crate) fn begin(&self) {
        self.0.is_stopping.store(true, Ordering::Release);
        self.0.stopping.send_replace(true);
    }

    /// A signal for one connection.
    pub(crate) fn signal(&self) -> Draining {
        Draining { shared: Arc::clone(&self.0), stopping: self.0.stopping.subscribe() }
    }

    /// Counts a connection.
    pub(crate) fn count(&self) -> Counted {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.0))
    }

    /// Connections that are open now.
    pub(crate) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Acquire)
    }

    /// Ends when no connection is left.
    pub(crate) async fn drained(&self) {
        loop {
            let ended = self.0.ended.notified();
            if self.connections() == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl Draining {
    /// Ends when the server begins to stop. To be awaited by one task, which may look at every turn: the
    /// channel is told once whom to wake.
    pub(crate) async fn begun(mut self) {
        let shared = self.shared;
        let mut told = pin!(self.stopping.wait_for(|stopping| *stopping));
        let mut is_waiting = false;
        poll_fn(|cx| {
            if is_waiting && !shared.is_stopping() {
                return Poll::Pending;
            }
            is_waiting = true;
            // An error means that the server itself is gone, which is as good a reason to close.
            told.as_mut().poll(cx).map(drop)
        })
        .await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
        self.0.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn draining_ends_with_the_last_connection() {
        let drain = Drain::new();
        let (first, second) = (drain.count(), drain.count());
        assert!(!drain.is_stopping());
        drain.begin();
        drain.signal().begun().await;
        assert!(drain.is_stopping());
        assert_eq!(drain.connections(), 2);

        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.drained().await }
        });
        drop(first);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(second);
        tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    }
}
