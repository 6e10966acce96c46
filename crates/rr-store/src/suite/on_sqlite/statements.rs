//! How many statements it takes, and that they stay prepared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::InstrumentationEvent;
use diesel::{Connection as _, QueryResult};
use rr_webhooks::understand;

use super::*;
use crate::conn::Conn;
use crate::events::import;
use crate::idempotency::{Claim, Claimed, claim};
use crate::{Idempotency, NewEvent, Store};

/// Runs a piece of work; gives how many statements it took and how many of them were parsed to be kept.
fn counted<T>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> QueryResult<T>,
) -> QueryResult<(T, usize, usize)> {
    let [run, parsed] = [0, 1].map(|_| Arc::new(AtomicUsize::new(0)));
    let (counted, counted_parsed) = (Arc::clone(&run), Arc::clone(&parsed));
    if let Conn::Lite(c) = conn {
        c.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            match event {
                InstrumentationEvent::StartQuery { .. } => &counted,
                InstrumentationEvent::CacheQuery { .. } => &counted_parsed,
                _ => return,
            }
            .fetch_add(1, Ordering::Relaxed);
        });
    }
    let outcome = work(conn)?;
    if let Conn::Lite(c) = conn {
        c.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    }
    Ok((outcome, run.load(Ordering::Relaxed), parsed.load(Ordering::Relaxed)))
}

/// Claims a hundred ids, the first of them of number `from`; gives how many were claimed first, how many
/// statements that took, and how many of them were parsed.
async fn claim_hundred(store: &Store, from: usize) -> (usize, usize, usize) {
    store
        .write(move |conn| {
            let ids: Vec<Idempotency> =
                (from..from + 100).flat_map(|n| once(&format!("{n:04}"), 1)).collect();
            let claims: Vec<Claim<'_>> = (from..)
                .zip(&ids)
                .map(|(n, one)| Claim {
                    id: one,
                    result: id((1_000 * from + n) as u128),
                    at: at(1),
                })
                .collect();
            let (claimed, run, parsed) = counted(conn, |conn| claim(conn, &claims))?;
            let first = claimed.iter().filter(|one| **one == Claimed::First).count();
            Ok((first, run, parsed))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn only_where_an_id_is_known_ids_are_looked_up_and_nothing_is_parsed_twice() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    // Three parts of 32, and one of four.
    assert_eq!(claim_hundred(&store, 0).await, (100, 4, 2));
    // One that is known: its part is looked up at once.
    assert_eq!(claim_hundred(&store, 99).await, (99, 5, 1));
    // All are known: each part is.
    assert_eq!(claim_hundred(&store, 0).await, (0, 8, 0));
}

/// Stores deployments, whose numbers go on from those stored before; gives how many statements that took
/// beside the one that looks for their ids, and how many of them were parsed.
async fn store_events(store: &Store, from: u128, count: u128) -> (usize, usize) {
    store
        .write(move |conn| {
            let meaning = || understand("deployment", "ci", &raw("{}"));
            let events: Vec<NewEvent> = (from..from + count)
                .map(|number| NewEvent { meaning: meaning(), ..event(number) })
                .collect();
            let (stored, run, parsed) = counted(conn, |conn| import(conn, &events))?;
            assert_eq!(stored, events.len());
            Ok((run - 1, parsed))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn events_of_any_number_take_the_same_few_statements() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    // Two for their numbers, and three for their rows.
    assert_eq!(store_events(&store, 1, 30).await, (5, 5));
    assert_eq!(store_events(&store, 31, 2).await, (5, 0));
    // A full part, and one that is alone.
    assert_eq!(store_events(&store, 33, 33).await, (8, 6));
    assert_eq!(store_events(&store, 66, 31).await, (5, 0));
    assert_eq!(store_events(&store, 97, 36).await, (8, 0));
    // Each is stored once, as itself.
    let themselves = "SELECT count(*) FROM events AS e \
         JOIN event_bodies AS b ON b.event_seq = e.seq AND b.received_at = e.received_at \
         JOIN meanings AS m ON m.event_seq = e.seq AND m.event_id = e.id \
         WHERE e.received_at = (1767225600 + e.seq) * 1000000";
    assert_eq!(number(&store, themselves).await, 132);
    for rows in [
        "SELECT count(*) FROM events",
        "SELECT count(*) FROM event_bodies",
        "SELECT count(*) FROM meanings",
    ] {
        assert_eq!(number(&store, rows).await, 132, "{rows}");
    }
}
