//! A bounded queue between async callers and database threads: pushing never blocks.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Holds at most `capacity` items and about `max_weight` bytes.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    capacity: usize,
    max_weight: usize,
}

struct State<T> {
    items: VecDeque<(T, usize)>,
    weight: usize,
    closed: bool,
    /// How many threads wait for an item. Waking nobody would still be a system call.
    waiting: usize,
}

/// Why an item was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize, max_weight: usize) -> Queue<T> {
        let state = State { items: VecDeque::new(), weight: 0, closed: false, waiting: 0 };
        Queue { state: Mutex::new(state), filled: Condvar::new(), capacity, max_weight }
    }

    /// Adds an item. One item is always taken however heavy it is, or it could never be stored.
    pub(crate) fn push(&self, item: T, weight: usize) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        let heavy = !state.items.is_empty() && state.weight + weight > self.max_weight;
        if state.items.len() >= self.capacity || heavy {
            return Err(Refused::Full);
        }
        state.weight += weight;
        state.items.push_back((item, weight));
        let wake = state.waiting > 0;
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for an item; `None` once the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some((item, weight)) = state.items.pop_front() {
                state.weight -= weight;
                return Some(item);
            }
            if state.closed {
                return None;
            }
            state.waiting += 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    /// Waits for one item, then takes what else is there already: a lone item waits for nobody.
    pub(crate) fn pop_batch(&self, max_items: usize, max_weight: usize) -> Option<Vec<T>> {
        let first = self.pop()?;
        let mut batch = vec![first];
        let mut state = self.lock();
        let mut taken = 0;
        while batch.len() < max_items
            && let Some((_, weight)) = state.items.front()
            && taken + weight <= max_weight
            && let Some((item, weight)) = state.items.pop_front()
        {
            state.weight -= weight;
            taken += weight;
            batch.push(item);
        }
        Some(batch)
    }

    /// Takes no more items; what is in it will still be handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().items.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Nothing in here can panic half-way, so a poisoned lock still guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_when_full_by_number_or_weight_and_when_closed() {
        let queue = Queue::new(2, 10);
        assert_eq!(queue.push('a', 1_000), Ok(()), "one item is always taken");
        assert_eq!(queue.push('b', 1), Err(Refused::Full), "too heavy");
        assert_eq!(queue.pop(), Some('a'));
        assert_eq!(queue.push('b', 5), Ok(()));
        assert_eq!(queue.push('c', 5), Ok(()));
        assert_eq!(queue.push('d', 0), Err(Refused::Full), "too many");
        queue.close();
        assert_eq!(queue.push('d', 0), Err(Refused::Closed));
        assert_eq!(queue.pop_batch(10, 10), Some(vec!['b', 'c']));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn a_batch_takes_what_waits_within_its_bounds() {
        let queue = Queue::new(100, 100);
        for item in 0..5 {
            queue.push(item, 2).unwrap();
        }
        assert_eq!(queue.pop_batch(3, 100), Some(vec![0, 1, 2]));
        assert_eq!(queue.pop_batch(3, 1), Some(vec![3]), "the second is too heavy to join");
        assert_eq!(queue.len(), 1);
    }
}
