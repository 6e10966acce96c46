//! What a process hears of changed keys: each of them, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use rr_keys::{KeyHash, KeyStore, Reach};
use uuid::Uuid;

use super::*;
use crate::{
    Actor, Audit, ChangedKeys, CreateKey, ImportBatch, KeyChanges, KeyPatch, LeakPolicy,
    LeakReport, NewKey, RotateKey, Rotation, RotationStart, SecretHash, Store, UpdateKey,
};

fn rotation(key: u128, hash: u8) -> Rotation {
    Rotation {
        key_id: id(key),
        hash: SecretHash::plain(KeyHash::from_bytes([hash; 32])),
        hint: "rr_next".to_owned(),
        grace: Duration::from_secs(60),
        start: RotationStart::Now,
        at_most: None,
    }
}

fn named(name: &str) -> KeyPatch {
    KeyPatch { name: Some(name.to_owned()), ..KeyPatch::default() }
}

/// Looks once more, as another process, and says which keys it is told of.
async fn news(store: &Store, seen: &mut i64) -> Vec<Uuid> {
    let changes = store.key_changes(Some(*seen)).await.unwrap();
    *seen = changes.version;
    match changes.keys {
        ChangedKeys::These(ids) => ids,
        ChangedKeys::Unknown => panic!("it is known"),
    }
}

#[tokio::test]
async fn each_change_names_its_key_and_no_other() {
    let database = TestDatabase::new();
    let (store, other) = (database.migrated().await, database.open());
    let first = other.key_changes(None).await.unwrap();
    assert_eq!(first.keys, ChangedKeys::Unknown, "nobody looked before");
    let mut seen = first.version;
    for number in 1..=3 {
        store.create_key(key(number), None, audit(1)).await.unwrap();
    }
    assert_eq!(news(&other, &mut seen).await, [id(3), id(2), id(1)]);
    assert!(news(&other, &mut seen).await.is_empty(), "told once");

    store.update_key(id(2), named("renamed"), audit(2)).await.unwrap();
    assert_eq!(news(&other, &mut seen).await, [id(2)]);
    store.rotate_key(rotation(1, 11), None, audit(3)).await.unwrap();
    assert_eq!(news(&other, &mut seen).await, [id(1)]);
    let waiting = Rotation { start: RotationStart::FirstUse, ..rotation(1, 12) };
    store.rotate_key(waiting, None, audit(4)).await.unwrap();
    assert_eq!(news(&other, &mut seen).await, [id(1)]);
    let hash = KeyHash::from_bytes([12; 32]);
    assert!(store.activate(hash, at(5).to_system_time()).await.unwrap());
    assert_eq!(news(&other, &mut seen).await, [id(1)]);
    let leak = LeakReport { hashes: vec![key(3).hash.hash], url: None };
    store.report_leaks(vec![leak], LeakPolicy::Disable, audit(6)).await.unwrap();
    assert_eq!(news(&other, &mut seen).await, [id(3)]);
    store.revoke_key(id(2), audit(7)).await.unwrap();
    store.update_key(id(2), named("again"), audit(8)).await.unwrap();
    assert_eq!(news(&other, &mut seen).await, [id(2)], "two changes of one key");
}

#[tokio::test]
async fn what_is_refused_or_was_done_before_is_no_change() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for number in 1..=2 {
        store.create_key(key(number), once(&format!("k{number}"), 1), audit(1)).await.unwrap();
    }
    store.revoke_key(id(2), audit(2)).await.unwrap();
    let reported = || vec![LeakReport { hashes: vec![key(2).hash.hash], url: None }];
    store.report_leaks(reported(), LeakPolicy::Notify, audit(2)).await.unwrap();
    let before = store.key_changes(None).await.unwrap().version;

    let change = |number, patch: KeyPatch| store.update_key(id(number), patch, audit(3));
    assert!(matches!(change(9, named("x")).await.unwrap(), UpdateKey::NoSuchKey));
    let off = || KeyPatch { enabled: Some(false), ..KeyPatch::default() };
    assert!(matches!(change(2, off()).await.unwrap(), UpdateKey::Revoked));
    let nothing = Reach { permissions: Default::default(), ..Reach::of(&key(1).record) };
    let bound = KeyPatch { at_most: Some(nothing.clone()), ..off() };
    assert!(matches!(change(1, bound).await.unwrap(), UpdateKey::BeyondReach(..)));
    let late = KeyPatch { not_before: Some(Some(at(1_000_000))), ..KeyPatch::default() };
    assert!(matches!(change(1, late).await.unwrap(), UpdateKey::EndsBeforeItBegins));
    let wider = KeyPatch { allowed_ips: Some(Default::default()), ..KeyPatch::default() };
    let by_itself = Audit { actor: Actor::Key(id(1)), ..audit(3) };
    let widened = store.update_key(id(1), wider, by_itself).await.unwrap();
    assert!(matches!(widened, UpdateKey::WidensItself("allowed_ips")));

    let rotate = |rotation| store.rotate_key(rotation, None, audit(4));
    assert!(matches!(rotate(rotation(9, 11)).await.unwrap(), RotateKey::NoSuchKey));
    assert!(matches!(rotate(rotation(2, 11)).await.unwrap(), RotateKey::Revoked));
    let beyond = Rotation { at_most: Some(nothing), ..rotation(1, 11) };
    assert!(matches!(rotate(beyond).await.unwrap(), RotateKey::BeyondReach(..)));
    let nobodys = KeyHash::from_bytes([99; 32]);
    assert!(!store.activate(nobodys, at(5).to_system_time()).await.unwrap());

    let repeat = store.create_key(key(3), once("k1", 1), audit(5)).await.unwrap();
    assert!(matches!(repeat, CreateKey::AlreadyCreated(_)));
    assert!(store.revoke_key(id(2), audit(5)).await.unwrap(), "once more");
    assert!(!store.revoke_key(id(9), audit(5)).await.unwrap());
    store.report_leaks(reported(), LeakPolicy::Notify, audit(5)).await.unwrap();

    let after = store.key_changes(Some(before)).await.unwrap();
    assert_eq!(after, KeyChanges { version: before, keys: ChangedKeys::These(vec![]) });
}

#[tokio::test]
async fn where_not_all_is_told_anything_may_have_changed() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let now = store.key_changes(None).await.unwrap().version;
    let ahead = store.key_changes(Some(now + 1)).await.unwrap();
    let unknown = |version| KeyChanges { version, keys: ChangedKeys::Unknown };
    assert_eq!(ahead, unknown(now), "the database is older than what was seen of it");
    execute(&store, "UPDATE sequences SET value = value + 1 WHERE name = 'keys'").await;
    assert_eq!(store.key_changes(Some(now)).await.unwrap(), unknown(now + 1), "by hand");

    let imported = (2..1_002_u128).map(|number| {
        let mut new = key(2);
        new.record.id = id(number);
        let mut hash = [0; 32];
        hash[16..].copy_from_slice(&number.to_be_bytes());
        NewKey { hash: SecretHash::plain(KeyHash::from_bytes(hash)), ..new }
    });
    let all = ImportBatch { keys: imported.collect(), ..ImportBatch::default() };
    store.import_batch(all, audit(2)).await.unwrap();
    let told = store.key_changes(Some(now + 1)).await.unwrap();
    assert!(matches!(told.keys, ChangedKeys::These(ids) if ids.len() == 1_000));
    assert_eq!(store.key_changes(Some(now - 1)).await.unwrap(), unknown(now + 1_001), "too many");
}

/// Several processes write and one follows: what is committed later is never told of as earlier.
#[tokio::test]
async fn no_change_is_passed_over() {
    const KEYS: u8 = 24;
    let database = TestDatabase::new();
    let follower = database.migrated().await;
    for number in 1..=KEYS {
        follower.create_key(key(number), None, audit(1)).await.unwrap();
    }
    let mut seen = follower.key_changes(None).await.unwrap().version;
    let writers: Vec<_> = (0..3_u8)
        .map(|own| {
            let store = database.open();
            tokio::spawn(async move {
                for number in (1..=KEYS).filter(|number| number % 3 == own) {
                    let changed = store.update_key(id(number.into()), named("new"), audit(2)).await;
                    assert!(matches!(changed, Ok(UpdateKey::Updated(_))), "{changed:?}");
                }
            })
        })
        .collect();
    let mut told = BTreeSet::new();
    loop {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        told.extend(news(&follower, &mut seen).await);
        if is_over {
            break;
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(told, (1..=KEYS.into()).map(id).collect());
}
