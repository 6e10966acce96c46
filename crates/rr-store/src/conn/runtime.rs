//! The little runtime that every PostgreSQL connection carries with it.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use diesel_async::async_connection_wrapper::BlockOn;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// A single-threaded runtime that drives one connection, only while a query runs on it.
///
/// It travels with the connection from the thread that makes it to the thread that uses it. (The
/// wrapper's own choice would be the runtime of the calling thread, or a second one that does not
/// drive the socket.) A query whose answer does not come is cut: its socket is dropped, which
/// makes the query fail, so a silent network never holds a database thread for ever.
pub(crate) struct OwnRuntime {
    runtime: Option<Runtime>,
    driver: Option<JoinHandle<()>>,
    patience: Duration,
}

thread_local! {
    /// The wrapper asks for its runtime through a function without arguments; it is laid here first.
    static NEXT: RefCell<Option<OwnRuntime>> = const { RefCell::new(None) };
}

impl OwnRuntime {
    pub(crate) fn new() -> io::Result<OwnRuntime> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(OwnRuntime { runtime: Some(runtime), driver: None, patience: Duration::MAX })
    }

    /// Runs the set-up of a connection, which is bounded by the caller.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    /// Lets this runtime drive `connection`, and from now on gives up on a query after `patience`.
    pub(crate) fn drive(
        &mut self,
        connection: impl Future<Output = ()> + Send + 'static,
        patience: Duration,
    ) {
        self.driver = Some(self.runtime().spawn(connection));
        self.patience = patience;
    }

    /// Hands this runtime to the wrapper that is made next on this thread.
    pub(crate) fn lay_out(self) {
        NEXT.with(|next| next.replace(Some(self)));
    }

    #[expect(clippy::expect_used, reason = "taken only in drop")]
    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("a runtime lives as long as its owner")
    }
}

impl BlockOn for OwnRuntime {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.run(async {
            let mut future = pin!(future);
            match tokio::time::timeout(self.patience, &mut future).await {
                Ok(output) => output,
                Err(_) => {
                    if let Some(driver) = &self.driver {
                        driver.abort();
                    }
                    future.await
                }
            }
        })
    }

    #[expect(clippy::expect_used, reason = "only conn::pg makes wrappers, and lays a runtime out")]
    fn get_runtime() -> OwnRuntime {
        NEXT.with(RefCell::take).expect("a runtime is laid out before a wrapper is made")
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A plain drop would panic on a thread that runs async code.
            runtime.shutdown_background();
        }
    }
}
