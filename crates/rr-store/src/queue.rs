//! A bounded queue between async callers and database threads: pushing never blocks.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    /// How many threads wait. Waking nobody would still be a system call.
    waiting: usize,
    /// How many items have to be there before it is worth waking one of them.
    wanted: usize,
}

/// How many items are worth waiting for, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) number: usize,
    pub(crate) patience: Duration,
}

impl Company {
    /// Takes what is there: a lone item waits for nobody.
    pub(crate) const NONE: Company = Company { number: 1, patience: Duration::ZERO };
}

/// Why an item was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize, max_weight: usize) -> Queue<T> {
        let items = VecDeque::new();
        let state = State { items, weight: 0, closed: false, waiting: 0, wanted: 1 };
        Queue { state: Mutex::new(state), filled: Condvar::new(), capacity, max_weight }
    }

    /// Adds an item. One item is always taken however heavy it is, or it could never be stored.
    pub(crate) fn push(&self, item: T, weight: usize) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if !self.has_room_beside(&state, weight) {
            return Err(Refused::Full);
        }
        state.weight += weight;
        state.items.push_back((item, weight));
        let wake = state.waiting > 0 && state.items.len() >= state.wanted;
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Whether it would take an item so heavy.
    pub(crate) fn has_room(&self, weight: usize) -> bool {
        self.has_room_beside(&self.lock(), weight)
    }

    fn has_room_beside(&self, state: &State<T>, weight: usize) -> bool {
        let fits = state.items.is_empty() || state.weight.saturating_add(weight) <= self.max_weight;
        state.items.len() < self.capacity && fits
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

    /// Waits for one item, then for as many as `company` asks for, then takes what is there. Only
    /// one thread may take batches.
    pub(crate) fn pop_batch(
        &self,
        max_items: usize,
        max_weight: usize,
        company: Company,
    ) -> Option<Vec<T>> {
        let first = self.pop()?;
        let mut batch = vec![first];
        let mut state = self.lock();
        let wanted = company.number.min(max_items).saturating_sub(batch.len());
        if state.items.len() < wanted && !company.patience.is_zero() {
            (state.waiting, state.wanted) = (state.waiting + 1, wanted);
            let too_few = |state: &mut State<T>| !state.closed && state.items.len() < wanted;
            (state, _) = self
                .filled
                .wait_timeout_while(state, company.patience, too_few)
                .unwrap_or_else(PoisonError::into_inner);
            (state.waiting, state.wanted) = (state.waiting - 1, 1);
        }
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
        assert!(queue.has_room(1_000));
        assert_eq!(queue.push('a', 1_000), Ok(()), "one item is always taken");
        assert!(!queue.has_room(1));
        assert_eq!(queue.push('b', 1), Err(Refused::Full), "too heavy");
        assert_eq!(queue.pop(), Some('a'));
        assert_eq!(queue.push('b', 5), Ok(()));
        assert_eq!(queue.push('c', 5), Ok(()));
        assert_eq!(queue.push('d', 0), Err(Refused::Full), "too many");
        assert!(!queue.has_room(0));
        queue.close();
        assert_eq!(queue.push('d', 0), Err(Refused::Closed));
        assert_eq!(queue.pop_batch(10, 10, Company::NONE), Some(vec!['b', 'c']));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn a_batch_takes_what_waits_within_its_bounds() {
        let queue = Queue::new(100, 100);
        for item in 0..5 {
            queue.push(item, 2).unwrap();
        }
        assert_eq!(queue.pop_batch(3, 100, Company::NONE), Some(vec![0, 1, 2]));
        assert_eq!(
            queue.pop_batch(3, 1, Company::NONE),
            Some(vec![3]),
            "the second is too heavy to join"
        );
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_batch_waits_for_company_that_comes_and_gives_up_on_one_that_does_not() {
        let queue = Queue::new(100, 100);
        let for_ever = Company { number: 3, patience: Duration::from_secs(600) };
        let taken = std::thread::scope(|scope| {
            let taken = scope.spawn(|| queue.pop_batch(10, 100, for_ever));
            for item in 0..3 {
                queue.push(item, 1).unwrap();
            }
            taken.join().unwrap()
        });
        assert_eq!(taken, Some(vec![0, 1, 2]));
        queue.push(3, 1).unwrap();
        let briefly = Company { number: 3, patience: Duration::from_millis(1) };
        assert_eq!(queue.pop_batch(10, 100, briefly), Some(vec![3]));
        queue.push(4, 1).unwrap();
        assert_eq!(queue.pop_batch(1, 100, for_ever), Some(vec![4]), "no more than fit");
        queue.push(5, 1).unwrap();
        queue.close();
        assert_eq!(queue.pop_batch(10, 100, for_ever), Some(vec![5]), "nobody will come any more");
        assert_eq!(queue.pop_batch(10, 100, for_ever), None);
    }
}
