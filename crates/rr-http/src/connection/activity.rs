//! What a connection is doing, shared between its stream and the requests that run on it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::time::Instant;

use crate::exchange::Exchange;

/// What the connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first byte of a request head.
    Waiting {
        /// Since when.
        since: Instant,
    },
    /// The rest of a request head.
    Head {
        /// When its first byte came.
        since: Instant,
    },
    /// Us: the application has the request. Slow bodies are the body reader's business.
    Serving,
    /// The end: it was refused, and the client may still be sending.
    Refused {
        /// When to stop listening to it.
        until: Instant,
    },
}

/// What became of a client's `Expect: 100-continue` (RFC 9110, section 10.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Continue {
    /// Nobody waits for one.
    Unasked,
    /// The client waits, and the application has not asked for the body.
    Held,
    /// The application wants the body: the client is to be told.
    Due,
}

/// One connection's state. Stream and requests live on the same worker thread.
#[derive(Debug)]
pub(crate) struct Activity {
    pub(super) phase: Cell<Phase>,
    /// Bytes handed to the framework since the last request began or ended.
    pub(super) head_bytes: Cell<usize>,
    /// The framework was asked once to parse before it gets more of an overlong head.
    pub(super) asked_to_parse: Cell<bool>,
    /// The application answered, and the answer is not wholly written yet.
    pub(super) answer_pending: Cell<bool>,
    /// The last request was answered before its body had arrived; the rest is thrown away.
    pub(super) unread_body: Cell<bool>,
    /// Whether the client of the present request waits to be told to send its body.
    pub(super) go_ahead: Cell<Continue>,
    /// No request has been served yet.
    pub(super) fresh: Cell<bool>,
    /// The present request. Forgotten with its last byte, while the processor still has it at hand: among
    /// hundreds of connections it is long gone from there when the next request comes.
    exchange: RefCell<Option<Rc<Exchange>>>,
}

impl Activity {
    pub(super) fn new() -> Rc<Activity> {
        Rc::new(Activity {
            phase: Cell::new(Phase::Waiting { since: Instant::now() }),
            head_bytes: Cell::new(0),
            asked_to_parse: Cell::new(false),
            answer_pending: Cell::new(false),
            unread_body: Cell::new(false),
            go_ahead: Cell::new(Continue::Unasked),
            fresh: Cell::new(true),
            exchange: RefCell::new(None),
        })
    }

    /// The application has a request; until the returned value is dropped, it is being served.
    /// `waits` says that its client sends no body before it is told to.
    pub(crate) fn serve(self: &Rc<Activity>, has_body: bool, waits: bool) -> Serving {
        self.phase.set(Phase::Serving);
        self.head_bytes.set(0);
        self.asked_to_parse.set(false);
        self.fresh.set(false);
        self.unread_body.set(has_body);
        self.go_ahead.set(if waits { Continue::Held } else { Continue::Unasked });
        Serving(Rc::clone(self))
    }

    /// What is known of the present request is kept here for those who serve it.
    pub(crate) fn keep_exchange(&self, exchange: &Rc<Exchange>) {
        self.exchange.replace(Some(Rc::clone(exchange)));
    }

    /// Does something with what is known of the present request.
    pub(crate) fn with_exchange<T>(&self, work: impl FnOnce(&Exchange) -> T) -> Option<T> {
        self.exchange.borrow().as_deref().map(work)
    }

    /// The application is about to read the body of the present request.
    pub(crate) fn wants_body(&self) {
        if self.go_ahead.get() == Continue::Held {
            self.go_ahead.set(Continue::Due);
        }
    }

    /// The client still waits to be told to send its body, and now never will be.
    pub(crate) fn was_never_asked(&self) -> bool {
        self.go_ahead.get() == Continue::Held
    }

    /// The body of the present request was read to its end.
    pub(crate) fn body_was_read(&self) {
        self.unread_body.set(false);
    }
}

/// A request is being served. Dropped with the last byte of its answer.
#[derive(Debug)]
pub(crate) struct Serving(Rc<Activity>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.answer_pending.set(true);
        self.0.phase.set(Phase::Waiting { since: Instant::now() });
        self.0.head_bytes.set(0);
        self.0.exchange.take();
    }
}
