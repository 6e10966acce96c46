//! What to tell a caller about its limits, in the words of the IETF draft on RateLimit header fields.

use std::num::NonZeroU32;
use std::time::Duration;

use super::name::QUOTA_PREFIX;
use crate::{QuotaPeriod, WindowName};

/// Where a key stands in each of its windows and quotas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimitStatus {
    windows: Vec<WindowStatus>,
    quotas: Vec<QuotaStatus>,
}

/// Where a key stands in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowStatus {
    /// What it is called.
    pub name: WindowName,
    /// The uses that the window allows at once.
    pub limit: NonZeroU32,
    /// The time over which they come back.
    pub window: Duration,
    /// The uses left at this moment.
    pub remaining: u32,
    /// The time until all of them are back, in whole seconds, rounded up.
    pub reset_s: u64,
}

/// Where a key stands in one quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaStatus {
    /// What the quota is for.
    pub period: QuotaPeriod,
    /// The uses that it allows in one period.
    pub limit: NonZeroU32,
    /// The uses left in this one.
    pub remaining: u32,
    /// How long this period is, in seconds; `None` for a quota without an end.
    pub length_s: Option<u64>,
    /// The time until the next one, in seconds; `None` when none comes.
    pub reset_s: Option<u64>,
}

impl RateLimitStatus {
    pub(crate) fn new(windows: Vec<WindowStatus>, quotas: Vec<QuotaStatus>) -> Self {
        Self { windows, quotas }
    }

    /// The windows in their order.
    pub fn windows(&self) -> &[WindowStatus] {
        &self.windows
    }

    /// The quotas, that of the shortest period first.
    pub fn quotas(&self) -> &[QuotaStatus] {
        &self.quotas
    }

    /// The value of the `RateLimit` field: `"default";r=99;t=1, "quota-day";r=9999;t=43200`.
    pub fn rate_limit(&self) -> String {
        let windows = self
            .windows
            .iter()
            .map(|w| format!("\"{}\";r={};t={}", w.name, w.remaining, w.reset_s));
        let quotas = self.quotas.iter().map(|q| {
            let item = format!("\"{}\";r={}", q.name(), q.remaining);
            q.reset_s.map_or(item.clone(), |reset| format!("{item};t={reset}"))
        });
        windows.chain(quotas).collect::<Vec<_>>().join(", ")
    }

    /// The value of the `RateLimit-Policy` field: `"default";q=100;w=60, "quota-day";q=10000;w=86400`.
    ///
    /// The draft counts windows in whole seconds, so a shorter one is announced as one second. A quota
    /// without an end has no window. All of them count requests, which is what the draft takes for granted.
    pub fn rate_limit_policy(&self) -> String {
        let windows = self
            .windows
            .iter()
            .map(|w| format!("\"{}\";q={};w={}", w.name, w.limit, whole_seconds(w.window)));
        let quotas = self.quotas.iter().map(|q| {
            let item = format!("\"{}\";q={}", q.name(), q.limit);
            q.length_s.map_or(item.clone(), |length| format!("{item};w={length}"))
        });
        windows.chain(quotas).collect::<Vec<_>>().join(", ")
    }
}

impl QuotaStatus {
    fn name(&self) -> String {
        format!("{QUOTA_PREFIX}{}", self.period.name())
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
            name: name.parse().unwrap(),
            limit: NonZeroU32::new(limit).unwrap(),
            window,
            remaining,
            reset_s,
        };
        let windows = vec![
            window("default", 100, Duration::from_secs(60), 99, 1),
            window("burst", 5, Duration::from_millis(200), 4, 1),
        ];
        let status = RateLimitStatus::new(windows, Vec::new());
        assert_eq!(status.rate_limit(), "\"default\";r=99;t=1, \"burst\";r=4;t=1");
        assert_eq!(status.rate_limit_policy(), "\"default\";q=100;w=60, \"burst\";q=5;w=1");
        let quota = |period, remaining, length_s, reset_s| QuotaStatus {
            period,
            limit: NonZeroU32::new(10_000).unwrap(),
            remaining,
            length_s,
            reset_s,
        };
        let quotas = vec![
            quota(QuotaPeriod::Day, 9_999, Some(86_400), Some(43_200)),
            quota(QuotaPeriod::Total, 0, None, None),
        ];
        let windows = vec![window("default", 100, Duration::from_secs(60), 99, 1)];
        let status = RateLimitStatus::new(windows, quotas);
        assert_eq!(
            status.rate_limit(),
            "\"default\";r=99;t=1, \"quota-day\";r=9999;t=43200, \"quota-total\";r=0"
        );
        assert_eq!(
            status.rate_limit_policy(),
            "\"default\";q=100;w=60, \"quota-day\";q=10000;w=86400, \"quota-total\";q=10000"
        );
    }

    #[test]
    fn seconds_round_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_nanos(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}
