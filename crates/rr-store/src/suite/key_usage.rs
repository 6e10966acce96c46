//! Usage of keys on its way into the database.

use std::time::{Duration, SystemTime};

use rr_domain::Timestamp;
use rr_keys::{KeyUsage, QuotaPeriod, QuotaUse, Quotas};

use super::*;
use crate::{KeyPatch, PermissionUses, RotateKey, Rotation, UpdateKey, UsageBatch, UseTally};

#[tokio::test]
async fn usage_adds_up_and_its_time_only_moves_forward() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for number in 1..=3 {
        store.create_key(key(number), None, audit(1)).await.unwrap();
    }
    let used = |number: u128, count, seconds, address: Option<&str>| KeyUsage {
        last_address: address.map(|address| address.parse().unwrap()),
        ..KeyUsage::new(id(number), count, at(seconds).to_system_time())
    };
    let version = store.key_changes(None).await.unwrap().version;
    let both = vec![used(1, 5, 100, Some("10.0.0.1")), used(2, 1, 50, None)];
    record_usage(&store, both).await.unwrap();
    record_usage(&store, vec![used(1, 2, 90, Some("10.0.0.9")), used(99, 1, 1, None)])
        .await
        .unwrap();
    record_usage(&store, vec![used(2, 3, 60, Some("::1"))]).await.unwrap();
    record_usage(&store, Vec::new()).await.unwrap();
    let row = async |number| store.key(id(number)).await.unwrap().unwrap();
    let one = row(1).await;
    assert_eq!((one.use_count, one.last_used_at), (7, Some(at(100))));
    assert_eq!(one.last_used_address, Some("10.0.0.1".parse().unwrap()));
    let two = row(2).await;
    assert_eq!((two.use_count, two.last_used_at), (4, Some(at(60))));
    assert_eq!(two.last_used_address, Some("::1".parse().unwrap()));
    assert_eq!((row(3).await.use_count, row(3).await.last_used_at), (0, None));
    assert_eq!(store.key_changes(None).await.unwrap().version, version, "use changes no decision");
}

#[tokio::test]
async fn usage_of_many_keys_fits_the_bind_limits() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let usage = (0..20_000).map(|number| KeyUsage::new(id(number), 1, at(1).to_system_time()));
    record_usage(&store, usage.collect()).await.unwrap();
    assert_eq!(store.key(id(1)).await.unwrap().unwrap().use_count, 1);
}

#[tokio::test]
async fn uses_are_kept_by_permission() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for number in 1..=2 {
        store.create_key(key(number), None, audit(1)).await.unwrap();
    }
    let used = |number: u128, seconds, permissions: &[(&str, u64)]| KeyUsage {
        permissions: permissions.iter().map(|(name, uses)| ((*name).to_owned(), *uses)).collect(),
        ..KeyUsage::new(id(number), 9, at(seconds).to_system_time())
    };
    let first_flush = vec![
        used(1, 20, &[("read_metrics", 5), ("gone", 1)]),
        used(2, 20, &[]),
        used(99, 20, &[("read_metrics", 1)]),
    ];
    record_usage(&store, first_flush).await.unwrap();
    record_usage(&store, vec![used(1, 10, &[("read_metrics", 2)])]).await.unwrap();
    record_usage(&store, vec![used(1, 30, &[("write_webhooks", 3)])]).await.unwrap();
    let row = store.key(id(1)).await.unwrap().unwrap();
    let uses = |permission: &str, uses, seconds| PermissionUses {
        permission: permission.to_owned(),
        uses,
        last_used_at: at(seconds),
    };
    let expected =
        [uses("gone", 1, 20), uses("read_metrics", 7, 20), uses("write_webhooks", 3, 30)];
    assert_eq!(row.permission_uses, expected, "the time of last use only moves forward");
    let listed = store.keys(first(10)).await.unwrap().items;
    let lists: Vec<_> = listed.iter().map(|row| row.permission_uses.len()).collect();
    assert_eq!(lists, [0, 3]);
    let many = |number: u64| (0..number).map(|n| (format!("p{n}"), 1)).collect();
    let usage = KeyUsage { permissions: many(2_000), ..used(2, 40, &[]) };
    record_usage(&store, vec![usage]).await.unwrap();
    assert_eq!(store.key(id(2)).await.unwrap().unwrap().permission_uses.len(), 2_000);
}

#[tokio::test]
async fn quotas_are_read_back_with_what_was_used_of_them() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let day = |n: u64| at(0).to_system_time() + Duration::from_secs(n * 86_400);
    let used = |day_start: SystemTime, month_start, uses| KeyUsage {
        quota: Some(QuotaUse { day_start, day: uses, month_start, month: uses, total: uses }),
        ..KeyUsage::new(id(1), uses, day_start)
    };
    let now = async || store.key(id(1)).await.unwrap().unwrap().record.quotas;
    assert_eq!(now().await, key(1).record.quotas, "nothing is used");
    record_usage(&store, vec![used(day(1), day(0), 5)]).await.unwrap();
    record_usage(&store, vec![used(day(1), day(0), 2)]).await.unwrap();
    let first = QuotaUse { day_start: day(1), day: 7, month_start: day(0), month: 7, total: 7 };
    assert_eq!(now().await.used(), first);
    record_usage(&store, vec![used(day(2), day(0), 3)]).await.unwrap();
    let second = QuotaUse { day_start: day(2), day: 3, month_start: day(0), month: 10, total: 10 };
    assert_eq!(now().await.used(), second);
    // Uses of yesterday that arrive late are uses of the month and in all.
    record_usage(&store, vec![used(day(1), day(0), 1)]).await.unwrap();
    record_usage(&store, vec![used(day(31), day(31), 4)]).await.unwrap();
    record_usage(&store, vec![used(day(30), day(0), 4)]).await.unwrap();
    let last = QuotaUse { day_start: day(31), day: 4, month_start: day(31), month: 4, total: 19 };
    assert_eq!(now().await.used(), last);
    // A use of which the rest is still to come moves no time.
    let before = store.key(id(1)).await.unwrap().unwrap();
    let early =
        KeyUsage { count: 0, last_used: SystemTime::UNIX_EPOCH, ..used(day(31), day(31), 1) };
    record_usage(&store, vec![early]).await.unwrap();
    let after = store.key(id(1)).await.unwrap().unwrap();
    assert_eq!((after.last_used_at, after.use_count), (before.last_used_at, before.use_count));
    assert_eq!(after.record.quotas.used().day, 5);

    let record = store.key_record(id(1)).await.unwrap().unwrap();
    assert_eq!(record, after.record, "the same without the rest of its row");
    assert_eq!(store.key_record(id(9)).await.unwrap(), None);

    // A change of the quotas keeps what was used; without quotas there is nothing to be used.
    let limit = std::num::NonZeroU32::new(7).unwrap();
    let quotas = Quotas::new(QuotaPeriod::ALL.map(|period| (period, limit)));
    for (wanted, total) in [(quotas.clone(), 20), (Quotas::default(), 0), (quotas, 20)] {
        let patch = KeyPatch { quotas: Some(wanted.clone()), ..KeyPatch::default() };
        let changed = store.update_key(id(1), patch, audit(2)).await.unwrap();
        let UpdateKey::Updated(changed) = changed else { panic!("{changed:?}") };
        let kept = changed.record.quotas;
        assert_eq!(kept.iter().collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>());
        assert_eq!(kept.used().total, total);
    }
    let detail = store.activity(super::first(1)).await.unwrap().items.remove(0).detail;
    assert!(detail.get().contains("quotas"), "{detail}");
}

#[tokio::test]
async fn uses_of_replaced_secrets_are_told_apart_until_the_next_rotation() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let used = |seconds, old: Option<(u64, i64, &str)>| KeyUsage {
        superseded: old.map(|(count, seconds, address)| rr_keys::UseTally {
            count,
            last_used: at(seconds).to_system_time(),
            last_address: Some(address.parse().unwrap()),
        }),
        ..KeyUsage::new(id(1), 10, at(seconds).to_system_time())
    };
    let old = async || store.key(id(1)).await.unwrap().unwrap().superseded;
    record_usage(&store, vec![used(50, None)]).await.unwrap();
    assert_eq!(old().await, None);
    record_usage(&store, vec![used(60, Some((3, 60, "10.0.0.1")))]).await.unwrap();
    record_usage(&store, vec![used(70, Some((2, 55, "10.0.0.2")))]).await.unwrap();
    record_usage(&store, vec![used(80, None)]).await.unwrap();
    let told =
        UseTally { uses: 5, last_used_at: at(60), last_address: Some("10.0.0.1".parse().unwrap()) };
    assert_eq!(old().await, Some(told));
    let rotation = Rotation {
        key_id: id(1),
        hash: crate::SecretHash::plain(rr_keys::KeyHash::from_bytes([11; 32])),
        hint: "rr_hint".to_owned(),
        grace: Duration::from_secs(9),
        start: crate::RotationStart::Now,
        at_most: None,
    };
    let rotated = store.rotate_key(rotation, None, audit(90)).await.unwrap();
    assert!(matches!(rotated, RotateKey::Rotated(_)));
    assert_eq!(old().await, None, "nobody has used what was replaced just now");
    let end: Option<Timestamp> = store.key(id(1)).await.unwrap().unwrap().grace_until;
    assert_eq!(end, Some(at(99)));
}

#[tokio::test]
async fn refused_attempts_add_up_beside_the_uses_and_outlive_a_rotation() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let refused = |count, seconds, address: Option<&str>| KeyUsage {
        refused: Some(rr_keys::UseTally {
            count,
            last_used: at(seconds).to_system_time(),
            last_address: address.map(|address| address.parse().unwrap()),
        }),
        ..KeyUsage::new(id(1), 0, SystemTime::UNIX_EPOCH)
    };
    let row = async || store.key(id(1)).await.unwrap().unwrap();
    record_usage(&store, vec![KeyUsage::new(id(1), 2, at(5).to_system_time())]).await.unwrap();
    assert_eq!(row().await.refused, None);
    record_usage(&store, vec![refused(3, 60, Some("10.0.0.1"))]).await.unwrap();
    record_usage(&store, vec![refused(2, 55, Some("10.0.0.2"))]).await.unwrap();
    let rotation = Rotation {
        key_id: id(1),
        hash: crate::SecretHash::plain(rr_keys::KeyHash::from_bytes([11; 32])),
        hint: "rr_hint".to_owned(),
        grace: Duration::ZERO,
        start: crate::RotationStart::Now,
        at_most: None,
    };
    store.rotate_key(rotation, None, audit(90)).await.unwrap();
    let shown = row().await;
    let told = |uses, seconds, address: Option<&str>| UseTally {
        uses,
        last_used_at: at(seconds),
        last_address: address.map(|address| address.parse().unwrap()),
    };
    assert_eq!(shown.refused, Some(told(5, 60, Some("10.0.0.1"))));
    assert_eq!((shown.use_count, shown.last_used_at), (2, Some(at(5))), "no attempt is a use");
    record_usage(&store, vec![refused(1, 95, None)]).await.unwrap();
    assert_eq!(row().await.refused, Some(told(6, 95, None)));
}

/// An error can hide that a batch was committed; handed in again, it counts once.
#[tokio::test]
async fn a_batch_that_is_handed_in_again_counts_once() {
    const MONTHS: i64 = 70 * 86_400;
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let day = at(0).to_system_time();
    let used = KeyUsage {
        quota: Some(QuotaUse { day_start: day, day: 5, month_start: day, month: 5, total: 5 }),
        permissions: [("read_metrics".to_owned(), 5)].into(),
        ..KeyUsage::new(id(1), 5, at(1).to_system_time())
    };
    let batch = |writer, number, seconds| UsageBatch {
        writer: id(writer),
        number,
        at: at(seconds),
        usage: vec![used.clone()],
    };
    let counted = async || {
        let row = store.key(id(1)).await.unwrap().unwrap();
        (row.use_count, row.permission_uses[0].uses)
    };
    for (batch, uses) in [
        (batch(50, 1, 1), 5),
        (batch(50, 1, 1), 5),
        (batch(50, 2, 2), 10),
        (batch(50, 2, 2), 10),
        (batch(50, 1, 1), 10),
        (batch(51, 1, 3), 15),
        (batch(51, 1, 3), 15),
        (batch(52, 1, MONTHS), 20),
    ] {
        store.record_usage(batch).await.unwrap();
        assert_eq!(counted().await, (uses, uses));
    }
    assert_eq!(
        number(&store, "SELECT count(*) FROM usage_writers").await,
        1,
        "who is gone is gone"
    );
}
