//! How many may follow at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::codes::Code;
use crate::limits::Limits;
use crate::problem::{Outcome, Problem};

/// Everybody who follows, by who it is.
#[derive(Clone)]
pub(super) struct Places(Arc<Shared>);

struct Shared {
    by_caller: Mutex<HashMap<Uuid, usize>>,
    taken: watch::Sender<usize>,
}

/// A reader's place; free again when this is dropped.
pub(super) struct Place {
    places: Places,
    caller: Uuid,
}

/// When to try again for a place.
const WAIT: Duration = Duration::from_secs(5);

impl Places {
    pub(super) fn new() -> Places {
        Places(Arc::new(Shared { by_caller: Mutex::default(), taken: watch::Sender::new(0) }))
    }

    /// A place, as long as neither the server nor the caller has as many readers as it may.
    pub(super) fn take(&self, caller: Uuid, limits: &Limits) -> Outcome<Place> {
        let mut by_caller = self.by_caller();
        if self.taken() >= limits.stream_readers {
            let detail = "As many readers follow as this server takes. Try again shortly.";
            return Err(Problem::new(Code::Busy).detail(detail).retry_after(WAIT));
        }
        let own = by_caller.entry(caller).or_default();
        let most = limits.stream_readers_per_caller;
        if *own >= most {
            let detail =
                format!("This credential has {most} readers already, and may have no more.");
            let limit = format!(r#""streams";r=0;t={}"#, WAIT.as_secs());
            let policy = format!(r#""streams";q={most};qu="concurrent-requests""#);
            return Err(Problem::new(Code::RateLimited)
                .detail(detail)
                .retry_after(WAIT)
                .rate_limit(limit, policy));
        }
        *own += 1;
        self.0.taken.send_modify(|taken| *taken += 1);
        Ok(Place { places: self.clone(), caller })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        *self.0.taken.borrow()
    }

    /// Ends when somebody follows.
    pub(super) async fn someone(&self) {
        // The sender is ours, so the channel stays open.
        let _ = self.0.taken.subscribe().wait_for(|taken| *taken > 0).await;
    }

    fn by_caller(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.0.by_caller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_caller = self.places.by_caller();
        if let Some(own) = by_caller.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                by_caller.remove(&self.caller);
            }
        }
        self.places.0.taken.send_modify(|taken| *taken -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_caller_and_in_all() {
        let limits = Limits { stream_readers: 3, stream_readers_per_caller: 2, ..Limits::STANDARD };
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let places = Places::new();
        let refusal = |caller| places.take(caller, &limits).err().map(|problem| problem.code());
        let first = places.take(one, &limits).ok().unwrap();
        let _second = places.take(one, &limits).ok().unwrap();
        assert_eq!(refusal(one), Some(Code::RateLimited));
        let third = places.take(two, &limits).ok().unwrap();
        assert_eq!(refusal(two), Some(Code::Busy));
        drop(first);
        assert_eq!(refusal(one), None);
        drop(third);
        assert_eq!(places.taken(), 1);
        assert_eq!(places.by_caller().len(), 1, "nobody is remembered for nothing");
    }
}
