//! The ledger verified, and made anew.

use std::sync::atomic::{AtomicU64, Ordering};

use rr_domain::Fact;
use rr_sync::ledger::Account;

use super::*;
use crate::{Progress, Store};

async fn with_history(store: &Store, seed: u64) {
    let mut dice = Dice::new(seed, 10);
    let all: Vec<Fact> = (0..200).map(|number| dice.fact(number)).collect();
    for part in all.chunks(20) {
        store.append_facts(part.to_vec(), audit(60 * 86_400)).await.unwrap();
    }
}

fn silent(_: Progress) {}

#[tokio::test]
async fn a_ledger_that_was_tampered_with_is_found_and_repaired() {
    let now = at(45 * 86_400);
    for (tampering, figure) in [
        (
            "UPDATE ledger_counters SET count = count + 1 WHERE account = 'users'",
            "counter of users",
        ),
        ("UPDATE ledger_counters SET amount = amount - 1 WHERE account = 'revenue'", "revenue"),
        ("UPDATE ledger_hours SET amount = amount + 7 WHERE account = 'commissions'", "hours of"),
        ("DELETE FROM ledger_entries WHERE account = 'signups'", "counter of signups"),
        ("DELETE FROM ledger_counters WHERE account = 'affiliates'", "commissions.top_performers"),
    ] {
        let database = TestDatabase::new();
        let store = database.migrated().await;
        with_history(&store, 21).await;
        let before = store.restatements(first(1_000)).await.unwrap().items;
        assert!(!before.is_empty());
        let good = store.verify(now, silent).await.unwrap();
        assert_eq!((good.seq, good.faults), (200, vec![]));
        assert!(good.compared > 50);

        execute(&store, tampering).await;
        // A process that starts now believes the tables.
        let other = database.open();
        let bad = other.verify(now, silent).await.unwrap();
        let found = bad.faults.iter().any(|fault| fault.figure.starts_with(figure));
        assert!(found, "{tampering}: {:?}", bad.faults);
        assert!(bad.faults.iter().all(|fault| fault.expected != fault.found));

        let mut told = Vec::new();
        store.rebuild(audit(3), |progress| told.push(progress)).await.unwrap();
        let all: Vec<u64> = told.iter().map(|progress| progress.done).collect();
        assert_eq!(all, [40, 80, 120, 160, 200]);
        assert!(told.iter().all(|progress| progress.of == 200));
        for store in [&store, &other] {
            assert_eq!(store.verify(now, silent).await.unwrap().faults, []);
        }
        assert_eq!(store.restatements(first(1_000)).await.unwrap().items, before);
        assert_eq!(audited(&store, "ledger.rebuilt").await, 1);
        // And it goes on from there.
        store.append_facts(vec![signup(900, 1)], audit(86_400)).await.unwrap();
        assert_eq!(store.verify(now, silent).await.unwrap().faults, []);
        assert!(store.restatements(first(1_000)).await.unwrap().items.len() > before.len());
    }
}

#[tokio::test]
async fn while_the_ledger_is_made_anew_it_is_read_and_written() {
    const WRITES: u64 = 60;
    let now = at(45 * 86_400);
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let other = database.open();
    with_history(&store, 23).await;
    let before = store.figures(now).await.unwrap().users.total_users;
    execute(&store, "UPDATE ledger_counters SET amount = amount + 1 WHERE account = 'revenue'")
        .await;
    let written = AtomicU64::new(0);
    let mut told = Vec::new();
    let rebuilding = async {
        store.rebuild(audit(3), |_| told.push(written.load(Ordering::Relaxed))).await.unwrap();
    };
    let writing = async {
        for n in 1..=WRITES {
            store.append_facts(vec![signup(1_000 + u128::from(n), 1)], audit(1)).await.unwrap();
            written.store(n, Ordering::Relaxed);
            let shown = store.figures(now).await.unwrap();
            assert_eq!(shown.users.total_users, before + n, "a write is in the next read");
        }
    };
    let reading = async {
        let mut last = before;
        for _ in 0..WRITES {
            let least = before + written.load(Ordering::Relaxed);
            other.follow_ledger(now).await.unwrap();
            let shown = other.figures(now).await.unwrap().users.total_users;
            assert!(shown >= least.max(last), "{shown} of {least}, {last}");
            last = shown;
            let (_, standing) = other.standing_at(now).await.unwrap();
            let users = standing.total(Account::Users).count;
            assert!(u64::try_from(users).unwrap() >= shown, "{users} of {shown}");
        }
    };
    tokio::join!(rebuilding, writing, reading);
    assert!(told.first() < told.last(), "nothing was written between two pieces: {told:?}");
    for store in [&store, &other] {
        let verified = store.verify(now, silent).await.unwrap();
        assert_eq!((verified.seq, verified.faults), (200 + i64::try_from(WRITES).unwrap(), vec![]));
    }
}

#[tokio::test]
async fn a_rebuild_that_is_interrupted_or_meets_another_does_no_harm() {
    let now = at(45 * 86_400);
    let database = TestDatabase::new();
    let stores = [database.migrated().await, database.open()];
    with_history(&stores[0], 24).await;
    let before = stores[0].figures(now).await.unwrap();
    let (begun, first_piece) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let told = |_: Progress| {
        if let Some(begun) = begun.take() {
            begun.send(()).unwrap();
        }
    };
    tokio::select! {
        _ = stores[0].rebuild(audit(3), told) => panic!("it was to be interrupted"),
        _ = first_piece => {}
    }
    for store in &stores {
        assert_eq!(store.figures(now).await.unwrap().revenue, before.revenue);
        assert_eq!(store.verify(now, silent).await.unwrap().faults, []);
    }
    let both = stores.iter().map(|store| store.rebuild(audit(4), silent));
    for outcome in futures_util::future::join_all(both).await {
        outcome.unwrap();
    }
    for store in &stores {
        assert_eq!(store.verify(now, silent).await.unwrap().faults, []);
    }
    let left = number(&stores[0], "SELECT count(*) FROM ledger_entries_anew").await;
    assert_eq!(left, 0, "nothing is left lying about");
}

#[tokio::test]
async fn the_running_check_goes_round_all_groups() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    assert_eq!(store.verify_next(None).await.unwrap(), None, "there are no groups yet");
    with_history(&store, 22).await;
    execute(&store, "UPDATE ledger_hours SET count = count + 1 WHERE account = 'movements'").await;
    let groups =
        number(&store, "SELECT count(*) FROM ledger_counters WHERE account <> 'affiliates'").await;
    let mut last = None;
    let mut met = std::collections::BTreeSet::new();
    let mut faults = Vec::new();
    for _ in 0..groups {
        let (group, found) = store.verify_next(last).await.unwrap().unwrap();
        faults.extend(found);
        assert!(met.insert(group.clone()), "{group:?} comes twice");
        last = Some(group);
    }
    assert!(!faults.is_empty());
    assert!(faults.iter().all(|fault| fault.figure == "hours of movements"), "{faults:?}");
    let (group, _) = store.verify_next(last).await.unwrap().unwrap();
    assert_eq!(Some(&group), met.first(), "and then round again");
    let stats = store.stats();
    assert_eq!(stats.ledger_checks, u64::try_from(groups).unwrap() + 1);
    assert_eq!(stats.ledger_faults, u64::try_from(faults.len()).unwrap());
}
