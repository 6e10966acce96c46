//! The way of log lines to standard error: they gather in memory, and one thread writes what has
//! gathered.
//!
//! A request must not wait for whoever reads the log, and a system call for each line would be a
//! large part of what a request costs. A line on its own is written at once; after that the next
//! ones gather for a moment. When nobody reads and too much has gathered, lines are dropped, and
//! how many is said as soon as there is room again.

use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long lines gather after some were written.
const PAUSE: Duration = Duration::from_millis(10);
/// How many bytes may wait.
const ROOM: usize = 4 << 20;
/// How long the end of the program waits for its last lines to be taken.
const LAST_LINES: Duration = Duration::from_secs(1);

/// What takes the lines: there is one standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outlet;

static GATHERED: Gathered = Gathered {
    state: Mutex::new(State {
        lines: Vec::new(),
        dropped: 0,
        is_writing: false,
        is_idle: false,
        is_urgent: false,
    }),
    filled: Condvar::new(),
    written: Condvar::new(),
};

struct Gathered {
    state: Mutex<State>,
    /// There is something to write, or it is urgent.
    filled: Condvar,
    /// Everything was written.
    written: Condvar,
}

struct State {
    lines: Vec<u8>,
    dropped: u64,
    is_writing: bool,
    /// The writing thread waits for a line, and not just for the end of its pause.
    is_idle: bool,
    is_urgent: bool,
}

/// Starts the thread that writes.
pub(super) fn start() -> io::Result<()> {
    thread::Builder::new().name("log".to_owned()).spawn(|| GATHERED.write_for_ever()).map(drop)
}

/// Waits until everything is written, but not for a reader that takes nothing. To be called before
/// the program ends.
pub(crate) fn flush() {
    GATHERED.flush();
}

impl io::Write for Outlet {
    /// Takes one line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        GATHERED.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Gathered {
    fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.lines.len() + line.len() > ROOM {
            state.dropped += 1;
            return;
        }
        state.lines.extend_from_slice(line);
        let wake = std::mem::take(&mut state.is_idle);
        drop(state);
        if wake {
            self.filled.notify_one();
        }
    }

    fn write_for_ever(&self) {
        let mut batch = Vec::new();
        loop {
            let dropped = self.take(&mut batch);
            // Without anybody to read it there is no log, and the server goes on.
            let _ = io::stderr().write_all(&batch);
            batch.clear();
            if dropped > 0 {
                tracing::warn!(
                    dropped,
                    "log lines were dropped: they came faster than they were read"
                );
            }
            self.rest();
        }
    }

    /// Waits for lines and takes them; says how many were dropped since the last time.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        let mut state = self.lock();
        while state.lines.is_empty() {
            state.is_idle = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_idle = false;
        state.is_writing = true;
        std::mem::swap(&mut state.lines, batch);
        std::mem::take(&mut state.dropped)
    }

    /// Lets lines gather, unless somebody waits for the last of them.
    fn rest(&self) {
        let mut state = self.lock();
        state.is_writing = false;
        if state.lines.is_empty() {
            self.written.notify_all();
        }
        let rested = self.filled.wait_timeout_while(state, PAUSE, |state| !state.is_urgent);
        drop(rested);
    }

    fn flush(&self) {
        let mut state = self.lock();
        state.is_urgent = true;
        state.is_idle = false;
        self.filled.notify_all();
        let pending = |state: &mut State| state.is_writing || !state.lines.is_empty();
        let waited = self.written.wait_timeout_while(state, LAST_LINES, pending);
        drop(waited);
    }

    /// Nothing in here can panic half-way, so a poisoned lock still guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
