//! How fast a key may be used: windows, the meter that enforces them, and what to tell the caller.
//!
//! Each window is a leaky bucket (GCRA counted in whole numbers): a use pours one unit in, time drains
//! `limit` units per `window`, and a use that would overflow is refused and pours nothing. A caller that
//! keeps to its average rate is never refused, and there is no instant at which everybody's count resets.
//!
//! Of several windows all must have room. A use goes into each of them, or a refused one into none.

mod bucket;
mod limits;
mod meter;
mod name;
mod status;

use std::num::NonZeroU32;
use std::time::Duration;

pub(crate) use bucket::Bucket;
pub use limits::{InvalidLimits, RateLimits};
pub(crate) use meter::{Meter, Spent};
pub use name::{InvalidWindowName, WindowName};
pub use status::{QuotaStatus, RateLimitStatus, WindowStatus};

/// At most `limit` uses at once, refilled evenly over `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The number of uses.
    pub limit: NonZeroU32,
    /// The time over which they come back. Zero means no limit.
    pub window: Duration,
}

impl RateLimit {
    /// Whether this lets through at most as much as `outer`, at once and in the long run. Without a window
    /// everything is let through.
    fn is_within(self, outer: Self) -> bool {
        // Below 2^94 nanoseconds times 2^32.
        let pace = |limit: Self, of: Self| u128::from(limit.limit.get()) * of.window.as_nanos();
        self.limit <= outer.limit && pace(self, outer) <= pace(outer, self)
    }
}
