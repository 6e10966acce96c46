//! What threads share on the way to the cache, all from here, so that `rr-keys-shuttle` can put a scheduler
//! beneath it that tries the interleavings one by one.

#[cfg(rr_shuttle)]
mod explored;

#[cfg(not(rr_shuttle))]
pub(crate) use arc_swap::{ArcSwap, Guard};
#[cfg(rr_shuttle)]
pub(crate) use explored::{ArcSwap, Guard};
#[cfg(rr_shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic::AtomicU32};
#[cfg(not(rr_shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicU32};
