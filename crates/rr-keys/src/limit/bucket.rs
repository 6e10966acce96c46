//! One leaky bucket.

use std::num::NonZeroU32;
use std::time::Duration;

use super::RateLimit;
use super::status::whole_seconds;

/// A clock that goes back by more than this was set; by less, two threads read it at about the same time.
const CLOCK_SKEW_NS: u64 = 1_000_000_000;

/// What is left of one window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) remaining: u32,
    /// Up to 136 years, which the header field can say just as well.
    pub(super) reset_s: u32,
}

/// One bucket. The level is counted in nanoseconds times uses, so that both the pouring (`window` per use)
/// and the draining (`limit` per nanosecond) are whole numbers and no rounding ever adds up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    level: u128,
    at_ns: u64,
    limit: NonZeroU32,
    window_ns: u64,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { level: 0, at_ns: 0, limit: NonZeroU32::MIN, window_ns: 0 }
    }
}

impl Bucket {
    /// Pours one use in, or says how long to wait.
    pub(crate) fn take(&mut self, limit: RateLimit, now_ns: u64) -> Result<(), Duration> {
        self.drain(limit, now_ns);
        match self.wait_ns(limit) {
            0 => {
                self.pour();
                Ok(())
            }
            wait => Err(Duration::from_nanos(wait)),
        }
    }

    /// Takes one use out again.
    pub(crate) fn give_back(&mut self, limit: RateLimit) {
        self.level = self.level.saturating_sub(u128::from(window_ns(limit)));
    }

    pub(super) fn pour(&mut self) {
        self.level += u128::from(self.window_ns);
    }

    /// Brings the bucket to `now_ns` and to the limit as it is today.
    pub(super) fn drain(&mut self, limit: RateLimit, now_ns: u64) {
        self.level = self.level_at(now_ns);
        if now_ns > self.at_ns || self.at_ns - now_ns > CLOCK_SKEW_NS {
            self.at_ns = now_ns;
        }
        let window_ns = window_ns(limit);
        if (limit.limit, window_ns) != (self.limit, self.window_ns) {
            // An edited limit keeps the number of uses that are outstanding: editing is no way to a refill.
            let uses = self.level.div_ceil(u128::from(self.window_ns.max(1)));
            self.level = uses.min(u128::from(limit.limit.get())) * u128::from(window_ns);
            (self.limit, self.window_ns) = (limit.limit, window_ns);
        }
    }

    pub(super) fn level_at(&self, now_ns: u64) -> u128 {
        let elapsed = now_ns.saturating_sub(self.at_ns);
        self.level.saturating_sub(u128::from(elapsed) * u128::from(self.limit.get()))
    }

    /// When it will be empty.
    pub(super) fn drained_at(&self, now_ns: u64) -> u64 {
        let rest = self.level_at(now_ns).div_ceil(u128::from(self.limit.get()));
        now_ns.saturating_add(narrow(rest))
    }

    /// The time until one more use fits; zero when it fits now.
    pub(super) fn wait_ns(&self, limit: RateLimit) -> u64 {
        let full = capacity(limit);
        let excess = (self.level + u128::from(self.window_ns)).saturating_sub(full);
        // Nearly always; a division of 128 bits costs more than the rest of this.
        if excess == 0 {
            return 0;
        }
        narrow(excess.div_ceil(u128::from(limit.limit.get())))
    }

    pub(super) fn left(&self, limit: RateLimit) -> Left {
        let free = capacity(limit).saturating_sub(self.level);
        let remaining = match self.window_ns {
            0 => limit.limit.get(),
            window => u32::try_from(free / u128::from(window)).unwrap_or(u32::MAX),
        };
        let reset =
            Duration::from_nanos(narrow(self.level.div_ceil(u128::from(limit.limit.get()))));
        let reset_s = u32::try_from(whole_seconds(reset)).unwrap_or(u32::MAX);
        Left { remaining, reset_s }
    }
}

fn window_ns(limit: RateLimit) -> u64 {
    u64::try_from(limit.window.as_nanos()).unwrap_or(u64::MAX)
}

fn capacity(limit: RateLimit) -> u128 {
    u128::from(limit.limit.get()) * u128::from(window_ns(limit))
}

fn narrow(nanoseconds: u128) -> u64 {
    u64::try_from(nanoseconds).unwrap_or(u64::MAX)
}

/// What a bucket means, said slowly: in every stretch that ends now, no more than `limit` uses and what
/// came back in that stretch.
#[cfg(test)]
pub(super) fn fits(accepted: &[u64], now: u64, limit: u32, window: u64) -> bool {
    let (limit, window) = (u128::from(limit), u128::from(window));
    accepted
        .iter()
        .rev()
        .zip(2_u128..)
        .all(|(start, uses)| uses * window <= limit * window + u128::from(now - start) * limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(limit: u32, window: Duration) -> RateLimit {
        RateLimit { limit: NonZeroU32::new(limit).unwrap(), window }
    }

    proptest! {
        #[test]
        fn the_bucket_agrees_with_its_meaning(
            uses in 1..20_u32,
            window in 1..1_000_u64,
            steps in prop::collection::vec(0..200_u64, 1..200),
        ) {
            let mut bucket = Bucket::default();
            let limit = limit(uses, Duration::from_nanos(window));
            let (mut now, mut accepted) = (0, Vec::new());
            for step in steps {
                now += step;
                let expected = fits(&accepted, now, uses, window);
                let left = { let mut now_level = bucket; now_level.drain(limit, now); now_level.left(limit) };
                prop_assert_eq!(left.remaining > 0, expected, "what is announced holds");
                match bucket.take(limit, now) {
                    Ok(()) => prop_assert!(expected),
                    Err(wait) => {
                        prop_assert!(!expected);
                        let wait = u64::try_from(wait.as_nanos()).unwrap();
                        prop_assert!(fits(&accepted, now + wait, uses, window), "long enough");
                        prop_assert!(!fits(&accepted, now + wait - 1, uses, window), "no longer");
                        continue;
                    }
                }
                accepted.push(now);
            }
        }
    }
}
