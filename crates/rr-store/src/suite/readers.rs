//! Reads that may take long, and what goes on beside them.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::*;
use crate::{Store, StoreError};

/// Only so that a test that would wait for ever ends.
const FOR_EVER: Duration = Duration::from_secs(60);

/// A long read that ends when the sender of `held` is dropped.
fn long_read(
    store: &Store,
    held: &Arc<Mutex<mpsc::Receiver<()>>>,
) -> tokio::task::JoinHandle<Result<(), StoreError>> {
    let (store, held) = (store.clone(), Arc::clone(held));
    tokio::spawn(async move {
        let wait = move |_: &mut crate::conn::Conn| {
            let _ = held.lock().unwrap().recv();
            Ok(())
        };
        store.read_long(wait).await
    })
}

#[tokio::test]
async fn however_many_long_reads_there_are_short_ones_go_on_and_more_are_sent_away() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.append_facts(vec![signup(1, 1)], audit(1)).await.unwrap();
    let (release, held) = mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let of = store.stats().long_readers;
    // As the operator's documents say.
    assert_eq!((of.threads, of.queue_capacity), (store.stats().readers.threads.div_ceil(2), 64));
    let mut reads: Vec<_> = (0..of.threads).map(|_| long_read(&store, &held)).collect();
    while store.stats().long_readers.busy < of.threads {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    reads.extend((0..of.queue_capacity).map(|_| long_read(&store, &held)));
    while store.stats().long_readers.waiting < of.queue_capacity {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let beside = async {
        store.follow_ledger(at(10)).await.unwrap();
        let users = store.figures(at(10)).await.unwrap().users.total_users;
        (users, store.key(id(1)).await.unwrap().is_some(), store.key_changes(None).await.is_ok())
    };
    let seen = tokio::time::timeout(FOR_EVER, beside).await.expect("a short read waits");
    assert_eq!(seen, (1, false, true));
    let spans = store.spans(vec![at(1), at(2)], vec![rr_sync::ledger::Account::Users], true).await;
    assert!(matches!(spans, Err(StoreError::Busy)), "{spans:?}");

    drop(release);
    for read in reads {
        read.await.unwrap().unwrap();
    }
    assert!(store.spans(vec![at(1), at(2)], vec![], true).await.is_ok());
}
