//! Leaks: a public secret ends for good, and takes along only the key that has no newer one.

use std::time::Duration;

use rr_domain::Timestamp;
use rr_keys::{KeyFormat, KeyHash, KeyStore, KeyUsage};
use serde_json::{Value, json};

use super::*;
use crate::{
    KeyRow, KeySchemes, KnownSecret, LeakPolicy, LeakReport, RotateKey, Rotation, SecretHash, Store,
};

use LeakPolicy::{Disable, Notify};

fn hash(number: u8) -> KeyHash {
    KeyHash::from_bytes([number; 32])
}

fn report(number: u8, url: Option<&str>) -> LeakReport {
    LeakReport { hashes: vec![hash(number)], url: url.map(str::to_owned) }
}

async fn leak(store: &Store, number: u8, url: Option<&str>, policy: LeakPolicy, seconds: i64) {
    store.report_leaks(vec![report(number, url)], policy, audit(seconds)).await.unwrap();
}

async fn end_of(store: &Store, number: u8) -> Option<Timestamp> {
    let record = store.find(hash(number)).await.unwrap().expect("a secret that is there");
    record.secret_ends_at.map(Timestamp::from_system_time)
}

async fn row(store: &Store, number: u128) -> KeyRow {
    store.key(id(number)).await.unwrap().unwrap()
}

async fn rotate(store: &Store, secret: u8, grace: u64, seconds: i64) -> RotateKey {
    let grace = Duration::from_secs(grace);
    let hint = "rr_next".to_owned();
    let rotation = Rotation {
        key_id: id(1),
        hash: SecretHash::plain(hash(secret)),
        hint,
        grace,
        start: crate::RotationStart::Now,
        at_most: None,
    };
    store.rotate_key(rotation, None, audit(seconds)).await.unwrap()
}

/// What the audit rows about leaks say, newest first.
async fn told(store: &Store) -> Vec<Value> {
    let rows = store.activity(first(100)).await.unwrap().items;
    let leaks = rows.iter().filter(|row| row.action == "key.leaked");
    leaks.map(|row| serde_json::from_str(row.detail.get()).unwrap()).collect()
}

#[test]
fn the_place_holds_no_secret_and_is_not_empty() {
    let (format, schemes) = (KeyFormat::REVENUE_RIPPLE, KeySchemes::default());
    let secret = ["rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw"].concat();
    let url = |url: &str| LeakReport::found(&format, &schemes, &secret, Some(url)).unwrap().url;
    let link = format!("https://x/?k={secret}&{secret}");
    assert_eq!(url(&link).unwrap(), "https://x/?k=…&…");
    assert_eq!(url(""), None);
    for other in ["", "rr_", &secret[..38]] {
        assert!(LeakReport::found(&format, &schemes, other, None).is_none(), "{other}");
    }
}

#[tokio::test]
async fn a_leaked_key_is_off_and_its_secret_dead_even_when_it_is_switched_on_again() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    store.create_key(key(2), None, audit(2)).await.unwrap();
    let before = row(&store, 1).await;
    assert_eq!(before.leak, None);
    let version = store.key_changes(None).await.unwrap().version;
    leak(&store, 1, Some("https://example.com/a"), Disable, 10).await;
    assert!(store.key_changes(None).await.unwrap().version > version, "other servers hear of it");
    let after = row(&store, 1).await;
    assert!(!after.record.enabled && after.version > before.version);
    assert_eq!(end_of(&store, 1).await, Some(at(10)));
    let shown = after.leak.unwrap();
    assert_eq!((shown.reported_at, shown.ends_at, shown.replaced), (at(10), Some(at(10)), false));
    assert_eq!(shown.url.as_deref(), Some("https://example.com/a"));
    assert_eq!(row(&store, 2).await.record, key(2).record, "nobody else is touched");

    let on = crate::KeyPatch { enabled: Some(true), ..Default::default() };
    store.update_key(id(1), on, audit(11)).await.unwrap();
    assert_eq!(end_of(&store, 1).await, Some(at(10)));
    assert!(matches!(rotate(&store, 11, 100, 12).await, RotateKey::Rotated(_)));
    assert_eq!(end_of(&store, 1).await, Some(at(10)), "a grace brings nothing back");
    assert_eq!(end_of(&store, 11).await, None);
    assert!(row(&store, 1).await.leak.unwrap().replaced);
    let listed = store.keys(first(10)).await.unwrap().items;
    let leaks: Vec<bool> = listed.iter().map(|row| row.leak.is_some()).collect();
    assert_eq!(leaks, [false, true]);
}

#[tokio::test]
async fn a_rotated_key_outlives_the_leak_of_an_older_secret() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    rotate(&store, 11, 0, 10).await;
    rotate(&store, 12, 100, 20).await;
    // Dead already, in its grace, and the newest.
    leak(&store, 1, None, Disable, 30).await;
    assert_eq!(end_of(&store, 1).await, Some(at(10)));
    assert!(row(&store, 1).await.record.enabled);
    leak(&store, 11, Some("u"), Disable, 31).await;
    assert_eq!(end_of(&store, 11).await, Some(at(31)));
    let shown = row(&store, 1).await;
    assert!(shown.record.enabled);
    assert_eq!(shown.leak.unwrap().ends_at, Some(at(31)), "the one that matters most");
    leak(&store, 12, None, Disable, 32).await;
    assert!(!row(&store, 1).await.record.enabled);
    assert_eq!(end_of(&store, 12).await, Some(at(32)));
    assert_eq!(audited(&store, "key.leaked").await, 3);
}

#[tokio::test]
async fn under_the_other_policy_it_works_on_and_its_uses_since_are_told() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let used = |count, seconds| {
        let last_used = at(seconds).to_system_time();
        let refused = rr_keys::UseTally { count: 10 * count, last_used, last_address: None };
        vec![KeyUsage { refused: Some(refused), ..KeyUsage::new(id(1), count, last_used) }]
    };
    record_usage(&store, used(5, 9)).await.unwrap();
    leak(&store, 1, None, Notify, 10).await;
    record_usage(&store, used(2, 12)).await.unwrap();
    // A second report does not begin the count anew; what it adds is where.
    leak(&store, 1, Some("u"), Notify, 13).await;
    let shown = row(&store, 1).await;
    assert!(shown.record.enabled);
    assert_eq!(end_of(&store, 1).await, None);
    let refused = shown.refused_uses();
    let leak_shown = shown.leak.unwrap();
    assert_eq!((leak_shown.uses_before, shown.use_count), (5, 7));
    assert_eq!((leak_shown.refused_before, refused), (50, 70));
    assert_eq!((leak_shown.reported_at, leak_shown.url.as_deref()), (at(10), Some("u")));
    assert_eq!((leak_shown.ends_at, leak_shown.replaced), (None, false));
    // A stricter policy later still ends it.
    leak(&store, 1, None, Disable, 14).await;
    assert_eq!(end_of(&store, 1).await, Some(at(14)));
    assert_eq!(row(&store, 1).await.leak.unwrap().uses_before, 5);
}

#[tokio::test]
async fn a_report_of_what_is_known_or_unknown_changes_nothing() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let known = async |number, url, policy, seconds| {
        let reports = vec![report(99, None), report(number, url)];
        let found = store.known_secrets(reports, policy, at(seconds)).await.unwrap();
        assert_eq!(found[0], None);
        found[1]
    };
    let first = KnownSecret { key_id: id(1), settled: false };
    let again = KnownSecret { settled: true, ..first };
    assert_eq!(known(1, Some("u"), Disable, 10).await, Some(first));
    leak(&store, 1, Some("u"), Disable, 10).await;
    let settled = row(&store, 1).await;
    for (url, policy) in [(Some("u"), Disable), (Some("elsewhere"), Disable), (None, Notify)] {
        assert_eq!(known(1, url, policy, 20).await, Some(again));
        leak(&store, 1, url, policy, 20).await;
        leak(&store, 99, url, policy, 20).await;
    }
    assert_eq!(row(&store, 1).await.version, settled.version);
    assert_eq!(store.known_secrets(Vec::new(), Disable, at(20)).await.unwrap(), []);
    assert_eq!(
        told(&store).await,
        [json!({
            "url": "u",
            "before": {"enabled": true, "secret_ends_at": null},
            "after": {"enabled": false, "secret_ends_at": at(10)},
        })]
    );
}

#[tokio::test]
async fn many_reports_are_one_transaction() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for number in 1..=3 {
        store.create_key(key(number), None, audit(1)).await.unwrap();
    }
    // The same secret in two places, one that nobody issued, and another key's.
    let reports =
        vec![report(1, Some("a")), report(1, Some("b")), report(99, None), report(3, None)];
    store.report_leaks(reports, Disable, audit(10)).await.unwrap();
    let enabled = async |number| row(&store, number).await.record.enabled;
    assert_eq!((enabled(1).await, enabled(2).await, enabled(3).await), (false, true, false));
    assert_eq!(row(&store, 1).await.leak.unwrap().url.as_deref(), Some("a"));
    assert_eq!(audited(&store, "key.leaked").await, 2);
    let many = (0..3_000).map(|number| report(u8::try_from(number % 250).unwrap(), None)).collect();
    let found = store.known_secrets(many, Disable, at(11)).await.unwrap();
    assert_eq!(found.iter().flatten().count(), 36);
}

#[tokio::test]
async fn keys_that_end_soon_are_listed_soonest_first() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let ends =
        [(1, Some(500)), (2, None), (3, Some(100)), (4, Some(101)), (5, Some(500)), (6, Some(400))];
    for (number, end) in ends {
        let mut new = key(number);
        new.record.expires_at = end.map(|end| at(end).to_system_time());
        store.create_key(new, None, audit(1)).await.unwrap();
    }
    for (number, end) in [(7, 300), (8, 300)] {
        let mut new = key(number);
        new.record.expires_at = Some(at(end).to_system_time());
        new.record.enabled = number != 7;
        store.create_key(new, None, audit(1)).await.unwrap();
    }
    store.revoke_key(id(8), audit(2)).await.unwrap();
    // After 100 and by 500: the bounds are as sharp as the expiry itself.
    let mut seen = Vec::new();
    let mut page = first(2);
    loop {
        let part = store.expiring_keys(at(100), at(500), page.clone()).await.unwrap();
        seen.extend(part.items.iter().map(|row| row.record.id));
        let Some(next) = part.next else { break };
        page.cursor = Some(next);
    }
    assert_eq!(seen, [id(4), id(6), id(1), id(5)]);
}
