//! Quotas as a caller meets them.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use super::tools::{block_on, issue, noon, record};
use crate::memory::MemoryStore;
use crate::{
    Denial, Grant, KeyRecord, QuotaPeriod, QuotaUse, Quotas, RateLimit, Request, Verifier,
    VerifierOptions, VerifyError, rotate, secret_end,
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn uses(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn with(quotas: &[(QuotaPeriod, u32)]) -> KeyRecord {
    let quotas = Quotas::new(quotas.iter().map(|(period, limit)| (*period, uses(*limit))));
    KeyRecord { quotas, ..record(0) }
}

fn verifier(key: KeyRecord) -> Verifier<MemoryStore> {
    let store = MemoryStore::new();
    store.insert(issue(0).hash, key);
    Verifier::new(store, VerifierOptions::default())
}

fn verify(verifier: &Verifier<MemoryStore>, now: SystemTime) -> Result<Grant, Denial> {
    verify_with(verifier, 0, now)
}

fn verify_with(
    verifier: &Verifier<MemoryStore>,
    secret: u64,
    now: SystemTime,
) -> Result<Grant, Denial> {
    let key = issue(secret);
    block_on(verifier.verify(key.secret.expose(), &Request::any(), now)).map_err(
        |error| match error {
            VerifyError::Denied(denial) => denial,
            VerifyError::Store(never) => match *never {},
        },
    )
}

/// Writes the usage down, as a service does every few seconds.
fn flush(verifier: &Verifier<MemoryStore>) {
    verifier.store().write_usage(&verifier.take_usage());
}

/// (b) One request every 3 hours against 10 a day, 8 of them used, passes for ever.
#[test]
fn a_caller_within_its_quota_is_never_refused() {
    let verifier = verifier(with(&[(QuotaPeriod::Day, 10)]));
    for _ in 0..8 {
        verify(&verifier, noon() + 20 * HOUR).unwrap();
    }
    for n in 1..=5_000 {
        assert!(verify(&verifier, noon() + 20 * HOUR + n * 3 * HOUR).is_ok(), "request {n}");
        if n % 7 == 0 {
            flush(&verifier);
        }
        if n % 31 == 0 {
            verifier.forget_all();
        }
    }
}

/// (c) N concurrent verifications on a quota of which N-k is left accept exactly N-k, whatever the cache and
/// the flush do meanwhile.
#[test]
fn concurrent_verifications_use_a_quota_exactly() {
    for fails in [false, true] {
        let verifier = verifier(with(&[(QuotaPeriod::Day, 900), (QuotaPeriod::Total, 1_000_000)]));
        for _ in 0..200 {
            verify(&verifier, noon()).unwrap();
        }
        let passed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for n in 0..400 {
                        if n % 50 == 0 {
                            verifier.forget(record(0).id);
                        }
                        let granted = verify(&verifier, noon()).is_ok();
                        passed.fetch_add(usize::from(granted), Ordering::Relaxed);
                    }
                });
            }
            scope.spawn(|| {
                for _ in 0..200 {
                    if fails {
                        verifier.restore_usage(verifier.take_usage());
                    } else {
                        flush(&verifier);
                    }
                }
            });
        });
        assert_eq!(passed.into_inner(), 700);
        flush(&verifier);
        let stored = block_on(crate::KeyStore::find(verifier.store(), issue(0).hash)).unwrap();
        let used = stored.unwrap().quotas.used();
        assert_eq!((used.day, used.month, used.total), (900, 900, 900));
    }
}

#[test]
fn the_answer_says_what_is_left_and_when_the_period_ends() {
    let key = KeyRecord {
        rate_limits: RateLimit { limit: uses(100), window: Duration::from_secs(60) }.into(),
        ..with(&[(QuotaPeriod::Day, 2), (QuotaPeriod::Month, 3), (QuotaPeriod::Total, 4)])
    };
    // The 28th of February 2026, eighteen hours in.
    let evening = noon() + 58 * DAY + 18 * HOUR;
    let verifier = verifier(key);
    let limits = verify(&verifier, evening).unwrap().rate_limits().unwrap();
    assert_eq!(
        limits.rate_limit(),
        "\"default\";r=99;t=1, \"quota-day\";r=1;t=21600, \"quota-month\";r=2;t=21600, \
         \"quota-total\";r=3"
    );
    assert_eq!(
        limits.rate_limit_policy(),
        "\"default\";q=100;w=60, \"quota-day\";q=2;w=86400, \"quota-month\";q=3;w=2419200, \
         \"quota-total\";q=4"
    );
    verify(&verifier, evening).unwrap();
    for (now, period, wait) in [
        (evening, QuotaPeriod::Day, Some(6 * HOUR)),
        (
            evening + Duration::from_nanos(1),
            QuotaPeriod::Day,
            Some(6 * HOUR - Duration::from_nanos(1)),
        ),
    ] {
        let denial = verify(&verifier, now).unwrap_err();
        assert_eq!((denial.code(), denial.http_status()), ("quota_exceeded", 429));
        assert_eq!(denial.retry_after(), wait);
        assert!(denial.limits().unwrap().rate_limit().contains("\"quota-day\";r=0;t="));
        assert!(matches!(denial, Denial::QuotaExceeded { period: found, .. } if found == period));
    }
    // A new day and a new month, and the last that the key will ever have.
    verify(&verifier, evening + 6 * HOUR).unwrap();
    verify(&verifier, evening + 6 * HOUR).unwrap();
    let denial = verify(&verifier, evening + 6 * HOUR).unwrap_err();
    assert_eq!(denial.retry_after(), None, "what is used up for good does not come back");
    assert_eq!(denial.to_string(), "the key has used up its quota (total)");
}

#[test]
fn a_refused_request_uses_nothing() {
    let key = KeyRecord {
        rate_limits: RateLimit { limit: uses(1), window: HOUR }.into(),
        ..with(&[(QuotaPeriod::Day, 2)])
    };
    let verifier = verifier(key);
    verify(&verifier, noon()).unwrap();
    for _ in 0..10 {
        let denial = verify(&verifier, noon()).unwrap_err();
        assert_eq!(denial.code(), "rate_limited");
        assert!(denial.limits().unwrap().rate_limit().contains("\"quota-day\";r=1"));
    }
    verify(&verifier, noon() + HOUR).unwrap();
    // Both are used up now; the one that lasts longer is told, and the pace is not charged.
    assert_eq!(verify(&verifier, noon() + HOUR).unwrap_err().code(), "quota_exceeded");
}

/// (e) Both secrets share one quota, and a rotation refills nothing.
#[test]
fn a_rotation_shares_the_quota() {
    let key = with(&[(QuotaPeriod::Day, 5)]);
    let verifier = verifier(key.clone());
    verify(&verifier, noon()).unwrap();
    flush(&verifier);
    let grace_until = rotate(&key, noon(), HOUR).unwrap();
    let find = crate::KeyStore::find(verifier.store(), issue(0).hash);
    let stored = block_on(find).unwrap().unwrap();
    let ends = Some(secret_end(None, grace_until));
    verifier.store().insert(issue(0).hash, KeyRecord { secret_ends_at: ends, ..stored.clone() });
    verifier.store().insert(issue(1).hash, stored);
    verifier.forget(key.id);
    let passed = (0..10).filter(|n| verify_with(&verifier, n % 2, noon()).is_ok()).count();
    assert_eq!(passed, 4);
    // The old secret's uses are told apart, so its holder can be asked to change.
    let usage = verifier.take_usage();
    assert_eq!((usage.len(), usage[0].count, usage[0].superseded.unwrap().count), (1, 4, 2));
    assert_eq!(usage[0].quota.unwrap().day, 4);
}

/// A crash forgets what was not written and nothing else; an orderly stop forgets nothing.
#[test]
fn a_quota_survives_a_restart_but_for_what_was_never_written() {
    let before = verifier(with(&[(QuotaPeriod::Day, 10), (QuotaPeriod::Total, 12)]));
    for _ in 0..4 {
        verify(&before, noon()).unwrap();
    }
    flush(&before);
    for _ in 0..3 {
        verify(&before, noon()).unwrap();
    }
    let stored = block_on(crate::KeyStore::find(before.store(), issue(0).hash)).unwrap().unwrap();
    let crashed = verifier(stored);
    let passed = (0..20).filter(|_| verify(&crashed, noon()).is_ok()).count();
    assert_eq!(passed, 6, "four were written");
    flush(&crashed);
    let stored = block_on(crate::KeyStore::find(crashed.store(), issue(0).hash)).unwrap().unwrap();
    let restarted = verifier(stored);
    assert_eq!(verify(&restarted, noon()).unwrap_err().retry_after(), Some(DAY));
    let passed = (0..20).filter(|_| verify(&restarted, noon() + DAY).is_ok()).count();
    assert_eq!(passed, 2, "of twelve in all");
}

/// Another node writes its uses to the same store; this one hears of them when it asks again.
#[test]
fn what_other_nodes_have_written_counts_here_too() {
    let key = with(&[(QuotaPeriod::Day, 10)]);
    let verifier = verifier(key.clone());
    for _ in 0..3 {
        verify(&verifier, noon()).unwrap();
    }
    let elsewhere = QuotaUse { day_start: noon(), day: 5, total: 5, ..QuotaUse::default() };
    let told = |used| {
        let quotas = key.quotas.clone().with_used(used);
        verifier.store().insert(issue(0).hash, KeyRecord { quotas, ..key.clone() });
        verifier.forget(key.id);
    };
    told(elsewhere);
    let passed = (0..20).filter(|_| verify(&verifier, noon()).is_ok()).count();
    assert_eq!(passed, 2, "five there and three here are used");
    // A clock that ran ahead somewhere uses up nothing of today.
    told(QuotaUse { day_start: noon() + 400 * DAY, day: 10, ..elsewhere });
    assert_eq!(verify(&verifier, noon()).unwrap_err().code(), "quota_exceeded");
    verify(&verifier, noon() + DAY).unwrap();
}

#[test]
fn a_clock_that_is_set_back_neither_refills_nor_locks_out() {
    let verifier = verifier(with(&[(QuotaPeriod::Day, 2)]));
    verify(&verifier, noon() + 100 * DAY).unwrap();
    verify(&verifier, noon()).unwrap();
    let denial = verify(&verifier, noon()).unwrap_err();
    assert_eq!(denial.retry_after(), Some(DAY), "of the day that it is now");
    assert!(verify(&verifier, noon() + DAY).is_ok());
    // Two threads whose readings differ by a moment around midnight gain nothing by taking turns.
    let midnight = noon() + 50 * DAY;
    let moment = Duration::from_millis(1);
    let passed = (0..1_000)
        .filter(|n| {
            let now = if n % 2 == 0 { midnight } else { midnight - moment };
            verify(&verifier, now).is_ok()
        })
        .count();
    assert_eq!(passed, 2);
}
