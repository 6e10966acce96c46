//! One look-up for many who wait for the same key, on any executor.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, MutexGuard};

/// A look-up under way. One caller leads it, the others wait for what it brings.
pub(super) struct Flight<T> {
    state: Mutex<State<T>>,
}

enum State<T> {
    /// The wakers of those who wait, under numbers that they keep.
    Flying { next: u64, waiting: HashMap<u64, Waker> },
    /// It has landed; `None` when its leader went away without an answer.
    Landed(Option<T>),
}

impl<T: Clone> Flight<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State::Flying { next: 0, waiting: HashMap::new() }) }
    }

    /// Ends the flight and wakes everybody. `None` tells them to look for a new leader among themselves.
    pub(super) fn land(&self, outcome: Option<T>) {
        let before = std::mem::replace(&mut *self.lock(), State::Landed(outcome));
        // Woken outside the lock: a waker may run its task at once.
        if let State::Flying { waiting, .. } = before {
            waiting.into_values().for_each(Waker::wake);
        }
    }

    /// Waits for the end of the flight.
    pub(super) fn wait(self: Arc<Self>) -> Landing<T> {
        Landing { flight: self, number: None }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The future of one who waits. Dropping it leaves nothing behind.
pub(super) struct Landing<T: Clone> {
    flight: Arc<Flight<T>>,
    number: Option<u64>,
}

impl<T: Clone> Future for Landing<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        match &mut *this.flight.lock() {
            State::Landed(outcome) => Poll::Ready(outcome.clone()),
            State::Flying { next, waiting } => {
                let number = *this.number.get_or_insert_with(|| {
                    *next += 1;
                    *next
                });
                waiting.insert(number, context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T: Clone> Drop for Landing<T> {
    fn drop(&mut self) {
        if let (Some(number), State::Flying { waiting, .. }) =
            (self.number, &mut *self.flight.lock())
        {
            waiting.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn waiting(flight: &Flight<u8>) -> usize {
        match &*flight.lock() {
            State::Flying { waiting, .. } => waiting.len(),
            State::Landed(_) => 0,
        }
    }

    #[test]
    fn everybody_gets_the_answer() {
        let flight = Arc::new(Flight::new());
        let mut early = Arc::clone(&flight).wait();
        assert_eq!(poll(&mut early), Poll::Pending);
        flight.land(Some(7));
        assert_eq!(poll(&mut early), Poll::Ready(Some(7)));
        assert_eq!(poll(&mut Arc::clone(&flight).wait()), Poll::Ready(Some(7)));
    }

    #[test]
    fn a_leader_that_goes_away_is_reported() {
        let flight = Arc::new(Flight::<u8>::new());
        let mut waiter = Arc::clone(&flight).wait();
        assert_eq!(poll(&mut waiter), Poll::Pending);
        flight.land(None);
        assert_eq!(poll(&mut waiter), Poll::Ready(None));
    }

    #[test]
    fn waiters_that_go_away_leave_nothing_behind() {
        let flight = Arc::new(Flight::<u8>::new());
        for _ in 0..100 {
            let mut waiter = Arc::clone(&flight).wait();
            assert_eq!(poll(&mut waiter), Poll::Pending);
            assert_eq!(poll(&mut waiter), Poll::Pending);
            assert_eq!(waiting(&flight), 1);
        }
        assert_eq!(waiting(&flight), 0);
    }
}
