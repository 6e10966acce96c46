//! The ledger against the plain computation from all facts.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;
use futures_util::future::join_all;
use rr_domain::{Fact, FactKind, Label, Timestamp};
use rr_sync::course::Course;
use rr_sync::{Balances, Figures};

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

/// What stands at an instant by the course of all sums, which shares no code with the ledger.
fn standing(facts: &[Fact], now: Timestamp) -> BTreeMap<(&'static str, String), (i64, i128)> {
    let mut in_time = facts.to_vec();
    in_time.sort_by_key(|fact| fact.occurred_at);
    let mut course = Course::new();
    for fact in in_time.iter().filter(|fact| fact.occurred_at <= now) {
        course.add(fact);
    }
    let mut standing: BTreeMap<_, (i64, i128)> = BTreeMap::new();
    for (place, change) in course.until(now.plus(Duration::from_micros(1))) {
        if place.account != "affiliates" {
            let sum = standing.entry((place.account, place.group)).or_default();
            *sum = (sum.0 + change.count, sum.1 + change.amount);
        }
    }
    standing.retain(|_, sum| *sum != (0, 0));
    standing
}

fn shown(balances: &Balances) -> BTreeMap<(&'static str, String), (i64, i128)> {
    let sums = balances.iter();
    sums.map(|(account, group, sum)| {
        ((account.as_str(), group.to_owned()), (sum.count, sum.amount))
    })
    .collect()
}

/// The figures that are shown, and all sums that others are made of: those of subscriptions in every state, of
/// movements, of commissions in every state.
async fn assert_right(store: &Store, now: Timestamp, what: &str) {
    let present = store.present(now).await.unwrap();
    assert!(present.figures.next_change.is_none_or(|change| change > now), "{what}");
    let facts = recorded(store).await;
    let plain = rr_sync::compute(&facts, now);
    assert_eq!(timeless((*present.figures).clone()), timeless(plain), "{what} at {now}");
    assert_eq!(present.seq, store.facts_version().await.unwrap(), "{what}");
    let expected = standing(&facts, now);
    assert_eq!(shown(&present.balances), expected, "{what}, in memory at {now}");
    let (_, kept) = store.standing_at(now).await.unwrap();
    assert_eq!(shown(&kept), expected, "{what}, in the tables at {now}");
}

/// Appends what the ledger can hold: chance may make more than that of it.
async fn append(store: &Store, batch: Vec<Fact>, audit: crate::Audit) {
    match store.append_facts(batch, audit).await {
        Ok(_) | Err(crate::StoreError::TooLarge(_)) => {}
        Err(error) => panic!("{error:?}"),
    }
}

async fn assert_verified(store: &Store, now: Timestamp, what: &str) {
    assert_eq!(store.verify(now, |_| {}).await.unwrap().faults, [], "{what}");
}

#[tokio::test]
async fn random_histories_give_the_figures_of_the_plain_computation() {
    for seed in seeds(6) {
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
            append(&stores[writer], batch, audit(dice.number(90 * 86_400))).await;
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
        assert_verified(&stores[0], dice.moment(), &format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn writers_at_the_same_time_agree() {
    for seed in seeds(1) {
        let database = TestDatabase::new();
        let stores = [database.migrated().await, database.open(), database.open()];
        let mut dice = Dice::new(seed, 5);
        for round in 0..6_u128 {
            let batches: Vec<Vec<Fact>> = (0..30)
                .map(|n| (0..3).map(|k| dice.fact(round * 1_000 + n * 10 + k)).collect())
                .collect();
            let writing = batches.into_iter().enumerate().map(|(n, batch)| {
                let store = &stores[n % stores.len()];
                async move {
                    append(store, batch, audit(1)).await;
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
                assert_right(store, now, &format!("seed {seed}, round {round}")).await;
            }
        }
    }
}

/// One writes and restarts, again and again, while the others do the same.
#[tokio::test]
async fn writers_that_restart_while_others_write_agree() {
    for seed in seeds(2) {
        let database = TestDatabase::new();
        database.migrated().await.close().await;
        let mut dice = Dice::new(seed, 6);
        let mut number = 0;
        let mut batch = |dice: &mut Dice| -> Vec<Fact> {
            let size = 1 + dice.roll(6);
            let facts = (0..size).map(|_| {
                number += 1;
                dice.fact(number)
            });
            facts.collect()
        };
        let lives: Vec<Vec<(Vec<Fact>, Vec<Fact>)>> = (0..3)
            .map(|_| (0..8).map(|_| (batch(&mut dice), batch(&mut dice))).collect())
            .collect();
        let (database, lives) = (&database, &lives);
        let living = lives.iter().map(|life| async move {
            for (waited_for, cut_off) in life {
                let store = database.open();
                append(&store, waited_for.clone(), audit(1)).await;
                // What another one may be told too.
                append(&store, lives[0][0].0.clone(), audit(1)).await;
                let seq = store.facts_version().await.unwrap();
                assert!(store.present(at(1)).await.unwrap().seq >= seq);
                // It ends while this is under way: it happened, or it did not.
                let last = store.append_facts(cut_off.clone(), audit(1));
                drop(tokio::time::timeout(Duration::ZERO, last).await);
                store.close().await;
            }
        });
        join_all(living).await;
        let store = database.open();
        let all = recorded(&store).await;
        for (waited_for, _) in lives.iter().flatten() {
            let there = waited_for.iter().filter(|fact| all.contains(fact)).count();
            assert!(there == waited_for.len() || there == 0, "seed {seed}: half a batch");
        }
        for _ in 0..4 {
            assert_right(&store, dice.moment(), &format!("seed {seed}")).await;
        }
        assert_verified(&store, dice.moment(), &format!("seed {seed}")).await;
    }
}

/// An accrual of an affiliate of its own.
fn earned(number: u128, seconds: i64, amount: i64) -> Fact {
    let kind = FactKind::CommissionAccrued {
        commission: id(number),
        affiliate: format!("affiliate {number}"),
        tier: Label::MEMBERSHIP,
        sale: 2 * amount,
        amount,
        payable_at: at(seconds),
    };
    Fact { id: id(2_000_000 + number), occurred_at: at(seconds), kind }
}

#[tokio::test]
async fn more_affiliates_may_earn_later_than_are_ever_asked_for() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let now = at(1_000);
    // The best by their counters earn all of it later; a few have less and have it now.
    let mut all: Vec<Fact> = (0..10_001).map(|n| earned(n, 86_400, 500)).collect();
    all.extend((20_000..20_015).map(|n| earned(n, 1, i64::try_from(n - 19_990).unwrap())));
    store.append_facts(all, audit(1)).await.unwrap();
    for store in [&store, &database.open()] {
        assert_right(store, now, "before they earn it").await;
        assert_right(store, at(86_400), "when they do").await;
        assert_right(store, at(90_000), "and later").await;
    }
    // As many again, within a minute.
    let again: Vec<Fact> = (30_000..40_001).map(|n| earned(n, 90_010, 400)).collect();
    for part in again.chunks(500) {
        store.append_facts(part.to_vec(), audit(90_010)).await.unwrap();
    }
    assert_right(&store, at(90_011), "a minute's rush").await;
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
        let reads = store.stats().readers.reads;
        store.append_facts(vec![signup(n, 1)], audit(1)).await.unwrap();
        store.figures(at(10)).await.unwrap();
        if store.stats().readers.reads == reads {
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
