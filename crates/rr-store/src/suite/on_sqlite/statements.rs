//! How many statements it takes, and that they stay prepared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::Connection as _;
use diesel::connection::InstrumentationEvent;

use super::*;
use crate::conn::Conn;
use crate::idempotency::{Claim, Claimed, claim};
use crate::{Idempotency, Store};

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
            let claimed = claim(conn, &claims)?;
            if let Conn::Lite(c) = conn {
                c.set_instrumentation(|_: InstrumentationEvent<'_>| {});
            }
            let first = claimed.iter().filter(|one| **one == Claimed::First).count();
            Ok((first, run.load(Ordering::Relaxed), parsed.load(Ordering::Relaxed)))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn only_where_an_id_is_known_ids_are_looked_up_and_nothing_is_parsed_twice() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    // Three parts of 32 and four single ones.
    assert_eq!(claim_hundred(&store, 0).await, (100, 7, 2));
    // One that is known: its part is looked up at once.
    assert_eq!(claim_hundred(&store, 99).await, (99, 8, 1));
    // All are known: each part is.
    assert_eq!(claim_hundred(&store, 0).await, (0, 14, 1));
    assert_eq!(claim_hundred(&store, 50).await, (0, 14, 0));
}
