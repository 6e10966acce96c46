//! The running check of the ledger by the facts.

use std::time::Duration;

use rr_domain::{Fact, FactKind, Label, Product, Timestamp};
use rr_sync::ledger::Account;

use super::*;
use crate::{FactCheck, Fault, Store};

async fn with_history(store: &Store, seed: u64, subjects: u64) {
    let mut dice = Dice::new(seed, subjects);
    let all: Vec<Fact> = (0..300).map(|number| dice.fact(number)).collect();
    for part in all.chunks(20) {
        store.append_facts(part.to_vec(), audit(60 * 86_400)).await.unwrap();
    }
}

fn told(store: &Store) -> FactCheck {
    store.stats().fact_check.unwrap()
}

/// Goes on until a round ends, so many facts at a time; says in how many slices.
async fn round(store: &Store, limit: u32, now: Timestamp) -> (usize, Vec<Fault>) {
    let mut all = Vec::new();
    for slices in 1.. {
        all.extend(store.check_facts(limit, now).await.unwrap());
        if told(store).round_ended_at == Some(now) {
            return (slices, all);
        }
        assert!(slices < 10_000, "a round does not end");
    }
    unreachable!("the numbers do not end");
}

/// What the comparison of sums with entries finds, all days long.
async fn in_sums(store: &Store) -> usize {
    let mut last = Timestamp::EPOCH.plus(Duration::MAX);
    let mut found = 0;
    for _ in 0..200 {
        let (next, faults) = store.check_ledger(Some(last), at(0)).await.unwrap().unwrap();
        (found, last) = (found + faults.len(), next);
    }
    found
}

#[tokio::test]
async fn a_history_and_its_entries_agree_however_they_are_cut() {
    for (seed, limit) in seeds(4).zip([1, 7, 50, 1_000]) {
        let database = TestDatabase::new();
        let store = database.migrated().await;
        assert_eq!(round(&store, limit, at(0)).await, (1, vec![]), "there is nothing yet");
        with_history(&store, seed, 40).await;
        let (slices, faults) = round(&store, limit, at(1)).await;
        assert_eq!(faults, []);
        let facts = usize::try_from(store.facts_version().await.unwrap()).unwrap();
        assert!(slices >= facts.div_ceil(usize::try_from(limit).unwrap()), "{slices} of {limit}");
        store.rebuild(audit(3), |_| ()).await.unwrap();
        assert_eq!(round(&store, limit, at(2)).await.1, []);
    }
}

/// Entries, hours and counters that agree with each other, but not with the facts: no comparison of sums finds
/// them.
#[tokio::test]
async fn a_ledger_that_is_not_what_the_facts_say_is_found() {
    let (tick, nobody) = match on_postgres() {
        true => ("interval '1 microsecond'", "'00000000-0000-0000-0000-000000000001'"),
        false => ("1", "x'00000000000000000000000000000001'"),
    };
    let renamed = ["ledger_entries", "ledger_hours", "ledger_counters"]
        .map(|table| format!("UPDATE {table} SET grp = replace(grp, '\tpayable', '\towed');"));
    // A payment has entries in no other account: none is left that leads to it.
    let (product, amount) = (Product::Subscription(Label::parse("lonely").unwrap()), 100);
    let kind = FactKind::PaymentCaptured { payment: id(9_000), product, amount };
    let lonely = Fact { id: id(9_001), occurred_at: at(0), kind };
    let removed = ["ledger_entries", "ledger_hours", "ledger_counters"]
        .map(|table| format!("DELETE FROM {table} WHERE grp LIKE '%lonely%';"));
    // There and back, when nothing else happens.
    let added = |fact: &str| {
        [(1, "at", 1), (2, &*format!("at + {tick}"), -1)].map(|(n, at, count)| {
            format!(
                "INSERT INTO ledger_entries (seq, n, fact, account, grp, at, count, amount) \
                 SELECT seq, n + {n}000000, {fact}, account, grp, {at} + {tick}, {count}, 0 \
                 FROM ledger_entries WHERE account = 'users' ORDER BY seq, n LIMIT 1;"
            )
        })
    };
    for (tampering, account) in [
        (renamed.concat(), Account::Commissions),
        (removed.concat(), Account::Revenue),
        (
            format!("UPDATE ledger_entries SET at = at + {tick} WHERE account = 'affiliates'"),
            Account::Affiliates,
        ),
        (
            format!("UPDATE ledger_entries SET since = since + {tick} WHERE since IS NOT NULL"),
            Account::Movements,
        ),
        (added("fact").concat(), Account::Users),
        (added(nobody).concat(), Account::Users),
        (
            format!(
                "UPDATE facts SET occurred_at = occurred_at + {tick} WHERE kind = 'user_created'"
            ),
            Account::Signups,
        ),
        ("DELETE FROM facts WHERE kind = 'payment_captured'".to_owned(), Account::Revenue),
    ] {
        let database = TestDatabase::new();
        let store = database.migrated().await;
        with_history(&store, 21, 15).await;
        store.append_facts(vec![lonely.clone()], audit(60 * 86_400)).await.unwrap();
        assert_eq!(round(&store, 1_000, at(1)).await, (1, vec![]));
        execute(&store, tampering.as_str()).await;
        assert_eq!(in_sums(&store).await, 0, "{tampering}");
        for (now, limit) in [(at(2), 1_000), (at(3), 20)] {
            let (_, faults) = round(&store, limit, now).await;
            assert!(!faults.is_empty(), "{tampering}");
            assert!(faults.iter().all(|fault| fault.expected != fault.found));
            assert!(told(&store).faults(account) > 0, "{tampering}: {faults:?}");
        }
        if account == Account::Users {
            assert_eq!(told(&store).faults(Account::Revenue), 0, "{tampering}");
        }
        // A ledger made anew says what the facts say, whatever they are.
        store.rebuild(audit(3), |_| ()).await.unwrap();
        assert_eq!(round(&store, 20, at(4)).await.1, []);
        assert_eq!(told(&store).faults(account), 0);
    }
}

#[tokio::test]
async fn a_process_goes_on_where_the_one_before_was() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    with_history(&store, 21, 40).await;
    execute(&store, "UPDATE ledger_entries SET amount = amount + 1 WHERE account = 'revenue'")
        .await;
    assert!(!store.check_facts(100, at(1)).await.unwrap().is_empty());
    let before = told(&store);
    assert_eq!((before.fact, before.round_ended_at), (100, None));
    let next = database.open();
    assert_eq!(next.stats().fact_check, None, "it has not looked yet");
    next.check_facts(100, at(2)).await.unwrap();
    let after = told(&next);
    assert_eq!(after.fact, 200);
    assert!(after.faults(Account::Revenue) >= before.faults(Account::Revenue));
    round(&next, 100, at(3)).await;
    assert!(told(&next).faults(Account::Revenue) > 0, "what the last round found is told");
}
