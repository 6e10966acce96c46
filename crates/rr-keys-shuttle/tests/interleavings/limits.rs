//! (c) A use counts in every window of its key or in none, whoever comes at the same time and whatever changes.

use std::num::NonZeroU32;
use std::time::Duration;

use rr_keys_shuttle::{Denial, KeyRecord, RateLimit, RateLimits};

use crate::tools::{KEY, admitted, explore, issue, readers, record, verifier, verify};

/// Windows of an hour, in which nothing comes back here.
fn limits<const N: usize>(windows: [(&str, u32); N]) -> RateLimits {
    let window = Duration::from_secs(3_600);
    RateLimits::new(windows.map(|(name, uses)| {
        (name.parse().unwrap(), RateLimit { limit: NonZeroU32::new(uses).unwrap(), window })
    }))
    .unwrap()
}

#[test]
fn a_refused_use_leaves_no_trace_in_any_window() {
    explore(|| {
        let key = issue(1);
        let both = limits([("wide", 3), ("narrow", 2)]);
        let verifier = verifier(&[(&key, KeyRecord { rate_limits: both, ..record() })]);
        assert_eq!(admitted(readers(&verifier, &[&key, &key, &key, &key])), 2);
        // Without the window that has refused, the other shows what it knows: exactly one use is left.
        verifier.store().write(|rows| rows[0].1.rate_limits = limits([("wide", 3)]));
        verifier.forget(KEY);
        let status = verify(&verifier, &key).unwrap().rate_limits().unwrap();
        assert_eq!(status.windows()[0].remaining, 0);
        assert!(matches!(verify(&verifier, &key).unwrap_err(), Denial::RateLimited { .. }));
    });
}

#[test]
fn windows_that_change_meanwhile_keep_their_uses() {
    explore(|| {
        let key = issue(1);
        let before = limits([("wide", 3), ("narrow", 2)]);
        let verifier = verifier(&[(&key, KeyRecord { rate_limits: before, ..record() })]);
        let readers = readers(&verifier, &[&key, &key, &key]);
        let after = limits([("new", 9), ("narrow", 2), ("wide", 3)]);
        verifier.store().write(|rows| rows[0].1.rate_limits = after);
        verifier.forget(KEY);
        assert_eq!(admitted(readers), 2, "under the old windows, the new ones, or some of both");
        assert!(matches!(verify(&verifier, &key).unwrap_err(), Denial::RateLimited { .. }));
    });
}
