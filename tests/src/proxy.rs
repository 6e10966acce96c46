//! A TCP proxy that can be cut, silenced and healed: a database that goes away and comes back.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy in front of `target`.
pub struct Proxy {
    port: u16,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Cut,
    Silent,
}

impl Proxy {
    /// Starts one in front of `127.0.0.1:port` or another address.
    pub async fn start(target: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State::Open));
        tokio::spawn(accept(listener, target.to_owned(), Arc::clone(&state)));
        Proxy { port, state }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Keeps every connection and takes new ones, but lets nothing through any more, as a network
    /// that swallows packets does.
    pub fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    /// Lets new connections through again. Those that were silenced are over.
    pub fn heal(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn accept(listener: TcpListener, target: String, state: Arc<watch::Sender<State>>) {
    while let Ok((inside, _)) = listener.accept().await {
        let target = target.clone();
        tokio::spawn(relay(inside, target, state.subscribe()));
    }
}

async fn relay(mut inside: TcpStream, target: String, mut state: watch::Receiver<State>) {
    let now = *state.borrow_and_update();
    // Dropping it resets the connection, as a server that is gone would.
    if now == State::Cut {
        return;
    }
    let outside = TcpStream::connect(&target);
    if now == State::Open
        && let Ok(mut outside) = outside.await
    {
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut inside, &mut outside) => return,
            _ = state.changed() => {}
        }
    }
    if *state.borrow() == State::Silent {
        let _ = state.changed().await;
    }
}

/// Tries until `probe` says yes; panics when `limit` is over.
pub async fn eventually<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> F,
) {
    let started = std::time::Instant::now();
    while !probe().await {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
