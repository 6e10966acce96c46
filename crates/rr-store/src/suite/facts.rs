//! Facts and the figures made of them.

use rr_domain::Fact;

use super::*;

#[tokio::test]
async fn figures_equal_the_plain_computation() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let mut dice = Dice::new(42, 40);
    // More than one page of the fold, with many facts of the same instant.
    let facts: Vec<Fact> = (0..12_000)
        .map(|number| Fact {
            id: id(5_000_000 + number),
            occurred_at: at(dice.number(4_000) * 1_000),
            kind: dice.kind(),
        })
        .collect();
    for part in facts.chunks(5_000) {
        assert_eq!(store.append_facts(part.to_vec(), audit(1)).await.unwrap(), part.len());
    }
    for seconds in [0, 1_000_000, 2_500_000, 4_000_001] {
        let folded = store.fold_facts(at(seconds)).await.unwrap();
        assert_eq!(folded, rr_sync::compute(&facts, at(seconds)), "at {seconds}");
    }
}

#[tokio::test]
async fn a_fact_counts_once() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let both = vec![signup(1, 1), signup(2, 2), signup(1, 1)];
    assert_eq!(store.append_facts(both.clone(), audit(1)).await.unwrap(), 2);
    assert_eq!(store.append_facts(both, audit(1)).await.unwrap(), 0);
    assert_eq!(store.facts_version().await.unwrap(), 2);
    assert_eq!(audited(&store, "facts.appended").await, 1);
    assert_eq!(number(&store, "SELECT count(*) FROM facts WHERE kind = 'user_created'").await, 2);
}

#[tokio::test]
async fn figures_are_remembered_until_something_changes_them() {
    let database = TestDatabase::new();
    let one = database.migrated().await;
    let two = database.open();
    one.append_facts(vec![signup(1, 1), signup(2, 500)], audit(1)).await.unwrap();
    let early = one.figures(at(100)).await.unwrap();
    assert_eq!(early.users.total_users, 1);
    let same = one.figures(at(110)).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&early, &same), "nothing changed");
    let later = one.figures(at(500)).await.unwrap();
    assert_eq!(later.users.total_users, 2, "time alone brought the second");
    one.append_facts(vec![signup(3, 3)], audit(1)).await.unwrap();
    let own = one.figures(at(500)).await.unwrap();
    assert_eq!(own.users.total_users, 3, "an own fact is there at once");
    two.append_facts(vec![signup(4, 4)], audit(1)).await.unwrap();
    one.follow_ledger(at(500)).await.unwrap();
    let told = one.figures(at(500)).await.unwrap();
    assert_eq!(told.users.total_users, 4, "another process added one");
    let past = one.figures(at(100)).await.unwrap();
    assert_eq!(past.users.total_users, 3, "a clock that went back is not given the future");
}
