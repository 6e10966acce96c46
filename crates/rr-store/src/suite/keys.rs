//! Keys: kept whole, revoked for good, counted forward.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use rr_keys::{
    AllowList, Beyond, KeyHash, KeyStore, QuotaPeriod, Quotas, RateLimit, RateLimits, Reach,
};

use super::*;
use crate::{Actor, Audit, CreateKey, KeyPatch, UpdateKey};

#[tokio::test]
async fn a_key_is_kept_whole_and_found_by_its_hash() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let version = store.key_changes(None).await.unwrap().version;
    let new = key(1);
    let CreateKey::Created(row) = store.create_key(new.clone(), None, audit(1)).await.unwrap()
    else {
        panic!("a new key is created");
    };
    assert_eq!(row.record, new.record);
    assert_eq!(store.find(new.hash.hash).await.unwrap(), Some(new.record.clone()));
    assert_eq!(store.find(KeyHash::from_bytes([9; 32])).await.unwrap(), None);
    let read = store.key(id(1)).await.unwrap().unwrap();
    assert_eq!(read.record, new.record);
    assert_eq!((read.hint.as_str(), read.use_count), ("rr_abcd", 0));
    assert!(store.key_changes(None).await.unwrap().version > version);
    assert_eq!(audited(&store, "key.created").await, 1);
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_key() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let create = |number, id| store.create_key(key(number), id, audit(1));
    assert!(matches!(create(1, once("x", 1)).await.unwrap(), CreateKey::Created(_)));
    for fingerprint in [1, 2] {
        let repeat = create(2, once("x", fingerprint)).await.unwrap();
        assert!(matches!(repeat, CreateKey::AlreadyCreated(first) if first == id(1)));
    }
    let same_hash = create(1, None).await.unwrap();
    assert!(matches!(same_hash, CreateKey::AlreadyCreated(first) if first == id(1)));
    assert_eq!(store.keys(first(10)).await.unwrap().items.len(), 1);
    assert_eq!(audited(&store, "key.created").await, 1);
}

#[tokio::test]
async fn revocation_is_visible_at_once_and_for_good() {
    let database = TestDatabase::new();
    let one = database.migrated().await;
    let two = database.open();
    one.create_key(key(1), None, audit(1)).await.unwrap();
    assert!(two.find(key(1).hash.hash).await.unwrap().unwrap().revoked_at.is_none());
    let version = two.key_changes(None).await.unwrap().version;
    assert!(one.revoke_key(id(1), audit(5)).await.unwrap());
    let revoked_at = Some(at(5).to_system_time());
    assert_eq!(two.find(key(1).hash.hash).await.unwrap().unwrap().revoked_at, revoked_at);
    assert!(two.key_changes(None).await.unwrap().version > version);
    assert!(one.revoke_key(id(1), audit(9)).await.unwrap(), "it exists");
    assert_eq!(one.key(id(1)).await.unwrap().unwrap().record.revoked_at, revoked_at);
    assert!(!one.revoke_key(id(2), audit(9)).await.unwrap());
    assert_eq!(audited(&one, "key.revoked").await, 1);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    let notes: BTreeMap<String, String> = [("team", "sales"), ("since", "2026")]
        .map(|(name, note)| (name.into(), note.into()))
        .into();
    let hour = Duration::from_secs(3_600);
    let once_an_hour = RateLimits::from(RateLimit { limit: NonZeroU32::MIN, window: hour });
    let patch = KeyPatch {
        name: Some("renamed".to_owned()),
        expires_at: Some(None),
        rate_limits: Some(once_an_hour.clone()),
        metadata: Some(notes.clone()),
        enabled: Some(false),
        ..KeyPatch::default()
    };
    let before = store.key(id(1)).await.unwrap().unwrap();
    let UpdateKey::Updated(after) = store.update_key(id(1), patch, audit(2)).await.unwrap() else {
        panic!("it is there");
    };
    let mut expected = key(1).record;
    expected.name = "renamed".to_owned();
    expected.expires_at = None;
    expected.rate_limits = once_an_hour;
    expected.metadata = notes;
    expected.enabled = false;
    assert_eq!(after.record, expected);
    assert!(after.version > before.version);
    assert_eq!(store.find(key(1).hash.hash).await.unwrap(), Some(expected));
    let none = store.update_key(id(2), KeyPatch::default(), audit(2)).await.unwrap();
    assert!(matches!(none, UpdateKey::NoSuchKey));
    let rows = store.activity(first(1)).await.unwrap().items;
    assert_eq!(rows[0].action, "key.updated");
    let detail: serde_json::Value = serde_json::from_str(rows[0].detail.get()).unwrap();
    assert_eq!(
        detail,
        serde_json::json!({
            "before": {
                "name": "key 1",
                "expires_at": at(1_000),
                "rate_limits": [
                    {"name": "default", "limit": 60, "window_s": 60},
                    {"name": "burst", "limit": 60, "window_s": 60},
                ],
                "metadata": {"team": "growth"},
                "enabled": true,
            },
            "after": {
                "name": "renamed",
                "expires_at": null,
                "rate_limits": [{"name": "default", "limit": 1, "window_s": 3_600}],
                "metadata": {"team": "sales", "since": "2026"},
                "enabled": false,
            },
        })
    );
}

#[tokio::test]
async fn a_key_that_may_more_than_the_changer_is_left_alone() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    for (own, reaches) in
        [(&["read_metrics"][..], false), (&["read_metrics", "write_webhooks"], true)]
    {
        let permissions = own.iter().copied().collect();
        let at_most = Some(Reach { permissions, ..Reach::of(&key(1).record) });
        let patch = KeyPatch { enabled: Some(false), at_most, ..KeyPatch::default() };
        match store.update_key(id(1), patch, audit(2)).await.unwrap() {
            UpdateKey::Updated(row) => assert!(reaches && !row.record.enabled),
            UpdateKey::BeyondReach(Beyond::Permissions, all) => {
                assert!(!reaches && all == key(1).record.permissions);
                assert!(store.key(id(1)).await.unwrap().unwrap().record.enabled);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(audited(&store, "key.updated").await, 1);
}

/// What it was let in with may be older than the row, so it is the row that counts.
#[tokio::test]
async fn a_key_gets_nothing_more_out_of_changing_itself() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let before = store.create_key(key(1), None, audit(1)).await.unwrap();
    let CreateKey::Created(before) = before else { panic!("{before:?}") };
    let by_itself = |seconds| Audit { actor: Actor::Key(id(1)), ..audit(seconds) };
    let at_most = Some(Reach::of(&before.record));
    let narrower = KeyPatch {
        enabled: Some(false),
        not_before: Some(Some(at(500))),
        expires_at: Some(Some(at(900))),
        permissions: Some(["read_metrics"].into_iter().collect()),
        quotas: Some(Quotas::new([(QuotaPeriod::Day, NonZeroU32::MIN)])),
        at_most: at_most.clone(),
        ..KeyPatch::default()
    };
    let narrowed = store.update_key(id(1), narrower, by_itself(2)).await.unwrap();
    let UpdateKey::Updated(narrowed) = narrowed else { panic!("{narrowed:?}") };

    let old = before.record.clone();
    let nothing = || KeyPatch { at_most: at_most.clone(), ..KeyPatch::default() };
    for (patch, member) in [
        (KeyPatch { enabled: Some(true), ..nothing() }, "enabled"),
        (KeyPatch { not_before: Some(None), ..nothing() }, "not_before"),
        (KeyPatch { expires_at: Some(Some(at(1_000))), ..nothing() }, "expires_at"),
        (KeyPatch { allowed_ips: Some(AllowList::default()), ..nothing() }, "allowed_ips"),
        (KeyPatch { rate_limits: Some(RateLimits::default()), ..nothing() }, "rate_limits"),
        (KeyPatch { quotas: Some(old.quotas), ..nothing() }, "quotas"),
        (KeyPatch { permissions: Some(old.permissions), ..nothing() }, "permissions"),
    ] {
        match store.update_key(id(1), patch, by_itself(3)).await.unwrap() {
            UpdateKey::WidensItself(told) => assert_eq!(told, member),
            UpdateKey::BeyondReach(Beyond::Permissions, _) => assert_eq!(member, "permissions"),
            other => panic!("{member}: {other:?}"),
        }
    }
    let kept = store.key(id(1)).await.unwrap().unwrap();
    assert_eq!(kept.record, narrowed.record);
    assert_eq!(audited(&store, "key.updated").await, 1);
    // Another key with the same reach may.
    let wider = KeyPatch { enabled: Some(true), ..nothing() };
    let audit = Audit { actor: Actor::Key(id(2)), ..audit(4) };
    let changed = store.update_key(id(1), wider, audit).await.unwrap();
    assert!(matches!(changed, UpdateKey::Updated(_)), "{changed:?}");
}

#[tokio::test]
async fn a_revoked_key_changes_nothing_but_its_name() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.create_key(key(1), None, audit(1)).await.unwrap();
    store.revoke_key(id(1), audit(2)).await.unwrap();
    let before = store.key(id(1)).await.unwrap().unwrap();
    let name = || Some("renamed".to_owned());
    for patch in [
        KeyPatch { enabled: Some(true), ..KeyPatch::default() },
        KeyPatch { enabled: Some(false), name: name(), ..KeyPatch::default() },
        KeyPatch { expires_at: Some(None), ..KeyPatch::default() },
        KeyPatch { permissions: Some(before.record.permissions.clone()), ..KeyPatch::default() },
    ] {
        let refused = store.update_key(id(1), patch.clone(), audit(3)).await.unwrap();
        assert!(matches!(refused, UpdateKey::Revoked), "{patch:?}");
    }
    assert_eq!(store.key(id(1)).await.unwrap().unwrap().record, before.record);
    assert_eq!(audited(&store, "key.updated").await, 0);
    let patch = KeyPatch { name: name(), ..KeyPatch::default() };
    let UpdateKey::Updated(after) = store.update_key(id(1), patch, audit(4)).await.unwrap() else {
        panic!("a name can change");
    };
    assert_eq!(after.record.name, "renamed");
    assert_eq!(after.record.revoked_at, before.record.revoked_at);
}
