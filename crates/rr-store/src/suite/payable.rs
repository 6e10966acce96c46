//! Who is to be paid what, against an addition of all facts that shares nothing with it.

use std::collections::BTreeMap;
use std::time::Duration;

use rr_domain::{Fact, FactKind, Label, Timestamp};
use rr_sync::ledger::{Sum, payable};
use uuid::Uuid;

use super::*;
use crate::{PayableShare, Store};

/// What is payable to each affiliate: of every commission what was said about it until then.
fn plainly(facts: &[Fact], now: Timestamp) -> BTreeMap<String, (i64, i128)> {
    let mut until: Vec<&Fact> = facts.iter().filter(|fact| fact.occurred_at <= now).collect();
    until.sort_by_key(|fact| fact.occurred_at);
    let mut earned: BTreeMap<Uuid, (String, i64, Timestamp)> = BTreeMap::new();
    let [mut reversed, mut adjusted, mut paid] = [(); 3].map(|()| BTreeMap::<Uuid, i128>::new());
    for fact in until {
        match fact.kind.clone() {
            FactKind::CommissionAccrued { commission, affiliate, amount, payable_at, .. } => {
                earned.entry(commission).or_insert((affiliate, amount, payable_at));
            }
            FactKind::CommissionReversed { commission, amount } => {
                *reversed.entry(commission).or_default() += i128::from(amount);
            }
            FactKind::CommissionAdjusted { commission, amount, .. } => {
                *adjusted.entry(commission).or_default() += i128::from(amount);
            }
            FactKind::CommissionPaid { commission, amount } => {
                *paid.entry(commission).or_default() += i128::from(amount);
            }
            _ => {}
        }
    }
    let mut sums: BTreeMap<String, (i64, i128)> = BTreeMap::new();
    for (commission, (affiliate, amount, payable_at)) in earned {
        if payable_at > now {
            continue;
        }
        let of = |said: &BTreeMap<Uuid, i128>| said.get(&commission).copied().unwrap_or_default();
        let net = i128::from(amount) - of(&reversed) + of(&adjusted);
        let is_reversed = of(&reversed) > 0 && of(&reversed) >= i128::from(amount);
        let is_paid = of(&paid) > 0 && of(&paid) >= net;
        let sum = sums.entry(affiliate).or_default();
        sum.0 += i64::from(!is_reversed && !is_paid);
        sum.1 += net - of(&paid);
    }
    sums.retain(|_, sum| *sum != (0, 0));
    sums
}

/// All shares, so many at a time.
async fn walked(store: &Store, now: Timestamp, seq: i64, limit: u32) -> Vec<PayableShare> {
    let mut all: Vec<PayableShare> = Vec::new();
    loop {
        let last = all.last().map(|share| share.place.clone());
        let page = store.payable_shares(now, seq, last, limit).await.unwrap();
        let is_last = page.len() < usize::try_from(limit).unwrap();
        all.extend(page);
        if is_last {
            return all;
        }
    }
}

fn by_affiliate(shares: &[PayableShare]) -> BTreeMap<String, (i64, i128)> {
    let mut sums: BTreeMap<String, (i64, i128)> = BTreeMap::new();
    for share in shares {
        let sum = sums.entry(share.place.affiliate.clone()).or_default();
        sum.0 += share.payable.count;
        sum.1 += share.payable.amount;
    }
    sums.retain(|_, sum| *sum != (0, 0));
    sums
}

#[tokio::test]
async fn shares_are_what_is_payable_at_any_instant_and_sum_to_the_ledger() {
    let mut met = 0;
    for seed in 0..3 {
        let database = TestDatabase::new();
        let store = database.migrated().await;
        let mut dice = Dice::new(seed, 15);
        let all: Vec<Fact> = (0..500).map(|number| dice.fact(number)).collect();
        for part in all.chunks(50) {
            store.append_facts(part.to_vec(), audit(1)).await.unwrap();
        }
        for _ in 0..8 {
            let now = dice.moment();
            let (seq, standing) = store.standing_at(now).await.unwrap();
            let shares = walked(&store, now, seq, 1 + u32::try_from(dice.roll(9)).unwrap()).await;
            assert!(shares.is_sorted_by(|one, next| one.place <= next.place));
            let expected = plainly(&all, now);
            assert_eq!(by_affiliate(&shares), expected, "seed {seed} at {now}");
            met += expected.len();
            let mut total = Sum::default();
            shares.iter().for_each(|share| total += share.payable);
            assert_eq!(total, payable(&standing), "seed {seed} at {now}");
            // As the facts told it earlier.
            let earlier = walked(&store, now, 250, 4).await;
            assert_eq!(by_affiliate(&earlier), plainly(&all[..250], now), "seed {seed} at {now}");
        }
        store.close().await;
    }
    assert!(met > 100, "{met}");
}

fn accrued(number: u128, commission: u128, affiliate: &str, seconds: i64) -> Fact {
    let kind = FactKind::CommissionAccrued {
        commission: id(commission),
        affiliate: affiliate.to_owned(),
        tier: Label::MEMBERSHIP,
        sale: 200,
        amount: 100,
        payable_at: at(seconds).plus(Duration::from_secs(10)),
    };
    Fact { id: id(number), occurred_at: at(seconds), kind }
}

/// Names are ordered by their bytes on both databases, and a commission that several claim is the first one's.
#[tokio::test]
async fn affiliates_come_by_name_and_a_claim_counts_once() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let names = ["", "Zoe", "anna", "anna b", "Änne", "zoe", "=1+1", "\"", "日本"];
    let mut facts: Vec<Fact> =
        (100..).zip(names).map(|(number, name)| accrued(number, number, name, 0)).collect();
    // Zoe's claim on the first of anna's is dated earlier; the other repeats her own.
    facts.push(accrued(200, 102, "Zoe", -5));
    facts.push(accrued(201, 102, "Zoe", 5));
    store.append_facts(facts, audit(1)).await.unwrap();
    let seq = store.facts_version().await.unwrap();
    for limit in [1, 2, 100] {
        let shares = walked(&store, at(10), seq, limit).await;
        let mut sorted: Vec<&str> = names.to_vec();
        sorted.sort_unstable();
        let mut met: Vec<&str> =
            shares.iter().map(|share| share.place.affiliate.as_str()).collect();
        met.dedup();
        assert_eq!(met, sorted);
        let sums = by_affiliate(&shares);
        assert_eq!((sums.get("Zoe"), sums.get("anna")), (Some(&(2, 200)), None), "{sums:?}");
        assert_eq!(sums.len(), names.len() - 1);
    }
    let all = walked(&store, at(10), seq, 100).await;
    for (index, share) in all.iter().enumerate() {
        let place = store.payable_place(share.accrual).await.unwrap().unwrap();
        assert_eq!(place.affiliate, share.place.affiliate);
        let rest = store.payable_shares(at(10), seq, Some(place.clone()), 100).await.unwrap();
        let behind = all.iter().skip(index).filter(|other| other.place > place);
        assert!(rest.iter().eq(behind), "behind {}", place.affiliate);
    }
    assert_eq!(store.payable_place(9_999).await.unwrap(), None);
}
