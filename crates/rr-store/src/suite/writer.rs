//! Group commit: company, isolation, bounds.

use std::sync::mpsc;

use futures_util::future::join_all;

use super::*;
use crate::{AcceptEvent, NewEvent, OfferedEvent, Store, StoreError, Together};

/// Holds the writer until the returned sender is dropped, so that what comes next waits together.
pub(super) async fn hold(store: &Store) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, held) = mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel();
    let (mut held, mut began) = (Some(held), Some(began));
    let store = store.clone();
    let holding = tokio::spawn(async move {
        let work = move |_: &mut crate::conn::Conn| {
            if let (Some(held), Some(began)) = (held.take(), began.take()) {
                let _ = began.send(());
                let _ = held.recv();
            }
            Ok(())
        };
        store.write(work).await.unwrap();
    });
    begun.await.unwrap();
    (release, holding)
}

#[tokio::test]
async fn writes_that_wait_together_share_a_commit() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let (release, holding) = hold(&store).await;
    let before = store.stats();
    let all = join_all((0..50).map(|n| store.accept_event(event(n), None)));
    let (answers, ()) = tokio::join!(all, async {
        // The events are pushed on the first poll of the join, which comes before this.
        drop(release);
    });
    holding.await.unwrap();
    assert!(answers.iter().all(|answer| matches!(answer, Ok(AcceptEvent::Stored(_)))));
    let after = store.stats();
    assert_eq!(after.commits - before.commits, 2, "the one that held, and one for all");
    assert_eq!(after.jobs_committed - before.jobs_committed, 51);
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 50);
}

#[tokio::test]
async fn one_that_fails_harms_no_neighbour() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.accept_event(event(3), None).await.unwrap();
    let (release, holding) = hold(&store).await;
    let events = join_all((0..6).map(|n| store.accept_event(event(n), None)));
    let bad = store.write(|conn| conn.batch("INSERT INTO no_such_table VALUES (1)"));
    let panics = store.write(|_| -> diesel::QueryResult<()> { panic!("on purpose") });
    let good = store.create_key(key(1), None, audit(1));
    let (events, bad, panics, good, ()) =
        tokio::join!(events, bad, panics, good, async { drop(release) });
    holding.await.unwrap();
    for (number, answer) in events.iter().enumerate() {
        match (number, answer) {
            (3, Err(StoreError::Internal(_))) => {}
            (3, other) => panic!("a second event of the same id was {other:?}"),
            (_, answer) => assert!(matches!(answer, Ok(AcceptEvent::Stored(_))), "{answer:?}"),
        }
    }
    assert!(matches!(bad, Err(StoreError::Outdated)), "{bad:?}");
    assert!(matches!(panics, Err(StoreError::Internal(_))), "{panics:?}");
    assert!(good.is_ok());
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 6);
    assert_eq!(number(&store, "SELECT count(*) FROM event_bodies").await, 6);
    assert!(store.key(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_keeps_what_it_took() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.close().await;
    let store = database.open_with(|options| options.queue = 4);
    let (release, holding) = hold(&store).await;
    let taken = join_all((0..4).map(|n| store.accept_event(event(n), None)));
    let refused = async {
        let answer = store.accept_event(event(9), None).await;
        assert!(matches!(answer, Err(StoreError::Busy)), "{answer:?}");
        assert!(answer.is_err_and(|error| error.is_temporary()));
        let answer = store.change_agents(|_| (), audit(1)).await;
        assert!(matches!(answer, Err(StoreError::Busy)), "{answer:?}");
        drop(release);
    };
    let (taken, ()) = tokio::join!(taken, refused);
    holding.await.unwrap();
    assert!(taken.iter().all(Result::is_ok), "{taken:?}");
    assert_eq!(store.stats().refused, 2);
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 4);
}

/// A thousand events of two bytes each, as one request brings them.
fn thousand(batch: u128) -> Vec<OfferedEvent> {
    let small = |number| NewEvent { body: b"{}".to_vec(), data: raw("{}"), ..event(number) };
    let numbers = batch * 1_000..(batch + 1) * 1_000;
    numbers.map(|number| OfferedEvent { event: small(number), ids: Vec::new() }).collect()
}

#[tokio::test]
async fn events_weigh_in_the_queue_however_small_they_are() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.close().await;
    let store = database.open_with(|options| options.queue_bytes = 20 << 20);
    let (release, holding) = hold(&store).await;
    let before = store.stats().commits;
    let all =
        join_all((0..30).map(|batch| store.accept_events(thousand(batch), Together::EachByItself)));
    let (answers, ()) = tokio::join!(all, async {
        assert!(store.has_room(1, 2) && !store.has_room(1_000, 2_000));
        drop(release);
    });
    holding.await.unwrap();
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(taken, 20, "each takes about a megabyte");
    assert!(answers.iter().skip(20).all(|answer| matches!(answer, Err(StoreError::Busy))));
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 20_000);
    assert_eq!(store.stats().commits - before, 4, "the one that held, and three of nine batches");
}

#[tokio::test]
async fn closing_finishes_what_was_accepted() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let all = join_all((0..20).map(|n| store.accept_event(event(n), None)));
    let closing = store.clone();
    let (answers, ()) = tokio::join!(all, async move { closing.close().await });
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let late = store.accept_event(event(99), None).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    let again = database.open();
    assert_eq!(number(&again, "SELECT count(*) FROM events").await, 20);
}

#[tokio::test]
async fn numbers_are_committed_in_their_order() {
    let database = TestDatabase::new();
    let one = database.migrated().await;
    let two = database.open();
    let writing = join_all((0..200_u128).map(|n| {
        let store = if n % 2 == 0 { &one } else { &two };
        store.accept_event(event(n), None)
    }));
    let reading = async {
        // Numbers are taken without gaps, so at any moment the newest is also the count. A number
        // that became visible before a smaller one would show here.
        for _ in 0..60 {
            let gap = number(&one, "SELECT coalesce(max(seq), 0) - count(*) FROM events").await;
            assert_eq!(gap, 0);
        }
    };
    let (answers, ()) = tokio::join!(writing, reading);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(number(&one, "SELECT max(seq) FROM events").await, 200);
}
