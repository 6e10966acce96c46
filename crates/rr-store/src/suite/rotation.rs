//! Rotation: a new secret for the same key, and the old ones on their way out.

use std::time::Duration;

use rr_domain::Timestamp;
use rr_keys::{Beyond, KeyHash, KeyRecord, KeyStore, PermissionSet, Reach, secret_end};
use serde_json::{Value, json};

use super::*;
use crate::{KeyPatch, RotateKey, Rotation, RotationStart, SecretHash, Store, UpdateKey};

fn hash(number: u8) -> KeyHash {
    KeyHash::from_bytes([number; 32])
}

/// Key 1 gets the secret of this number.
fn rotation(number: u8, grace: u64) -> Rotation {
    Rotation {
        key_id: id(1),
        hash: SecretHash::plain(hash(number)),
        hint: format!("rr_hin{number}"),
        grace: Duration::from_secs(grace),
        start: RotationStart::Now,
        at_most: None,
    }
}

async fn end_of(store: &Store, number: u8) -> Option<Timestamp> {
    let record = store.find(hash(number)).await.unwrap().expect("a secret that is there");
    record.secret_ends_at.map(Timestamp::from_system_time)
}

async fn with_key_1(database: &TestDatabase) -> Store {
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    store
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_and_is_otherwise_the_same() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    let elsewhere = database.open();
    let before = store.key(id(1)).await.unwrap().unwrap();
    assert_eq!(before.grace_until, None);
    let seen = elsewhere.key_changes(None).await.unwrap().version;
    let rotated = store.rotate_key(rotation(11, 100), None, audit(10)).await.unwrap();
    assert!(matches!(rotated, RotateKey::Rotated(until) if until == at(110)), "{rotated:?}");
    assert!(elsewhere.key_changes(None).await.unwrap().version > seen, "other servers hear of it");
    assert_eq!(elsewhere.find(hash(11)).await.unwrap(), Some(before.record.clone()));
    assert_eq!(end_of(&elsewhere, 1).await, Some(at(110)));

    let read = store.key(id(1)).await.unwrap().unwrap();
    assert_eq!((read.hint.as_str(), read.grace_until), ("rr_hin11", Some(at(110))));
    assert_eq!((read.record, read.version > before.version), (before.record, true));
    store.create_key(key(2), None, audit(2)).await.unwrap();
    let listed = store.keys(first(10)).await.unwrap().items;
    let graces: Vec<_> = listed.iter().map(|row| (row.record.id, row.grace_until)).collect();
    assert_eq!(graces, [(id(2), None), (id(1), Some(at(110)))]);
    let patch = KeyPatch { name: Some("renamed".to_owned()), ..KeyPatch::default() };
    let patched = store.update_key(id(1), patch, audit(11)).await.unwrap();
    let UpdateKey::Updated(patched) = patched else { panic!("{patched:?}") };
    assert_eq!(patched.grace_until, Some(at(110)));

    let log = store.activity(first(10)).await.unwrap().items;
    let entry = log.iter().find(|row| row.action == "key.rotated").unwrap();
    assert_eq!(entry.subject, Some(format!("key:{}", id(1))));
    let detail: Value = serde_json::from_str(entry.detail.get()).unwrap();
    assert_eq!(
        detail,
        json!({
            "before": {"hint": "rr_abcd", "grace_until": null},
            "after": {"hint": "rr_hin11", "grace_until": at(110)},
        })
    );
}

/// The ends in the database after any row of rotations are those of rr-keys' rule.
#[tokio::test]
async fn each_secret_ends_by_the_rule_and_never_later_than_before() {
    for graces in [[100, 50, 500], [50, 100, 0], [0, 500, 500], [500, 500, 2_000]] {
        let database = TestDatabase::new();
        let store = with_key_1(&database).await;
        let mut secrets: Vec<(u8, Option<Timestamp>)> = vec![(1, None)];
        for (now, (number, grace)) in (10_i64..).step_by(10).zip((11_u8..).zip(graces)) {
            let rotated =
                store.rotate_key(rotation(number, grace), None, audit(now)).await.unwrap();
            let RotateKey::Rotated(grace_until) = rotated else { panic!("{rotated:?}") };
            let wished = at(now + i64::try_from(grace).unwrap());
            assert_eq!(grace_until, wished.min(at(1_000)), "the key itself ends at 1,000");
            for (_, end) in &mut secrets {
                let before = end.map(Timestamp::to_system_time);
                let after = secret_end(before, grace_until.to_system_time());
                *end = Some(Timestamp::from_system_time(after));
            }
            secrets.push((number, None));
            for (number, end) in &secrets {
                assert_eq!(end_of(&store, *number).await, *end, "{graces:?}: secret {number}");
            }
            let last = secrets.iter().filter_map(|(_, end)| *end).max();
            assert_eq!(store.key(id(1)).await.unwrap().unwrap().grace_until, last);
        }
    }
}

#[tokio::test]
async fn what_is_over_or_off_or_not_there_keeps_its_secret() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    let try_at = async |now, rotation: Rotation| {
        let tried = store.rotate_key(rotation, once("a", 1), audit(now)).await.unwrap();
        assert_eq!(store.find(hash(11)).await.unwrap(), None, "no new secret");
        assert_eq!(end_of(&store, 1).await, None, "the old one as it was");
        tried
    };
    let stranger = Rotation { key_id: id(2), ..rotation(11, 9) };
    assert!(matches!(try_at(5, stranger).await, RotateKey::NoSuchKey));
    let all = key(1).record;
    let own = Reach::of(&KeyRecord {
        permissions: ["manage_keys", "read_metrics"].into_iter().collect(),
        ..all.clone()
    });
    let bounded = Rotation { at_most: Some(own), ..rotation(11, 9) };
    let tried = try_at(5, bounded).await;
    assert!(
        matches!(tried, RotateKey::BeyondReach(Beyond::Permissions, all) if all == key(1).record.permissions)
    );
    let earlier = Some(at(999).to_system_time());
    let elsewhere = rr_keys::AllowList::parse(["10.0.0.0/8"]).unwrap();
    for (own, beyond) in [
        (Reach { expires_at: earlier, ..Reach::of(&all) }, Beyond::Expiry),
        (Reach { allowed_ips: elsewhere, ..Reach::of(&all) }, Beyond::Addresses),
    ] {
        let tried = try_at(5, Rotation { at_most: Some(own), ..rotation(11, 9) }).await;
        assert!(matches!(tried, RotateKey::BeyondReach(told, _) if told == beyond));
    }
    assert!(matches!(try_at(1_000, rotation(11, 9)).await, RotateKey::Expired));
    let switch = async |on| {
        let patch = KeyPatch { enabled: Some(on), ..KeyPatch::default() };
        store.update_key(id(1), patch, audit(6)).await.unwrap();
    };
    switch(false).await;
    assert!(matches!(try_at(7, rotation(11, 9)).await, RotateKey::Disabled));
    assert!(matches!(try_at(1_000, rotation(11, 9)).await, RotateKey::Expired));
    store.revoke_key(id(1), audit(8)).await.unwrap();
    assert!(matches!(try_at(9, rotation(11, 9)).await, RotateKey::Revoked));
    assert_eq!(audited(&store, "key.rotated").await, 0);
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_secret() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    // A refusal uses no id up.
    let nothing = PermissionSet::default();
    let own = Some(Reach { permissions: nothing, ..Reach::of(&key(1).record) });
    let refused = Rotation { at_most: own, ..rotation(11, 50) };
    store.rotate_key(refused, once("a", 1), audit(9)).await.unwrap();
    let rotate = |number, fingerprint| {
        store.rotate_key(rotation(number, 50), once("a", fingerprint), audit(10))
    };
    assert!(matches!(rotate(11, 1).await.unwrap(), RotateKey::Rotated(_)));
    for fingerprint in [1, 2] {
        assert!(matches!(rotate(12, fingerprint).await.unwrap(), RotateKey::AlreadyRotated));
    }
    assert_eq!(store.find(hash(12)).await.unwrap(), None);
    assert_eq!(end_of(&store, 11).await, None);
    assert_eq!(audited(&store, "key.rotated").await, 1);
}

#[tokio::test]
async fn rotations_at_the_same_time_leave_one_secret_without_an_end() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    let other = database.open();
    let all = (11..19_u8).map(|number| {
        let store = if number % 2 == 0 { &store } else { &other };
        store.rotate_key(rotation(number, 50), None, audit(10))
    });
    for rotated in futures_util::future::join_all(all).await {
        assert!(matches!(rotated.unwrap(), RotateKey::Rotated(_)));
    }
    let mut endless = Vec::new();
    for number in [1, 11, 12, 13, 14, 15, 16, 17, 18] {
        match end_of(&store, number).await {
            None => endless.push(number),
            Some(end) => assert_eq!(end, at(60)),
        }
    }
    let [newest] = endless[..] else { panic!("{endless:?}") };
    assert_eq!(store.key(id(1)).await.unwrap().unwrap().hint, format!("rr_hin{newest}"));
}

/// Key 1 gets the secret of this number, and the grace starts with its first use.
fn prepared(number: u8, grace: u64) -> Rotation {
    Rotation { start: RotationStart::FirstUse, ..rotation(number, grace) }
}

async fn first_use(store: &Store, number: u8, seconds: i64) -> bool {
    store.activate(hash(number), at(seconds).to_system_time()).await.unwrap()
}

#[tokio::test]
async fn a_pending_secret_ends_nothing_until_its_first_use_and_then_once() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    let before = store.key(id(1)).await.unwrap().unwrap();
    let made = store.rotate_key(prepared(11, 100), None, audit(10)).await.unwrap();
    assert!(matches!(made, RotateKey::Pending), "{made:?}");
    // Whoever starts anew knows it as well as whoever made it.
    let elsewhere = database.open();
    assert!(elsewhere.find(hash(11)).await.unwrap().unwrap().secret_pending);
    assert_eq!(end_of(&elsewhere, 1).await, None);
    let waits = elsewhere.key(id(1)).await.unwrap().unwrap();
    let pending = waits.pending.unwrap();
    assert_eq!((pending.hint.as_str(), pending.since, pending.grace_s), ("rr_hin11", at(10), 100));
    assert_eq!((waits.hint, waits.grace_until), (before.hint, None));

    let seen = store.key_changes(None).await.unwrap().version;
    let uses = futures_util::future::join_all((0..6).map(|n| {
        let store = if n % 2 == 0 { &store } else { &elsewhere };
        first_use(store, 11, 500)
    }));
    assert_eq!(
        uses.await.into_iter().filter(|active| *active).count(),
        1,
        "one of many is the first"
    );
    assert!(elsewhere.key_changes(None).await.unwrap().version > seen, "other servers hear of it");
    assert!(!first_use(&store, 11, 700).await);
    assert_eq!(end_of(&elsewhere, 1).await, Some(at(600)), "counted from the first use, once");
    assert_eq!(elsewhere.find(hash(11)).await.unwrap(), Some(before.record));
    let active = elsewhere.key(id(1)).await.unwrap().unwrap();
    assert_eq!((active.hint.as_str(), active.pending), ("rr_hin11", None));
    assert_eq!(active.grace_until, Some(at(600)));
    assert_eq!(audited(&store, "key.rotation_prepared").await, 1);
    assert_eq!(audited(&store, "key.rotated").await, 1);
}

/// Two servers may tell of them in any order, and their clocks may differ.
#[tokio::test]
async fn of_first_uses_at_once_the_earliest_starts_the_grace() {
    for round in 0..6 {
        let database = TestDatabase::new();
        let store = with_key_1(&database).await;
        let other = database.open();
        store.rotate_key(prepared(11, 100), None, audit(10)).await.unwrap();
        let uses = (0..6).map(|n| {
            let store = if n % 2 == 0 { &store } else { &other };
            first_use(store, 11, 500 + (n + round) % 6)
        });
        let told = futures_util::future::join_all(uses).await;
        assert_eq!(told.iter().filter(|first| **first).count(), 1, "one of them rotates");
        assert_eq!(end_of(&store, 1).await, Some(at(600)));
        assert_eq!(end_of(&store, 11).await, None);
    }
}

#[tokio::test]
async fn an_earlier_first_use_that_is_told_of_later_ends_nothing_but_what_came_before() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    store.rotate_key(prepared(11, 100), None, audit(10)).await.unwrap();
    assert!(first_use(&store, 11, 500).await);
    let seen = store.key_changes(None).await.unwrap().version;
    assert!(!first_use(&store, 11, 500).await && !first_use(&store, 11, 501).await);
    assert_eq!(store.key_changes(None).await.unwrap().version, seen, "nothing was changed");
    // A secret that waits is none of those before.
    store.rotate_key(prepared(12, 100), None, audit(502)).await.unwrap();
    let waits = store.key_changes(None).await.unwrap().version;
    assert!(!first_use(&store, 11, 498).await);
    assert_eq!(end_of(&store, 1).await, Some(at(598)));
    assert!(store.find(hash(12)).await.unwrap().unwrap().secret_pending);
    assert_eq!(end_of(&store, 12).await, None);
    assert!(store.key_changes(None).await.unwrap().version > waits, "other servers hear of it");
    // Once another has taken its place, it starts nothing any more.
    assert!(first_use(&store, 12, 510).await);
    assert!(!first_use(&store, 11, 400).await);
    let ends = [end_of(&store, 1).await, end_of(&store, 11).await, end_of(&store, 12).await];
    assert_eq!(ends, [Some(at(598)), Some(at(610)), None]);
    assert_eq!(audited(&store, "key.rotated").await, 3);
}

#[tokio::test]
async fn a_first_use_keeps_earlier_ends_and_the_end_of_the_key() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    store.rotate_key(rotation(11, 100), None, audit(10)).await.unwrap();
    store.rotate_key(prepared(12, 500), None, audit(20)).await.unwrap();
    assert!(first_use(&store, 12, 600).await);
    assert_eq!(end_of(&store, 1).await, Some(at(110)));
    assert_eq!(end_of(&store, 11).await, Some(at(1_000)), "the key itself ends at 1,000");
    assert_eq!(end_of(&store, 12).await, None);
}

#[tokio::test]
async fn a_further_rotation_takes_the_place_of_a_pending_secret() {
    for start in [RotationStart::Now, RotationStart::FirstUse] {
        let database = TestDatabase::new();
        let store = with_key_1(&database).await;
        store.rotate_key(prepared(11, 500), None, audit(10)).await.unwrap();
        let next = Rotation { start, ..rotation(12, 100) };
        store.rotate_key(next, None, audit(20)).await.unwrap();
        assert_eq!(end_of(&store, 11).await, Some(at(20)));
        assert!(!first_use(&store, 11, 30).await, "it is dead, and wakes nothing");
        let grace = (start == RotationStart::Now).then_some(at(120));
        assert_eq!(end_of(&store, 1).await, grace);
        assert_eq!(first_use(&store, 12, 40).await, grace.is_none());
        assert_eq!(end_of(&store, 1).await, Some(grace.unwrap_or(at(140))));
    }
}

#[tokio::test]
async fn a_first_use_changes_nothing_of_a_key_that_does_not_work() {
    let database = TestDatabase::new();
    let store = with_key_1(&database).await;
    store.rotate_key(prepared(11, 0), None, audit(10)).await.unwrap();
    assert!(!first_use(&store, 11, 1_000).await, "expired");
    let off = KeyPatch { enabled: Some(false), ..KeyPatch::default() };
    store.update_key(id(1), off, audit(11)).await.unwrap();
    assert!(!first_use(&store, 11, 12).await, "disabled");
    store.revoke_key(id(1), audit(13)).await.unwrap();
    assert!(!first_use(&store, 11, 14).await, "revoked");
    assert!(!first_use(&store, 99, 14).await, "not there");
    assert_eq!(end_of(&store, 1).await, None);
    assert!(store.find(hash(11)).await.unwrap().unwrap().secret_pending);
}
