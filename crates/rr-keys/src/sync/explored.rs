//! As much of `arc_swap` as the cache uses, with a lock that the scheduler knows: each operation is still one
//! step, before and after which any other thread may come.

use std::ops::Deref;
use std::sync::{Arc, PoisonError};

use shuttle::sync::Mutex;

pub(crate) struct ArcSwap<T>(Mutex<Arc<T>>);

impl<T> ArcSwap<T> {
    pub(crate) fn load(&self) -> Guard<Arc<T>> {
        Guard(Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(crate) fn swap(&self, new: Arc<T>) -> Arc<T> {
        std::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), new)
    }
}

/// Who spins lets another go on, for there is one processor.
pub(crate) fn spin_loop() {
    shuttle::thread::yield_now();
}

impl<T> From<Arc<T>> for ArcSwap<T> {
    fn from(arc: Arc<T>) -> Self {
        Self(Mutex::new(arc))
    }
}

pub(crate) struct Guard<T>(T);

impl<T> Guard<T> {
    pub(crate) fn from_inner(inner: T) -> Self {
        Self(inner)
    }

    pub(crate) fn into_inner(guard: Self) -> T {
        guard.0
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
