//! Answers to many callers at once.
//!
//! To wake a task from another thread costs a system call, and its thread, woken for the first of a
//! batch, would handle that one and sleep again before the second is woken. So of the callers that
//! wait on one thread only one is woken from here, and it wakes the others, which costs next to nothing
//! on their own thread. A caller that went away hands that duty on.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

/// One question's two ends.
pub(crate) fn reply<T>() -> (Reply<T>, Answer<T>) {
    let slot = Arc::new(Slot(Mutex::new(State {
        value: None,
        waiting: None,
        others: Vec::new(),
        is_over: false,
    })));
    (Reply(Some(Arc::clone(&slot))), Answer(slot))
}

/// Where an answer goes. Dropped without one, it tells the caller that there will be none.
pub(crate) struct Reply<T>(Option<Arc<Slot<T>>>);

/// What a caller waits for; `None` when nobody is left who could answer.
pub(crate) struct Answer<T>(Arc<Slot<T>>);

struct Slot<T>(Mutex<State<T>>);

struct State<T> {
    /// The answer, or that there will be none.
    value: Option<Option<T>>,
    /// Who waits, and on which thread.
    waiting: Option<(ThreadId, Waker)>,
    /// Whom the one who waits has to wake.
    others: Vec<Waker>,
    /// The caller has its answer, or went away.
    is_over: bool,
}

impl<T> Slot<T> {
    /// Nothing in here can panic half-way, so a poisoned lock still guards a whole state.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers that are given together.
pub(crate) struct Round<T> {
    waiting: Vec<(ThreadId, Waker, Arc<Slot<T>>)>,
}

impl<T> Round<T> {
    pub(crate) fn new() -> Round<T> {
        Round { waiting: Vec::new() }
    }

    /// Answers one; it is told when the round is over.
    pub(crate) fn put(&mut self, mut reply: Reply<T>, value: T) {
        let Some(slot) = reply.0.take() else { return };
        let mut state = slot.lock();
        state.value = Some(Some(value));
        let waiting = state.waiting.take();
        drop(state);
        if let Some((thread, waker)) = waiting {
            self.waiting.push((thread, waker, slot));
        }
    }

    /// Wakes them all.
    pub(crate) fn wake(mut self) {
        while let Some((thread, waker, slot)) = self.waiting.pop() {
            let theirs = self.waiting.extract_if(.., |(other, ..)| *other == thread);
            let (mut state, theirs) = (slot.lock(), theirs.collect::<Vec<_>>());
            if state.is_over {
                // It was polled for another reason meanwhile and cannot wake anybody any more.
                self.waiting.extend(theirs);
                continue;
            }
            state.others = theirs.into_iter().map(|(_, waker, _)| waker).collect();
            drop(state);
            waker.wake();
        }
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.lock();
        let others = std::mem::take(&mut state.others);
        let value = state.value.take();
        match &value {
            Some(_) => state.is_over = true,
            None => state.waiting = Some((thread::current().id(), cx.waker().clone())),
        }
        drop(state);
        others.into_iter().for_each(Waker::wake);
        value.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_over = true;
        let others = std::mem::take(&mut state.others);
        drop(state);
        others.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let Some(slot) = self.0.take() else { return };
        let mut state = slot.lock();
        state.value = Some(None);
        let waiting = state.waiting.take();
        drop(state);
        if let Some((_, waker)) = waiting {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Caller {
        answer: Option<Answer<usize>>,
        bell: Arc<Bell>,
    }

    impl Caller {
        fn poll(&mut self) -> Poll<Option<usize>> {
            let waker = Waker::from(Arc::clone(&self.bell));
            Pin::new(self.answer.as_mut().unwrap()).poll(&mut Context::from_waker(&waker))
        }

        fn is_woken(&self) -> bool {
            self.bell.0.load(Ordering::SeqCst) > 0
        }
    }

    /// Callers that wait on this thread, and where their answers go.
    fn waiting(number: usize) -> (Vec<Caller>, Vec<Reply<usize>>) {
        let ends = (0..number).map(|_| reply());
        let (replies, mut callers): (Vec<_>, Vec<_>) = ends
            .map(|(reply, answer)| (reply, Caller { answer: Some(answer), bell: Arc::default() }))
            .unzip();
        assert!(callers.iter_mut().all(|caller| caller.poll().is_pending()));
        (callers, replies)
    }

    fn answer(replies: Vec<Reply<usize>>) -> Round<usize> {
        let mut round = Round::new();
        replies.into_iter().enumerate().for_each(|(number, reply)| round.put(reply, number));
        round
    }

    #[test]
    fn one_is_woken_and_wakes_the_others() {
        let (mut callers, replies) = waiting(5);
        answer(replies).wake();
        assert_eq!(callers.iter().filter(|caller| caller.is_woken()).count(), 1);
        let first = callers.iter().position(Caller::is_woken).unwrap();
        assert_eq!(callers[first].poll(), Poll::Ready(Some(first)));
        assert!(callers.iter().all(Caller::is_woken));
        for (number, caller) in callers.iter_mut().enumerate().filter(|(n, _)| *n != first) {
            assert_eq!(caller.poll(), Poll::Ready(Some(number)));
        }
    }

    #[test]
    fn who_goes_away_hands_the_duty_on() {
        let (mut callers, replies) = waiting(3);
        answer(replies).wake();
        let first = callers.iter().position(Caller::is_woken).unwrap();
        callers[first].answer = None;
        assert!(callers.iter().all(Caller::is_woken));

        // Or went away, or was polled for another reason, before anybody was woken.
        let (mut callers, replies) = waiting(4);
        callers[1].answer = None;
        let round = answer(replies);
        callers[3].answer = None;
        assert_eq!(callers[2].poll(), Poll::Ready(Some(2)));
        round.wake();
        assert!(callers[0].is_woken());
        assert_eq!(callers[0].poll(), Poll::Ready(Some(0)));
    }

    #[test]
    fn each_thread_has_one_that_is_woken() {
        let (here, mut replies) = waiting(3);
        let (there, more) = thread::spawn(|| waiting(3)).join().unwrap();
        replies.extend(more);
        answer(replies).wake();
        for callers in [here, there] {
            assert_eq!(callers.iter().filter(|caller| caller.is_woken()).count(), 1);
        }
    }

    #[test]
    fn a_reply_that_is_lost_is_told() {
        let (mut callers, replies) = waiting(1);
        drop(replies);
        assert!(callers[0].is_woken());
        assert_eq!(callers[0].poll(), Poll::Ready(None));
    }
}
