//! `serve` and `demo`: the running server, from the first look at the database to the last write.
//!
//! The server listens even when the database is away: it answers 503 and goes on trying, so that
//! it needs no restart when the database comes back. What cannot mend itself (a damaged file, a
//! port in use, a schema newer than the program) ends the start with a line that says so.

mod background;
mod first_admin;
mod first_steps;
mod password;
mod prepare;
mod settings;
mod signals;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rr_admin::Panel;
use rr_http::{AppState, Server, ServerHandle};
use rr_store::Store;

use crate::commands::Context;
use crate::commands::{database, peppers};
use crate::config::exposure;
use crate::failure::Failure;
use crate::{logging, output};

use prepare::prepare;

/// The last writes have this long after that.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// What to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What the database holds.
    Plain,
    /// The same, after filling in what a first look needs, and saying how to begin.
    Demo,
}

/// Serves until a signal ends it.
pub(crate) fn run(context: &Context, mode: Mode) -> Result<(), Failure> {
    exposure::check(&context.config)?;
    if let Some(warning) = exposure::warning(&context.config) {
        tracing::warn!("{warning}");
    }
    install_crypto();
    let bind = context.config.http.bind;
    let listener = TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}"))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let store = database::open(context)?;
    crate::commands::block_on(serve(context, mode, store, listener, address))
}

async fn serve(
    context: &Context,
    mode: Mode,
    store: Store,
    listener: TcpListener,
    address: SocketAddr,
) -> Result<(), Failure> {
    let mut signals = signals::Signals::new()?;
    let prepared = match prepare(context, mode, &store).await {
        Ok(prepared) => Some(prepared),
        Err(failure) if prepare::is_temporary(&failure) => None,
        Err(failure) => return Err(failure),
    };
    let state = AppState::new(
        store.clone(),
        context.clock.clone(),
        context.random.clone(),
        settings::http(&context.config, address),
    );
    let random = context.random.clone();
    let panel = Panel::new(move |buffer| random.fill(buffer));
    let has_panel = panel.is_built();
    let mut server =
        Server::start(Arc::clone(&state), listener, move |config| panel.configure(config))
            .context("the server did not start")?;
    let mut tasks = background::start(&state);
    output::line(format!("listening on http://{address}"));

    let ready = async {
        let prepared = match prepared {
            Some(prepared) => prepared,
            None => prepare::keep_trying(context, mode, &store).await?,
        };
        if mode == Mode::Demo {
            let url = context.config.http.public_url.clone();
            let url = url.unwrap_or_else(|| format!("http://{address}"));
            first_steps::print(&url, &prepared, has_panel);
        }
        match peppers::refused(context, &store).await {
            Ok(None) => {}
            Ok(Some(refused)) => tracing::warn!("{refused}; see `revenue-ripple keys peppers`"),
            Err(failure) => tracing::debug!(reason = failure.lines().join(": "), "peppers"),
        }
        std::future::pending::<Result<(), Failure>>().await
    };
    let outcome = tokio::select! {
        failed = ready => failed,
        error = server.failed() => {
            Err(anyhow::Error::new(error).context("the server ended by itself").into())
        }
        error = tasks.failed() => Err(error.into()),
        name = signals.next() => {
            tracing::info!(signal = name, "stopping: finishing what was accepted");
            Ok(())
        }
    };
    stop(server, tasks, &state, &store, &mut signals).await;
    outcome
}

/// Finishes what was accepted, writes what was counted, closes the database. A second signal ends
/// the program at once.
async fn stop(
    server: ServerHandle,
    tasks: background::Tasks,
    state: &AppState,
    store: &Store,
    signals: &mut signals::Signals,
) {
    let orderly = async {
        let grace = state.settings.limits.drain;
        if !server.stop(grace).await {
            tracing::warn!("some requests took longer than {} s and were cut", grace.as_secs());
        }
        let last_writes = async {
            // A flush that is under way ends first, and nothing is counted any more.
            state.flush_usage().await;
            drop(tasks);
            store.close().await;
        };
        if tokio::time::timeout(LAST_WRITES, last_writes).await.is_err() {
            tracing::warn!("the database did not take the last key usage in time");
        }
        tracing::info!("stopped");
    };
    tokio::select! {
        () = orderly => {}
        name = signals.next() => {
            tracing::warn!(signal = name, "ending at once");
            logging::flush();
            std::process::exit(130);
        }
    }
}

/// The TLS library takes its cryptography from whoever says so first.
fn install_crypto() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
