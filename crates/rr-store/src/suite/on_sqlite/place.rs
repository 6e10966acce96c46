//! A file that is moved, deleted or replaced while it is open.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;
use crate::{AcceptEvent, Store, StoreError};

/// A store with one event, and where its file is.
async fn begin(database: &TestDatabase) -> (Store, PathBuf) {
    let store = database.migrated().await;
    assert_eq!(store.accept_event(event(1), None).await.unwrap(), AcceptEvent::Stored(id(1)));
    (store, database.folder().join("sub/store.db"))
}

/// Nothing is read, written or called ready, and the cause is named.
async fn refuses(store: &Store, cause: &str) {
    for error in [
        store.accept_event(event(2), None).await.unwrap_err(),
        store.key_changes(None).await.unwrap_err(),
        store.ready().await.unwrap_err(),
    ] {
        assert!(error.advice().contains("put the file back"), "{}", error.advice());
        let StoreError::Unavailable(found) = error else { panic!("{error:?}") };
        assert!(found.to_string().contains(cause), "{found}");
    }
}

/// A thread that had no connection yet tries again every half second.
async fn is_ready_again(store: &Store) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while let Err(error) = store.ready().await {
        assert!(Instant::now() < deadline, "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_moved_file_takes_nothing_until_it_is_back() {
    let database = TestDatabase::sqlite();
    let (store, path) = begin(&database).await;
    let elsewhere = path.with_extension("moved");
    for _ in 0..2 {
        fs::rename(&path, &elsewhere).unwrap();
        refuses(&store, "moved or deleted").await;
        assert!(!path.exists(), "no empty file takes its place");
        fs::rename(&elsewhere, &path).unwrap();
        is_ready_again(&store).await;
    }
    assert_eq!(store.accept_event(event(3), None).await.unwrap(), AcceptEvent::Stored(id(3)));
    store.close().await;
    // Asked of a new store: of the old one another reader may still be waiting to try again.
    let again = database.open();
    assert_eq!(number(&again, "SELECT count(*) FROM events").await, 2);
}

#[tokio::test]
async fn a_deleted_file_is_not_written_to() {
    let database = TestDatabase::sqlite();
    let (store, path) = begin(&database).await;
    fs::remove_file(&path).unwrap();
    refuses(&store, "moved or deleted").await;
    assert!(!path.exists());
}

#[tokio::test]
async fn another_file_in_its_place_is_not_taken_for_it() {
    let database = TestDatabase::sqlite();
    let (store, path) = begin(&database).await;
    let copy = path.with_extension("copy");
    fs::copy(&path, &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    let original = path.with_extension("original");
    fs::rename(&path, &original).unwrap();
    fs::rename(&copy, &path).unwrap();
    refuses(&store, "another file").await;
    assert_eq!(fs::read(&path).unwrap(), before, "it is left alone");
    fs::rename(&original, &path).unwrap();
    store.accept_event(event(3), None).await.unwrap();
}

/// The newest commits are in the log, so a commit into a log that nobody will find is none.
#[tokio::test]
async fn a_log_that_is_gone_takes_no_commits() {
    let database = TestDatabase::sqlite();
    let (store, path) = begin(&database).await;
    let wal = path.with_file_name("store.db-wal");
    let elsewhere = path.with_extension("wal-moved");
    fs::rename(&wal, &elsewhere).unwrap();
    refuses(&store, "-wal").await;
    fs::rename(&elsewhere, &wal).unwrap();
    store.accept_event(event(3), None).await.unwrap();
    store.close().await;
    let again = database.open();
    assert_eq!(number(&again, "SELECT count(*) FROM events").await, 2);
}

/// The file goes away between the beginning of a write and its commit.
#[tokio::test]
async fn a_file_that_goes_during_a_write_is_noticed_before_the_answer() {
    let database = TestDatabase::sqlite();
    let (store, path) = begin(&database).await;
    let gone = path.clone();
    let written = store
        .write(move |_| {
            fs::remove_file(&gone).unwrap();
            Ok(())
        })
        .await;
    assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
}
