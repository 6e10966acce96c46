//! What a key with several windows may, and what it has used.

use std::num::NonZeroU32;

use proptest::prelude::*;

use super::super::bucket::fits;
use super::*;
use crate::RateLimit;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

fn limit(limit: u32, window: Duration) -> RateLimit {
    RateLimit { limit: NonZeroU32::new(limit).unwrap(), window }
}

fn record(windows: &[(&str, RateLimit)]) -> KeyRecord {
    let windows = windows.iter().map(|(name, limit)| (name.parse().unwrap(), *limit));
    KeyRecord {
        rate_limits: RateLimits::new(windows).unwrap(),
        ..KeyRecord::new(uuid::Uuid::nil(), "k", std::time::SystemTime::UNIX_EPOCH)
    }
}

fn status(spent: Spent, record: &KeyRecord) -> String {
    spent.status(record).unwrap().rate_limit()
}

/// (b) One request every 3 hours against 10 a day, 8 of them used, passes for ever.
#[test]
fn a_caller_within_its_average_is_never_refused() {
    let meter = Meter::default();
    let daily = record(&[("default", limit(10, Duration::from_secs(86_400)))]);
    for _ in 0..8 {
        assert!(meter.take(&daily, 0).is_ok());
    }
    for n in 1..=10_000 {
        assert!(meter.take(&daily, n * 3 * HOUR).is_ok(), "request {n}");
    }
}

#[test]
fn waiting_exactly_as_long_as_told_is_enough_and_necessary() {
    let meter = Meter::default();
    let three = record(&[("default", limit(3, Duration::from_secs(10)))]);
    for _ in 0..3 {
        meter.take(&three, SECOND).unwrap();
    }
    let overflow = meter.take(&three, SECOND).unwrap_err();
    // A third of ten seconds is no whole number of nanoseconds; rounding down would be a lie.
    assert_eq!(overflow.retry_after, Some(Duration::from_nanos(3_333_333_334)));
    assert!(meter.take(&three, SECOND + 3_333_333_333).is_err());
    assert!(meter.take(&three, SECOND + 3_333_333_334).is_ok());
}

#[test]
fn all_windows_or_none() {
    let meter = Meter::default();
    let both = record(&[
        ("default", limit(100, Duration::from_secs(3_600))),
        ("burst", limit(2, Duration::from_secs(1))),
    ]);
    assert!(meter.take(&both, 0).is_ok());
    let spent = meter.take(&both, 0).unwrap();
    for _ in 0..50 {
        assert!(meter.take(&both, 0).is_err(), "the burst is spent");
    }
    let spent_then = meter.take(&both, SECOND / 2).unwrap();
    assert_eq!(status(spent, &both), "\"default\";r=98;t=72, \"burst\";r=0;t=1");
    assert_eq!(status(spent_then, &both), "\"default\";r=97;t=108, \"burst\";r=0;t=1");
    assert_eq!(
        spent.status(&both).unwrap().rate_limit_policy(),
        "\"default\";q=100;w=3600, \"burst\";q=2;w=1"
    );
}

#[test]
fn editing_a_limit_is_no_refill() {
    let meter = Meter::default();
    let small = record(&[("default", limit(10, Duration::from_secs(10)))]);
    for _ in 0..10 {
        meter.take(&small, 0).unwrap();
    }
    let big = record(&[("default", limit(15, Duration::from_secs(60)))]);
    let passed = (0..20).filter(|_| meter.take(&big, 0).is_ok()).count();
    assert_eq!(passed, 5, "ten uses are outstanding under the new limit too");
    assert!(meter.take(&small, 0).is_err());
}

/// Names and not places say which uses belong to which window.
#[test]
fn moving_adding_and_removing_windows_refills_none() {
    let meter = Meter::default();
    let hour = |uses| limit(uses, Duration::from_secs(3_600));
    let (a, b, c) = (("a", hour(10)), ("b", hour(20)), ("c", hour(30)));
    let take = |windows: &[_]| {
        let record = record(windows);
        let spent = meter.take(&record, 0).unwrap();
        let left = spent.status(&record).unwrap();
        left.windows().iter().map(|window| window.remaining).collect::<Vec<_>>()
    };
    assert_eq!(take(&[a, b]), [9, 19]);
    assert_eq!(take(&[b, a]), [18, 8]);
    assert_eq!(take(&[b]), [17]);
    assert_eq!(take(&[c, b]), [29, 16]);
    assert_eq!(take(&[c, a, b]), [28, 7, 15], "a window that comes back soon has not refilled");
    assert_eq!(take(&[a, b, c]), [6, 14, 27]);
    let others: Vec<_> = ["d", "e", "f", "g"].map(|name| (name, hour(2))).into();
    assert_eq!(take(&others), [1; 4]);
    assert_eq!(meter.lock().buckets.len(), RateLimits::MOST, "and no more are kept");
}

#[test]
fn a_clock_that_is_set_neither_locks_out_nor_refills() {
    let once = record(&[("default", limit(1, Duration::from_secs(10)))]);
    let meter = Meter::default();
    meter.take(&once, 1_000 * SECOND).unwrap();
    // Back by an hour's worth: the wait is ten seconds from now, not an hour and ten seconds.
    let back = meter.take(&once, 10 * SECOND).unwrap_err();
    assert_eq!(back.retry_after, Some(Duration::from_secs(10)));
    assert!(meter.take(&once, 20 * SECOND).is_ok());
    // Two threads whose readings are a millisecond apart gain nothing by taking turns.
    let meter = Meter::default();
    let late = 50 * SECOND;
    let passed =
        (0..100_000_u64).filter(|n| meter.take(&once, late - (n % 2) * 1_000_000).is_ok()).count();
    assert_eq!(passed, 1);
}

#[test]
fn the_largest_limit_does_not_overflow() {
    let meter = Meter::default();
    let huge = record(&[("default", limit(u32::MAX, Duration::MAX))]);
    for now in [0, 1, u64::MAX - 1, u64::MAX] {
        assert!(meter.take(&huge, now).is_ok());
    }
    let none = record(&[("default", limit(1, Duration::ZERO))]);
    let meter = Meter::default();
    assert!((0..1_000).all(|_| meter.take(&none, 0).is_ok()), "a window of zero is no limit");
}

/// (c) N concurrent uses of what is left accept exactly what is left.
#[test]
fn concurrent_uses_are_exact() {
    let both = record(&[
        ("default", limit(1_000, Duration::from_secs(3_600))),
        ("more", limit(1_500, Duration::from_secs(3_600))),
    ]);
    let meter = Meter::default();
    for _ in 0..300 {
        meter.take(&both, 0).unwrap();
    }
    let passed = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let own = (0..500).filter(|_| meter.take(&both, 0).is_ok()).count();
                passed.fetch_add(own, std::sync::atomic::Ordering::Relaxed);
            });
        }
    });
    assert_eq!(passed.into_inner(), 700);
}

/// One request: how long after the one before, and under which of the key's records.
fn requests() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((0..60_u64, 0..2_usize), 1..120)
}

/// Two lists of windows that a key has in turn, each name with its one limit, some with a daily quota.
fn records() -> impl Strategy<Value = [Vec<(&'static str, u32, u64)>; 2]> {
    let window = |name| (1..6_u32, 1..200_u64).prop_map(move |(uses, window)| (name, uses, window));
    let windows = (window("a"), window("b"), window("c"), window("d"));
    let all = windows.prop_map(|(a, b, c, d)| vec![a, b, c, d]);
    all.prop_flat_map(|all| {
        let some = prop::sample::subsequence(all, 0..=4).prop_shuffle();
        [some.clone(), some]
    })
}

proptest! {
    /// The law, said slowly: for each window of the moment all uses that were admitted while the key had it.
    #[test]
    fn a_use_is_in_every_window_or_in_none(records in records(), requests in requests()) {
        let meter = Meter::default();
        let mut now = 0;
        let mut admitted: std::collections::HashMap<&str, Vec<u64>> = Default::default();
        for (pause, which) in requests {
            now += pause;
            let windows = &records[which];
            let limits: Vec<_> = windows
                .iter()
                .map(|(name, uses, window)| (*name, limit(*uses, Duration::from_nanos(*window))))
                .collect();
            let record = record(&limits);
            let room = |at: u64| {
                let of = |name| admitted.get(name).map_or(&[][..], Vec::as_slice);
                windows.iter().all(|(name, uses, window)| fits(of(name), at, *uses, *window))
            };
            match meter.take(&record, now) {
                Ok(_) => prop_assert!(room(now)),
                Err(overflow) => {
                    prop_assert!(!room(now));
                    let wait = u64::try_from(overflow.retry_after.unwrap().as_nanos()).unwrap();
                    prop_assert!(room(now + wait), "the longest wait of those that refuse");
                    prop_assert!(!room(now + wait - 1), "and no longer");
                    continue;
                }
            }
            for (name, ..) in windows {
                admitted.entry(name).or_default().push(now);
            }
        }
    }
}
