//! Amounts that no sum could hold are refused before they are recorded.

use std::num::NonZeroU32;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use futures_util::future::join_all;
use rr_domain::{
    Fact, FactKind, Interval, IntervalUnit, Label, Product, SubscriptionStatus, Timestamp,
};

use super::*;
use crate::conn::on_each;
use crate::schema::ledger_entries;
use crate::sequence::Sequence;
use crate::{Store, StoreError};

const HALF: i64 = 1 << 62;

fn fact(number: u128, kind: FactKind) -> Fact {
    Fact { id: id(number), occurred_at: at(1), kind }
}

fn captured(number: u128, amount: i64) -> Fact {
    fact(
        number,
        FactKind::PaymentCaptured { payment: id(number), product: Product::Tripwire, amount },
    )
}

fn subscribed(number: u128, price: i64, quantity: u32) -> Fact {
    let kind = FactKind::SubscriptionStarted {
        subscription: id(number),
        customer: id(number),
        tier: Label::MEMBERSHIP,
        status: SubscriptionStatus::Active,
        price,
        quantity,
        interval: Interval { unit: IntervalUnit::Day, count: NonZeroU32::MIN },
    };
    fact(number, kind)
}

#[track_caller]
fn assert_refused(outcome: Result<usize, StoreError>, number: u128) {
    let Err(error) = outcome else { panic!("it was taken") };
    assert!(matches!(error, StoreError::TooLarge(_)), "{error:?}");
    assert!(error.to_string().contains(&id(number).to_string()), "{error}");
    assert!(!error.is_temporary());
}

#[tokio::test]
async fn what_no_sum_could_hold_is_refused_and_harms_nobody() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    store.append_facts(vec![captured(1, HALF)], audit(2)).await.unwrap();
    // One that fits by itself and not with the others; others that do not fit by themselves.
    assert_refused(store.append_facts(vec![captured(2, HALF)], audit(2)).await, 2);
    assert_refused(store.append_facts(vec![captured(3, i64::MIN)], audit(2)).await, 3);
    assert_refused(store.append_facts(vec![subscribed(4, HALF, 1)], audit(2)).await, 4);
    assert_refused(store.append_facts(vec![subscribed(5, 1 << 40, u32::MAX)], audit(2)).await, 5);
    assert_eq!(store.facts_version().await.unwrap(), 1);

    // Of those that come together only the ones are refused that cannot be added.
    let writes = (10..30).map(|n| {
        let amount = if n % 5 == 0 { HALF } else { 100 };
        store.append_facts(vec![captured(n, amount)], audit(2))
    });
    for (n, outcome) in (10..).zip(join_all(writes).await) {
        if n % 5 == 0 { assert_refused(outcome, n) } else { assert_eq!(outcome.unwrap(), 1) }
    }
    let revenue = store.figures(at(3)).await.unwrap().revenue.total_revenue.minor();
    assert_eq!(revenue, i128::from(HALF) + 16 * 100);
    store.append_facts(vec![signup(40, 1)], audit(2)).await.unwrap();
    assert_eq!(store.verify(at(3), |_| {}).await.unwrap().faults, []);
}

/// What was counted, and what the entries move.
async fn turnover(store: &Store) -> (i64, i64) {
    store
        .read(|conn| {
            let counted = Sequence::LedgerTurnover.last(conn)?;
            let moved: i64 = on_each!(conn, |c| ledger_entries::table
                .select(sql::<BigInt>("CAST(coalesce(sum(abs(amount)), 0) AS bigint)"))
                .get_result(c))?;
            Ok((counted, moved))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn everything_that_entries_move_is_counted_also_when_the_ledger_is_made_anew() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let mut dice = Dice::new(31, 10);
    for step in 0..20 {
        let facts: Vec<Fact> = (0..10).map(|n| dice.fact(step * 10 + n)).collect();
        store.append_facts(facts, audit(1)).await.unwrap();
        let (counted, moved) = turnover(&store).await;
        assert_eq!(counted, moved, "step {step}");
    }
    let before = turnover(&store).await.0;
    for _ in 0..2 {
        store.rebuild(audit(1), |_| {}).await.unwrap();
        let (counted, moved) = turnover(&store).await;
        assert_eq!(counted, moved);
        assert!(0 < counted && counted <= before, "{counted} of {before}");
    }
    let until: Timestamp = at(100 * 86_400);
    assert_eq!(store.verify(until, |_| {}).await.unwrap().faults, []);
}
