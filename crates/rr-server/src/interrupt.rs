//! Ctrl-C for commands that write: the first one asks them to stop at a clean place, a second one
//! ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::output;

/// Whether somebody has asked to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns when somebody has.
    pub(crate) async fn asked(&self) {
        while !self.is_asked() {
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How often one that waits looks.
const GLANCE: Duration = Duration::from_millis(50);

/// Starts to listen for Ctrl-C on a thread of its own, because the command's own thread computes
/// for seconds without a pause.
pub(crate) fn listen() -> Stop {
    let stop = Stop::default();
    let asked = stop.clone();
    let listener = move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::signal::ctrl_c().await?;
            asked.ask();
            output::note("stopping after what has begun; Ctrl-C again ends at once");
            tokio::signal::ctrl_c().await?;
            crate::logging::flush();
            std::process::exit(130)
        })
    };
    // Without the listener Ctrl-C ends the program at once, which loses nothing that was reported.
    let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(listener);
    stop
}

/// Lets Ctrl-C end the program well and at once, after these last words: for commands that only look.
pub(crate) fn end_at_once(last_words: impl FnOnce() + Send + 'static) {
    let listener = move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(tokio::signal::ctrl_c())?;
        last_words();
        crate::logging::flush();
        std::process::exit(0)
    };
    // Without the listener Ctrl-C ends the program just as well, but for the exit code.
    let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(listener);
}
