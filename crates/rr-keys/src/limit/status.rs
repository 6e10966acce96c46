//! What to tell a caller about its limits, in the words of the IETF draft on RateLimit header fields.

use std::num::NonZeroU32;
use std::time::Duration;

/// Where a key stands in each of its windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitStatus(Vec<WindowStatus>);

/// Where a key stands in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowStatus {
    /// The window's name, `default` for the nameless one.
    pub name: String,
    /// The uses that the window allows at once.
    pub limit: NonZeroU32,
    /// The time over which they come back.
    pub window: Duration,
    /// The uses left at this moment.
    pub remaining: u32,
    /// The time until all of them are back, in whole seconds, rounded up.
    pub reset_s: u64,
}

impl RateLimitStatus {
    pub(crate) fn new(windows: Vec<WindowStatus>) -> Self {
        Self(windows)
    }

    /// The windows, the nameless one first.
    pub fn windows(&self) -> &[WindowStatus] {
        &self.0
    }

    /// The value of the `RateLimit` field: `"default";r=99;t=1, "burst";r=4;t=1`.
    pub fn rate_limit(&self) -> String {
        self.list(|w| format!("\"{}\";r={};t={}", w.name, w.remaining, w.reset_s))
    }

    /// The value of the `RateLimit-Policy` field: `"default";q=100;w=60, "burst";q=5;w=1`.
    ///
    /// The draft counts windows in whole seconds, so a shorter one is announced as one second.
    pub fn rate_limit_policy(&self) -> String {
        self.list(|w| format!("\"{}\";q={};w={}", w.name, w.limit, whole_seconds(w.window)))
    }

    fn list(&self, item: impl Fn(&WindowStatus) -> String) -> String {
        self.0.iter().map(item).collect::<Vec<_>>().join(", ")
    }
}

/// Rounds up, for a caller that comes back a moment early would be refused again.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_values_follow_the_draft() {
        let window = |name: &str, limit, window, remaining, reset_s| WindowStatus {
            name: name.to_owned(),
            limit: NonZeroU32::new(limit).unwrap(),
            window,
            remaining,
            reset_s,
        };
        let status = RateLimitStatus::new(vec![
            window("default", 100, Duration::from_secs(60), 99, 1),
            window("burst", 5, Duration::from_millis(200), 4, 1),
        ]);
        assert_eq!(status.rate_limit(), "\"default\";r=99;t=1, \"burst\";r=4;t=1");
        assert_eq!(status.rate_limit_policy(), "\"default\";q=100;w=60, \"burst\";q=5;w=1");
    }

    #[test]
    fn seconds_round_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_nanos(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}
