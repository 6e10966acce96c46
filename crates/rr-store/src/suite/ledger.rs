//! The ledger against the plain computation from all facts.

use diesel::prelude::*;
use futures_util::future::join_all;
use rr_domain::{Fact, Timestamp};
use rr_sync::Figures;

use super::*;
use crate::Store;
use crate::conn::on_each;
use crate::schema::facts;
use crate::types::{At, Id, JsonText};

/// Every fact, in the order of recording.
pub(super) async fn recorded(store: &Store) -> Vec<Fact> {
    let rows: Vec<(Id, At, JsonText)> = store
        .read(|conn| {
            on_each!(conn, |c| facts::table
                .order(facts::seq)
                .select((facts::id, facts::occurred_at, facts::body))
                .load(c))
        })
        .await
        .unwrap();
    rows.into_iter()
        .map(|(id, at, body)| Fact {
            id: id.0,
            occurred_at: at.0,
            kind: serde_json::from_str(&body.0).unwrap(),
        })
        .collect()
}

/// Figures without what says when they were computed and how long they hold.
fn timeless(mut figures: Figures) -> Figures {
    figures.as_of = at(0);
    figures.users.timestamp = at(0);
    figures.revenue.timestamp = at(0);
    figures.commissions.timestamp = at(0);
    figures.next_change = None;
    figures
}

async fn assert_right(store: &Store, now: Timestamp, what: &str) {
    let shown = store.present(now).await.unwrap();
    assert!(shown.figures.next_change.is_none_or(|change| change > now), "{what}");
    let plain = rr_sync::compute(&recorded(store).await, now);
    assert_eq!(timeless((*shown.figures).clone()), timeless(plain), "{what} at {now}");
    assert_eq!(shown.seq, store.facts_version().await.unwrap(), "{what}");
}

#[tokio::test]
async fn random_histories_give_the_figures_of_the_plain_computation() {
    for seed in 0..6 {
        let database = TestDatabase::new();
        let mut stores = [database.migrated().await, database.open()];
        let mut dice = Dice::new(seed, 8);
        let mut all: Vec<Fact> = Vec::new();
        for step in 0..40 {
            let size = if dice.roll(5) == 0 { 40 } else { 4 };
            let mut batch: Vec<Fact> = (0..1 + dice.roll(size))
                .map(|n| dice.fact(u128::try_from(all.len()).unwrap() + u128::from(n)))
                .collect();
            all.extend(batch.iter().cloned());
            // Some come twice, in the batch or from an earlier one.
            let again = usize::try_from(dice.roll(u64::try_from(all.len()).unwrap())).unwrap();
            batch.push(all[again].clone());
            let (writer, reader) = if dice.roll(3) == 0 { (1, 0) } else { (0, 1) };
            stores[writer].append_facts(batch, audit(dice.number(90 * 86_400))).await.unwrap();
            let now = dice.moment();
            let what = format!("seed {seed}, step {step}");
            assert_right(&stores[writer], now, &what).await;
            stores[reader].follow_ledger(now).await.unwrap();
            assert_right(&stores[reader], now, &format!("{what}, of another process")).await;
            if dice.roll(10) == 0 {
                stores[reader].close().await;
                stores[reader] = database.open();
            }
        }
    }
}

#[tokio::test]
async fn writers_at_the_same_time_agree() {
    let database = TestDatabase::new();
    let stores = [database.migrated().await, database.open(), database.open()];
    let mut dice = Dice::new(7, 5);
    for round in 0..6_u128 {
        let batches: Vec<Vec<Fact>> = (0..30)
            .map(|n| (0..3).map(|k| dice.fact(round * 1_000 + n * 10 + k)).collect())
            .collect();
        let writing = batches.into_iter().enumerate().map(|(n, batch)| {
            let store = &stores[n % stores.len()];
            async move {
                store.append_facts(batch, audit(1)).await.unwrap();
                // Nobody is ever shown less than what was written before.
                let seq = store.facts_version().await.unwrap();
                store.follow_ledger(at(1)).await.unwrap();
                assert!(store.present(at(1)).await.unwrap().seq >= seq);
            }
        });
        join_all(writing).await;
        for store in &stores {
            let now = dice.moment();
            store.follow_ledger(now).await.unwrap();
            assert_right(store, now, &format!("round {round}")).await;
        }
    }
}

#[tokio::test]
async fn a_write_is_in_the_next_read() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for n in 0..50 {
        store.append_facts(vec![signup(n, 1)], audit(1)).await.unwrap();
        let shown = store.figures(at(10)).await.unwrap();
        assert_eq!(u128::from(shown.users.total_users), n + 1);
    }
    // On a busy machine the last look may be too old by then, but not every time.
    for n in 100..150 {
        let reads = store.stats().reads;
        store.append_facts(vec![signup(n, 1)], audit(1)).await.unwrap();
        store.figures(at(10)).await.unwrap();
        if store.stats().reads == reads {
            return;
        }
    }
    panic!("tables are read for it");
}

#[tokio::test]
async fn a_write_that_fails_leaves_the_ledger_whole() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let good = (0..20).map(|n| store.append_facts(vec![signup(n, 1)], audit(1)));
    let bad = (0..5).map(|n| {
        store.write_facts(move |conn| {
            let appended = crate::facts::append(conn, &[signup(100 + n, 1)], at(1))?;
            conn.batch("INSERT INTO no_such_table VALUES (1)").map(|()| ((), appended))
        })
    });
    let (good, bad) = tokio::join!(join_all(good), join_all(bad));
    assert!(good.iter().all(Result::is_ok), "{good:?}");
    assert!(bad.iter().all(Result::is_err), "{bad:?}");
    assert_right(&store, at(10), "after failures").await;
    assert_eq!(store.figures(at(10)).await.unwrap().users.total_users, 20);
}

#[tokio::test]
async fn facts_from_before_the_ledger_are_taken_in() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let mut dice = Dice::new(11, 40);
    let all: Vec<Fact> = (0..3_000).map(|number| dice.fact(number)).collect();
    for part in all.chunks(1_000) {
        store.append_facts(part.to_vec(), audit(1)).await.unwrap();
    }
    while store.migrate_down().await.unwrap().unwrap() != "0006_ledger" {}
    // As if this process had never known it.
    store.close().await;
    let store = database.open();
    store.migrate().await.unwrap();
    let lagging = store.figures(at(0)).await;
    assert!(matches!(lagging, Err(crate::StoreError::Unavailable(_))), "{lagging:?}");
    assert!(matches!(store.ready().await, Err(crate::StoreError::Unavailable(_))));
    let mut told = Vec::new();
    store.catch_up(|progress| told.push(progress)).await.unwrap();
    assert_eq!(told.last(), Some(&crate::Progress { done: 3_000, of: 3_000 }));
    store.ready().await.unwrap();
    for day in [1, 30, 89] {
        assert_right(&store, at(day * 86_400), "caught up").await;
    }
    assert_eq!(recorded(&store).await, all);
}
