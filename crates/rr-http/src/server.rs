//! Serving and stopping.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive};
use actix_rt::net::TcpStream;
use actix_service::{
    IntoServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service, map_config,
};
use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::AppConfig;
use actix_web::middleware::Condition;
use actix_web::web::{Data, ServiceConfig};

use crate::connection::{Drain, Guarded, Settings};
use crate::cors::cors;
use crate::frame::{Worker, frame};
use crate::live;
use crate::routes;
use crate::state::AppState;

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A running server. Dropping it stops nothing; see [`ServerHandle::stop`].
#[derive(Debug)]
pub struct ServerHandle {
    /// Where it listens.
    pub addr: SocketAddr,
    server: actix_server::ServerHandle,
    drain: Drain,
    running: tokio::task::JoinHandle<io::Result<()>>,
    following: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Serves `state` on `listener` from now on. `panel` adds the panel's paths; it runs once in
    /// each worker. To be called inside a tokio runtime, which only waits: the workers bring
    /// their own.
    pub fn start(
        state: Arc<AppState>,
        listener: TcpListener,
        panel: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<ServerHandle> {
        let addr = listener.local_addr()?;
        let drain = state.drain.clone();
        let limits = state.settings.limits;
        let workers = state.settings.workers;
        let following = live::follow(Arc::clone(&state));
        let factory = move || {
            let settings = Rc::new(Settings { limits, ids: state.request_ids.clone() });
            let (drain, signal) = (state.drain.clone(), state.drain.signal());
            let app = map_config(app(&state, panel.clone()), |()| AppConfig::default());
            let worker = Worker::new(&state);
            let framed =
                apply_fn_factory(app, move |request, app: &_| frame(request, app, &worker));
            let http = HttpService::build()
                // Our watchdog times heads and idleness; see `connection`.
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(limits.linger)
                .graceful_shutdown_signal(move || signal.clone().begun())
                .on_connect_ext(|io: &Guarded<TcpStream>, data| {
                    data.insert(io.activity());
                })
                .h1(framed);
            fn_service(move |io: TcpStream| {
                let peer = io.peer_addr().ok();
                // Answers are written whole, so nothing is gained by waiting for more.
                let _ = io.set_nodelay(true);
                let guarded = Guarded::new(io, Rc::clone(&settings), drain.count());
                std::future::ready(Ok((guarded, peer)))
            })
            .and_then(http)
        };
        let mut builder = actix_server::Server::build()
            .disable_signals()
            .max_concurrent_connections(limits.connections)
            // Our own drain comes first; what is left after it is not worth waiting for.
            .shutdown_timeout(0);
        if let Some(workers) = workers {
            builder = builder.workers(workers.clamp(1, 512));
        }
        let server = builder.listen("http", listener, factory)?.run();
        let handle = server.handle();
        let (running, following) = (tokio::spawn(server), tokio::spawn(following));
        Ok(ServerHandle { addr, server: handle, drain, running, following })
    }
}

impl ServerHandle {
    /// Stops: accepts nothing more, lets requests that are being served finish, closes all other
    /// connections at once, and ends after `grace` in any case. Says whether all finished.
    pub async fn stop(self, grace: Duration) -> bool {
        self.server.pause().await;
        self.drain.begin();
        let drained = tokio::time::timeout(grace, self.drain.drained()).await.is_ok();
        self.following.abort();
        if drained {
            // The worker counts a connection a moment longer than we do; without this moment it
            // would look again only after a second.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.server.stop(drained).await;
        // What ended by itself has been heard of, and may not be asked again.
        if !self.running.is_finished() {
            let _ = self.running.await;
        }
        drained
    }

    /// Ends when the server ends by itself: it could not start, or what its readers follow is read no more.
    pub async fn failed(&mut self) -> io::Error {
        let ended = |how: Result<(), tokio::task::JoinError>| match how {
            Ok(()) => io::Error::other("the server ended"),
            Err(error) => io::Error::other(error),
        };
        tokio::select! {
            how = &mut self.running => match how {
                Ok(Err(error)) => error,
                how => ended(how.map(drop)),
            },
            how = &mut self.following => ended(how),
        }
    }
}

/// The application of one worker.
fn app<P: FnOnce(&mut ServiceConfig)>(
    state: &Arc<AppState>,
    panel: P,
) -> impl actix_service::ServiceFactory<
    actix_http::Request,
    Config = AppConfig,
    Response = actix_web::dev::ServiceResponse<impl MessageBody + use<P>>,
    Error = actix_web::Error,
    InitError = (),
> + use<P> {
    let origins = &state.settings.cors_origins;
    App::new()
        .app_data(Data::from(Arc::clone(state)))
        .configure(routes::configure)
        .configure(panel)
        .wrap(Condition::new(!origins.is_empty(), cors(origins)))
        .into_factory()
}
