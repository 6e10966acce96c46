//! What threads share on the way to the cache and in it, all from here, so that `rr-keys-shuttle` can put a
//! scheduler beneath it that tries the interleavings one by one.

#[cfg(rr_shuttle)]
mod explored;

#[cfg(not(rr_shuttle))]
pub(crate) use arc_swap::{ArcSwap, Guard};
#[cfg(rr_shuttle)]
pub(crate) use explored::{ArcSwap, Guard, spin_loop};
#[cfg(rr_shuttle)]
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, fence};
#[cfg(rr_shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
#[cfg(not(rr_shuttle))]
pub(crate) use std::hint::spin_loop;
#[cfg(not(rr_shuttle))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, fence};
#[cfg(not(rr_shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard};
