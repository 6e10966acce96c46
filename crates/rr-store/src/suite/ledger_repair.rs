//! The ledger verified, and made anew.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rr_domain::{Fact, FactKind, Label, Product, Timestamp};
use rr_sync::ledger::Account;

use super::*;
use crate::{Fault, Progress, Store};

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
        let before = store.restatements(first(1_000)).await.unwrap().1.items;
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
        assert_eq!(store.restatements(first(1_000)).await.unwrap().1.items, before);
        assert_eq!(audited(&store, "ledger.rebuilt").await, 1);
        // And it goes on from there.
        store.append_facts(vec![signup(900, 1)], audit(86_400)).await.unwrap();
        assert_eq!(store.verify(now, silent).await.unwrap().faults, []);
        assert!(store.restatements(first(1_000)).await.unwrap().1.items.len() > before.len());
    }
}

/// What no sum of the ledger shows, because they agree with each other.
#[tokio::test]
async fn entries_and_hours_are_held_against_the_facts_one_by_one() {
    let now = at(45 * 86_400);
    let tick = if on_postgres() { "interval '1 microsecond'" } else { "1" };
    let shifted = |which: &str, by: &str| {
        format!(
            "UPDATE ledger_hours SET amount = amount {by} WHERE account = 'revenue' \
             AND grp = 'subscription\tmembership\tcaptured' AND hour = \
             (SELECT {which}(hour) FROM ledger_hours WHERE account = 'revenue' \
             AND grp = 'subscription\tmembership\tcaptured');"
        )
    };
    let renamed = |old: &str, new: &str| {
        ["ledger_entries", "ledger_hours", "ledger_counters"]
            .map(|table| format!("UPDATE {table} SET grp = replace(grp, '\t{old}', '\t{new}');"))
            .concat()
    };
    for (tampering, figure) in [
        (shifted("min", "+ 5") + &shifted("max", "- 5"), "hours of revenue at"),
        (
            format!("UPDATE ledger_entries SET at = at + {tick} WHERE account = 'users'"),
            "entries of users at",
        ),
        (
            format!("UPDATE ledger_entries SET at = at + {tick} WHERE account = 'affiliates'"),
            "entries of affiliates at",
        ),
        (
            format!("UPDATE ledger_entries SET since = since + {tick} WHERE since IS NOT NULL"),
            "entries of since at",
        ),
        (
            "UPDATE ledger_entries SET since = at WHERE account = 'signups'".to_owned(),
            "entries of since at",
        ),
        (renamed("payable", "owed"), "entries of commissions at"),
        (renamed("payable", "owed"), "balance of commissions"),
        (renamed("trialing", "trying"), "entries of subscriptions at"),
    ] {
        let database = TestDatabase::new();
        let store = database.migrated().await;
        with_history(&store, 21).await;
        assert_eq!(store.verify(now, silent).await.unwrap().faults, []);
        execute(&store, tampering.as_str()).await;
        let bad = database.open().verify(now, silent).await.unwrap();
        let found = bad.faults.iter().any(|fault| fault.figure.starts_with(figure));
        assert!(found, "{tampering}: {:?}", bad.faults);
        assert!(bad.faults.iter().all(|fault| fault.expected != fault.found));
    }
}

/// Amounts are compared as they are written: as floats these two are one.
#[tokio::test]
async fn a_cent_is_found_in_a_sum_past_2_to_the_53() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let captured = |number, amount| {
        let product = Product::Subscription(Label::MEMBERSHIP);
        let kind = FactKind::PaymentCaptured { payment: id(number), product, amount };
        Fact { id: id(100 + number), occurred_at: at(1), kind }
    };
    store.append_facts(vec![captured(1, 1 << 53), captured(2, 1)], audit(1)).await.unwrap();
    execute(
        &store,
        "UPDATE ledger_entries SET amount = 0 WHERE amount = 1; \
         UPDATE ledger_hours SET amount = amount - 1 WHERE account = 'revenue'; \
         UPDATE ledger_counters SET amount = amount - 1 WHERE account = 'revenue'",
    )
    .await;
    let bad = database.open().verify(at(10), silent).await.unwrap();
    let total = bad.faults.iter().find(|fault| fault.figure == "revenue.total_revenue").unwrap();
    assert_eq!(
        (total.expected.as_str(), total.found.as_str()),
        ("90071992547409.93", "90071992547409.92")
    );
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

/// Where each day that was checked ended, in the order of checking, for one round.
async fn round(store: &Store) -> (Vec<Timestamp>, Vec<Fault>) {
    let (mut days, mut all) = (Vec::new(), Vec::new());
    // Past all days a round begins.
    let mut last = Timestamp::EPOCH.plus(Duration::MAX);
    for minute in 0.. {
        let now = at(minute * 60);
        let (next, faults) = store.check_ledger(Some(last), now).await.unwrap().unwrap();
        if days.last().is_some_and(|last| *last > next) {
            return (days, all);
        }
        days.push(next);
        all.extend(faults);
        last = next;
    }
    unreachable!("there are more minutes than days")
}

#[tokio::test]
async fn the_running_check_goes_round_all_days() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    assert_eq!(store.check_ledger(None, at(0)).await.unwrap(), None, "there are no entries yet");
    with_history(&store, 22).await;
    let (days, faults) = round(&store).await;
    assert_eq!(faults, []);
    assert!((40..=91).contains(&days.len()), "{}", days.len());
    for (tampering, figure) in [
        ("UPDATE ledger_hours SET count = count + 1 WHERE account = 'movements'", "hours of"),
        ("UPDATE ledger_entries SET amount = amount + 1 WHERE account = 'revenue'", "hours of"),
        (
            "UPDATE ledger_counters SET count = count + 7 WHERE account = 'signups'",
            "counter of signups",
        ),
        (
            "UPDATE ledger_counters SET amount = amount + 1 WHERE account = 'affiliates'",
            "counters of affiliates",
        ),
        (
            "UPDATE ledger_entries SET amount = amount + 1 WHERE account = 'affiliates'",
            "entries of affiliates from",
        ),
    ] {
        execute(&store, tampering).await;
        let (_, faults) = round(&store).await;
        let found = faults.iter().any(|fault| fault.figure.starts_with(figure));
        assert!(found, "{tampering}: {faults:?}");
        let told = store.stats().ledger_faults;
        let (_, again) = round(&store).await;
        assert_eq!(again, faults);
        assert_eq!(store.stats().ledger_faults, told, "a fault is one, however often it is met");
        assert!(told > 0);
        store.rebuild(audit(3), silent).await.unwrap();
        assert_eq!(round(&store).await.1, []);
    }
    round(&store).await;
    assert_eq!(store.stats().ledger_faults, 0, "a round without faults forgets those before");
    assert!(store.stats().ledger_checks > 15 * 40);
}

/// However long a round through all days takes: the counters are what callers are told.
#[tokio::test]
async fn every_counter_is_compared_within_minutes() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    with_history(&store, 26).await;
    for account in Account::ALL {
        let (name, wrong) = (account.as_str(), "count = count + 1");
        execute(&store, &format!("UPDATE ledger_counters SET {wrong} WHERE account = '{name}'"))
            .await;
        let (first, _) = store.check_ledger(None, at(0)).await.unwrap().unwrap();
        let mut found = 0;
        for minute in 0..i64::try_from(Account::ALL.len()).unwrap() {
            let checked = store.check_ledger(Some(first), at(minute * 60)).await.unwrap();
            let (_, faults) = checked.unwrap();
            found += faults.iter().filter(|fault| fault.figure.starts_with("counter")).count();
        }
        assert!(found > 0, "{name}");
        store.rebuild(audit(3), silent).await.unwrap();
    }
}

#[tokio::test]
async fn a_process_that_starts_checks_another_day_than_the_one_before() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    with_history(&store, 25).await;
    let mut met = std::collections::BTreeSet::new();
    for minute in 0..60 {
        let checked = store.check_ledger(None, at(minute * 60)).await.unwrap();
        met.insert(checked.unwrap().0);
    }
    assert!(met.len() > 25, "{met:?}");
}
