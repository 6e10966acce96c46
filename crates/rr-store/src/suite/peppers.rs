//! Peppers: a secret moves from one to the next and stays what it is.

use std::time::Duration;

use rr_keys::{HashScheme, KeyHash, KeyStore, Outdated};

use super::*;
use crate::{
    ImportBatch, KeySchemes, LeakPolicy, LeakReport, PageRequest, PepperPlace, PepperUse, Rotation,
    RotationStart, SecretHash, Store,
};

fn hash(number: u8) -> KeyHash {
    KeyHash::from_bytes([number; 32])
}

fn way(from: u8, to: u8) -> Outdated {
    Outdated { from: hash(from), to: hash(to) }
}

/// A server that is told of these peppers, the one for new keys first.
fn peppered(database: &TestDatabase, versions: &[u8]) -> Store {
    let pepper =
        |version: &u8| (u32::from(*version), HashScheme::hmac_sha256(&[*version; 32]).unwrap());
    let schemes = KeySchemes::with_peppers(versions.iter().map(pepper).collect(), true);
    database.open_with(|options| options.key_schemes = schemes)
}

/// What stands where at an instant: pepper, what it is to this server, and how many keys.
async fn uses(store: &Store, seconds: i64) -> Vec<(Option<u32>, PepperPlace, i64)> {
    let uses = store.pepper_uses(at(seconds)).await.unwrap();
    uses.into_iter().map(|PepperUse { pepper, place, keys }| (pepper, place, keys)).collect()
}

fn rotation(secret: SecretHash, start: RotationStart) -> Rotation {
    Rotation {
        key_id: id(1),
        hash: secret,
        hint: "rr_next".to_owned(),
        grace: Duration::from_secs(100),
        start,
        at_most: None,
    }
}

use PepperPlace::{Newest, Older, Unknown};

#[tokio::test]
async fn moving_changes_under_which_hash_a_secret_stands_and_nothing_else() {
    let database = TestDatabase::new();
    let plain = database.migrated().await;
    plain.create_key(key(1), None, audit(1)).await.unwrap();
    assert!(!plain.move_secret(way(1, 11)).await.unwrap(), "there is nowhere to go");
    let before = plain.find(hash(1)).await.unwrap();
    assert!(before.is_some());
    let seen = plain.key_changes(None).await.unwrap().version;

    let first = peppered(&database, &[1]);
    assert_eq!(uses(&first, 5).await, [(Some(1), Newest, 0), (None, Older, 1)]);
    assert!(first.move_secret(way(1, 11)).await.unwrap());
    assert!(!first.move_secret(way(1, 11)).await.unwrap(), "once");
    assert!(!first.move_secret(way(9, 19)).await.unwrap(), "nobody's");
    assert_eq!(first.find(hash(1)).await.unwrap(), None);
    assert_eq!(first.find(hash(11)).await.unwrap(), before);
    assert_eq!(first.find_any(vec![hash(11), hash(1)]).await.unwrap(), before);
    assert_eq!(uses(&first, 5).await, [(Some(1), Newest, 1), (None, Older, 0)]);
    assert_eq!(uses(&plain, 5).await, [(None, Newest, 0), (Some(1), Unknown, 1)]);
    assert_eq!(plain.unknown_pepper().await.unwrap(), Some(1));
    assert_eq!(first.unknown_pepper().await.unwrap(), None);

    let second = peppered(&database, &[2, 1]);
    assert!(second.move_secret(way(11, 21)).await.unwrap());
    assert_eq!(second.find(hash(21)).await.unwrap(), before);
    let expected = [(Some(2), Newest, 1), (Some(1), Older, 0), (None, Older, 0)];
    assert_eq!(uses(&second, 5).await, expected);

    // A server that has not heard that the newest is another one would move it back.
    let behind = peppered(&database, &[1, 2]);
    assert!(!behind.move_secret(way(21, 11)).await.unwrap());
    assert_eq!(plain.key_changes(None).await.unwrap().version, seen, "nobody need be told");
    assert_eq!(number(&plain, "SELECT count(*) FROM activity_log").await, 1, "that of its making");
}

#[tokio::test]
async fn a_key_that_comes_without_its_text_stands_under_no_pepper() {
    let database = TestDatabase::new();
    database.migrated().await;
    let store = peppered(&database, &[1]);
    let batch = || ImportBatch { keys: vec![key(1)], ..ImportBatch::default() };
    store.import_batch(batch(), audit(1)).await.unwrap();
    assert_eq!(uses(&store, 5).await, [(Some(1), Newest, 0), (None, Older, 1)]);
    assert!(store.move_secret(way(1, 11)).await.unwrap());
    store.import_batch(batch(), audit(2)).await.unwrap();
    assert_eq!(uses(&store, 5).await, [(Some(1), Newest, 1), (None, Older, 0)], "it is there");
}

#[tokio::test]
async fn what_is_over_for_good_holds_no_pepper_back() {
    let database = TestDatabase::new();
    let plain = database.migrated().await;
    for number in 1..=4 {
        plain.create_key(key(number), None, audit(1)).await.unwrap();
    }
    plain.revoke_key(id(2), audit(2)).await.unwrap();
    let off = crate::KeyPatch { enabled: Some(false), ..crate::KeyPatch::default() };
    plain.update_key(id(3), off, audit(2)).await.unwrap();
    let store = peppered(&database, &[1]);
    let new = SecretHash { hash: hash(11), pepper: Some(1) };
    store.rotate_key(rotation(new, RotationStart::Now), None, audit(10)).await.unwrap();

    let named = async |pepper, seconds| {
        let keys = store.keys_under_pepper(pepper, at(seconds), first(2)).await.unwrap();
        let rest = match keys.next {
            Some(_) => {
                let page = PageRequest { limit: 2, cursor: keys.next };
                store.keys_under_pepper(pepper, at(seconds), page).await.unwrap().items
            }
            None => Vec::new(),
        };
        let ids = keys.items.iter().chain(&rest).map(|row| row.record.id);
        ids.collect::<Vec<_>>()
    };
    // The old secret of the first key works until 110, all keys end at 1,000.
    for (seconds, peppered, without) in
        [(10, &[1][..], &[4, 3, 1][..]), (110, &[1], &[4, 3]), (1_000, &[], &[])]
    {
        let count = |keys: &[u128]| i64::try_from(keys.len()).unwrap();
        let ids = |keys: &[u128]| keys.iter().map(|key| id(*key)).collect::<Vec<_>>();
        let expected = [(Some(1), Newest, count(peppered)), (None, Older, count(without))];
        assert_eq!(uses(&store, seconds).await, expected, "at {seconds}");
        assert_eq!(named(Some(1), seconds).await, ids(peppered), "at {seconds}");
        assert_eq!(named(None, seconds).await, ids(without), "at {seconds}");
    }
}

#[tokio::test]
async fn each_secret_of_a_key_moves_by_itself_and_rotation_goes_on() {
    let database = TestDatabase::new();
    let plain = database.migrated().await;
    plain.create_key(key(1), None, audit(1)).await.unwrap();
    let waiting = SecretHash::plain(hash(2));
    let prepared = rotation(waiting, RotationStart::FirstUse);
    plain.rotate_key(prepared, None, audit(10)).await.unwrap();

    let store = peppered(&database, &[1]);
    assert!(store.move_secret(way(1, 11)).await.unwrap());
    assert!(store.activate(hash(2), at(20).to_system_time()).await.unwrap());
    assert!(store.move_secret(way(2, 12)).await.unwrap());
    let end = async |number| {
        let record = store.find(hash(number)).await.unwrap().unwrap();
        record.secret_ends_at.map(rr_domain::Timestamp::from_system_time)
    };
    assert_eq!([end(11).await, end(12).await], [Some(at(120)), None]);
    assert_eq!(uses(&store, 30).await, [(Some(1), Newest, 1), (None, Older, 0)]);
}

/// Whatever comes first, the secret is marked, and the answer before it was right.
#[tokio::test]
async fn a_leak_is_not_missed_while_its_secret_moves() {
    for _ in 0..8 {
        let database = TestDatabase::new();
        let plain = database.migrated().await;
        plain.create_key(key(1), None, audit(1)).await.unwrap();
        let (one, other) = (peppered(&database, &[1]), peppered(&database, &[1]));
        let report = LeakReport { hashes: vec![hash(11), hash(1)], url: None };
        let policy = LeakPolicy::Disable;
        let (moved, known, told) = tokio::join!(
            one.move_secret(way(1, 11)),
            other.known_secrets(vec![report.clone()], policy, at(5)),
            other.report_leaks(vec![report.clone()], policy, audit(5)),
        );
        assert!(moved.unwrap());
        assert!(known.unwrap()[0].is_some());
        told.unwrap();
        let record = one.find(hash(11)).await.unwrap().unwrap();
        assert_eq!((record.secret_ends_at, record.enabled), (Some(at(5).to_system_time()), false));
    }
}
