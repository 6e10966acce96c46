//! What is read from the ledger, against the sums of all its entries.

use rr_domain::{Fact, FactKind, Timestamp};
use rr_sync::Balances;
use rr_sync::ledger::{Account, Entry, posting};

use super::*;
use crate::{EntryFilter, ImportBatch, Store};

/// A store with a history, and all entries of it as the pure function makes them.
async fn with_history(database: &TestDatabase, seed: u64) -> (Store, Vec<Entry>) {
    let store = database.migrated().await;
    let mut dice = Dice::new(seed, 12);
    let all: Vec<Fact> = (0..300).map(|number| dice.fact(number)).collect();
    for part in all.chunks(25) {
        store.append_facts(part.to_vec(), audit(1)).await.unwrap();
    }
    (store, posting(&[], &all).unwrap())
}

fn before(entries: &[Entry], accounts: &[Account], at: Timestamp) -> Balances {
    entries.iter().filter(|one| one.at < at && accounts.contains(&one.account)).collect()
}

const KEPT: [Account; 7] = [
    Account::Users,
    Account::Signups,
    Account::Revenue,
    Account::Subscriptions,
    Account::Movements,
    Account::Commissions,
    Account::Accruals,
];

#[tokio::test]
async fn what_stood_at_an_instant_is_the_sum_of_the_entries_until_then() {
    let database = TestDatabase::new();
    let (store, entries) = with_history(&database, 3).await;
    let mut dice = Dice::new(4, 1);
    for _ in 0..40 {
        let now = dice.moment();
        let (seq, standing) = store.standing_at(now).await.unwrap();
        assert_eq!(seq, 300);
        let tick = std::time::Duration::from_micros(1);
        assert_eq!(standing, before(&entries, &KEPT, now.plus(tick)), "at {now}");
    }
}

#[tokio::test]
async fn spans_are_the_sums_between_any_instants() {
    let database = TestDatabase::new();
    let (store, entries) = with_history(&database, 5).await;
    let mut dice = Dice::new(6, 1);
    let mut churned = 0;
    for round in 0..25 {
        let mut instants: Vec<Timestamp> = (0..2 + dice.roll(if round % 2 == 0 { 4 } else { 60 }))
            .map(|_| dice.moment())
            .collect();
        instants.sort();
        instants.dedup();
        let accounts = if round % 3 == 0 { &KEPT[..] } else { &KEPT[round % 7..=round % 7] };
        let is_asked = round % 7 < 5;
        let spans = store.spans(instants.clone(), accounts.to_vec(), is_asked).await.unwrap();
        assert_eq!(spans.start, before(&entries, accounts, instants[0]));
        for (n, pair) in instants.windows(2).enumerate() {
            let expected =
                before(&entries, accounts, pair[1]).since(&before(&entries, accounts, pair[0]));
            assert_eq!(spans.changes[n], expected, "{pair:?}");
            let gone = entries.iter().filter(|one| {
                one.account == Account::Movements
                    && one.group == "churn"
                    && (pair[0]..pair[1]).contains(&one.at)
                    && one.since.unwrap() < pair[0]
            });
            let gone: i64 = gone.map(|one| one.count).sum();
            churned += gone;
            assert_eq!(spans.churned[n], if is_asked { gone } else { 0 }, "{pair:?}");
        }
    }
    assert!(churned > 0, "nobody left");
}

#[tokio::test]
async fn the_entries_behind_a_figure_come_once_each_in_order() {
    let database = TestDatabase::new();
    let (store, entries) = with_history(&database, 8).await;
    for accounts in [vec![Account::Revenue], vec![Account::Commissions, Account::Users]] {
        let (from, until) = (at(10 * 86_400), at(60 * 86_400));
        let filter =
            EntryFilter { accounts: accounts.clone(), from, before: until, seq: 300, rebuilds: 0 };
        let mut met = Vec::new();
        let mut last = None;
        loop {
            let page = store.entries(filter.clone(), last, 7).await.unwrap();
            last = page.last().map(|one| one.place);
            let is_last = page.len() < 7;
            met.extend(page);
            if is_last {
                break;
            }
        }
        assert!(met.is_sorted_by(|a, b| a.place < b.place));
        assert!(met.len() > 20);
        let sum: Balances = met.iter().map(|one| &one.entry).collect();
        let expected = before(&entries, &accounts, until).since(&before(&entries, &accounts, from));
        assert_eq!(sum, expected);
    }
}

#[tokio::test]
async fn entries_of_a_ledger_that_was_made_anew_are_not_mixed_with_those_before() {
    let database = TestDatabase::new();
    let (store, _) = with_history(&database, 9).await;
    let filter = |rebuilds| EntryFilter {
        accounts: vec![Account::Revenue],
        from: at(0),
        before: at(90 * 86_400),
        seq: 300,
        rebuilds,
    };
    let page = store.entries(filter(0), None, 5).await.unwrap();
    let last = page.last().map(|one| one.place);
    store.rebuild(audit(3), |_| {}).await.unwrap();
    let mixed = store.entries(filter(0), last, 5).await;
    assert!(matches!(mixed, Err(crate::StoreError::Unavailable(_))), "{mixed:?}");
    assert_eq!(store.entries(filter(1), None, 5).await.unwrap().len(), 5);
}

#[tokio::test]
async fn exactly_the_late_moves_are_restatements() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let hour = 3_600;
    // On time, half a minute late, and ahead.
    store.append_facts(vec![signup(1, hour)], audit(hour)).await.unwrap();
    store.append_facts(vec![signup(2, hour)], audit(hour + 30)).await.unwrap();
    store.append_facts(vec![signup(3, 2 * hour)], audit(hour)).await.unwrap();
    assert!(store.restatements(first(10)).await.unwrap().1.items.is_empty());

    store.append_facts(vec![signup(4, 100), signup(5, 50)], audit(hour)).await.unwrap();
    let rows = store.restatements(first(10)).await.unwrap().1.items;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row.seq, row.account, row.group.as_str(), row.since, row.count, row.facts))
        .collect();
    let group = "member\tactive";
    assert_eq!(
        shown,
        [(5, Account::Signups, "", at(50), 2, 2), (5, Account::Users, group, at(50), 2, 2)]
    );
    assert!(rows.iter().all(|row| row.recorded_at == at(hour)));

    // An earlier creation of the first user: it was there from then on, and came only once.
    let FactKind::UserCreated { user, role, status } = signup(1, 0).kind else { unreachable!() };
    let earlier = Fact {
        id: id(77),
        occurred_at: at(10),
        kind: FactKind::UserCreated { user, role, status },
    };
    store.append_facts(vec![earlier], audit(2 * hour)).await.unwrap();
    let page = store.restatements(first(1)).await.unwrap().1;
    // It only changed its date: what is left is nothing, and yet what stood in between is another.
    let moved = &page.items[0];
    assert_eq!((moved.seq, moved.since, moved.until), (6, at(10), at(hour)));
    assert_eq!((moved.count, moved.gained.count, moved.facts), (0, 1, 1));
    let mut walked = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.restatements(crate::PageRequest { limit: 1, cursor }).await.unwrap().1;
        walked.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(crate::Cursor::parse(&next.to_string()).unwrap()),
            None => break,
        }
    }
    assert_eq!(walked, store.restatements(first(10)).await.unwrap().1.items);
    assert_eq!(walked.len(), 4);
}

/// Of a history that was recorded elsewhere only what came late there is a restatement.
#[tokio::test]
async fn a_fact_that_is_brought_in_keeps_when_it_was_recorded() {
    for loaded in [true, false] {
        let database = TestDatabase::new();
        let store = database.migrated().await;
        let recorded = vec![(at(100), signup(1, 100)), (at(900), signup(2, 200))];
        let batch = ImportBatch { recorded, ..ImportBatch::default() };
        let long_after = audit(90 * 86_400);
        if loaded {
            store.load_batch(batch, long_after).await.unwrap();
            store.catch_up(|_| {}).await.unwrap();
        } else {
            store.import_batch(batch, long_after).await.unwrap();
        }
        let rows = store.restatements(first(10)).await.unwrap().1.items;
        let signups = rows.iter().find(|row| row.account == Account::Signups).unwrap();
        assert_eq!((signups.count, signups.facts), (1, 1));
        assert_eq!((signups.since, signups.recorded_at), (at(200), at(900)));
    }
}
