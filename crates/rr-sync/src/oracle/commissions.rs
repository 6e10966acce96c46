//! Commissions: what affiliates earned, net of what was taken back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use rr_domain::{Fact, FactKind, Money, Timestamp, Total};
use uuid::Uuid;

use super::labels::{LabelId, Labels};
use super::newest::Newest;
use super::windows::NextChange;
use crate::figures::{
    CommissionFigures, CommissionStates, RecentCommission, TierCommissions, TopPerformer,
};

/// The commissions of all facts so far.
#[derive(Debug)]
pub(super) struct Commissions {
    tiers: Labels,
    affiliates: Affiliates,
    entries: HashMap<Uuid, Commission>,
    recent: Newest<RecentCommission, 5>,
}

/// A commission and everything that was said about it. Before its accrual is seen, `earned` is
/// empty and the rest waits.
#[derive(Debug, Default)]
struct Commission {
    earned: Option<Earned>,
    reversed: i128,
    adjusted: i128,
    paid: i128,
}

#[derive(Debug)]
struct Earned {
    affiliate: usize,
    tier: LabelId,
    amount: i64,
    payable_at: Timestamp,
}

/// What one affiliate, or one tier, adds up to.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: u64,
    total: i128,
}

impl Commissions {
    pub(super) fn new() -> Commissions {
        Commissions {
            tiers: Labels::default(),
            affiliates: Affiliates::default(),
            entries: HashMap::new(),
            recent: Newest::new(),
        }
    }

    pub(super) fn add(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::CommissionAccrued {
                commission,
                affiliate,
                tier,
                sale,
                amount,
                payable_at,
            } => {
                let entry = self.entries.entry(*commission).or_default();
                if entry.earned.is_some() {
                    return;
                }
                entry.earned = Some(Earned {
                    affiliate: self.affiliates.index(affiliate),
                    tier: self.tiers.id(tier),
                    amount: *amount,
                    payable_at: *payable_at,
                });
                let shown = RecentCommission {
                    id: *commission,
                    username: affiliate.clone(),
                    tier: tier.clone(),
                    amount: Money::from_minor(*sale),
                    commission: Money::from_minor(*amount),
                    created_at: fact.occurred_at,
                };
                self.recent.add((fact.occurred_at, fact.id), shown);
            }
            FactKind::CommissionReversed { commission, amount } => {
                self.entries.entry(*commission).or_default().reversed += i128::from(*amount);
            }
            FactKind::CommissionAdjusted { commission, amount, reason: _ } => {
                self.entries.entry(*commission).or_default().adjusted += i128::from(*amount);
            }
            FactKind::CommissionPaid { commission, amount } => {
                self.entries.entry(*commission).or_default().paid += i128::from(*amount);
            }
            _ => {}
        }
    }

    pub(super) fn finish(self, as_of: Timestamp, next: &mut NextChange) -> CommissionFigures {
        let mut all = Sum::default();
        let (mut on_hold, mut payable, mut paid) = (0, 0, 0);
        let mut by_tier: BTreeMap<LabelId, Sum> = BTreeMap::new();
        let mut by_affiliate = vec![Sum::default(); self.affiliates.names.len()];
        for commission in self.entries.values() {
            if let Some(earned) = &commission.earned {
                let one = commission.sum(earned);
                all.add(one);
                by_tier.entry(earned.tier).or_default().add(one);
                by_affiliate[earned.affiliate].add(one);
                paid += commission.paid;
                if earned.payable_at > as_of {
                    on_hold += one.total - commission.paid;
                    next.consider(earned.payable_at);
                } else {
                    payable += one.total - commission.paid;
                }
            }
        }
        let by_tier = by_tier
            .into_iter()
            .filter(|(_, sum)| sum.count > 0 || sum.total != 0)
            .map(|(tier, sum)| {
                let figures =
                    TierCommissions { count: sum.count, total: Total::from_minor(sum.total) };
                (self.tiers.name(tier).clone(), figures)
            })
            .collect();
        CommissionFigures {
            timestamp: as_of,
            total_commissions: Total::from_minor(all.total),
            states: CommissionStates {
                on_hold: Total::from_minor(on_hold),
                payable: Total::from_minor(payable),
                paid: Total::from_minor(paid),
            },
            total_transactions: all.count,
            top_performers: top_performers(self.affiliates.names, &by_affiliate),
            commission_by_tier: by_tier,
            recent_commissions: self.recent.into_vec(),
        }
    }
}

impl Commission {
    /// What this commission adds: its net, and one transaction unless all of it was taken back.
    /// A commission of 0 is a transaction; nothing can be taken back from it.
    fn sum(&self, earned: &Earned) -> Sum {
        let amount = i128::from(earned.amount);
        let wholly_reversed = self.reversed > 0 && self.reversed >= amount;
        Sum { count: u64::from(!wholly_reversed), total: amount - self.reversed + self.adjusted }
    }
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.count += other.count;
        self.total += other.total;
    }
}

/// The ten best by net total, then by count, then by name; those with nothing left are not named.
fn top_performers(names: Vec<String>, sums: &[Sum]) -> Vec<TopPerformer> {
    let mut ranked: Vec<(String, Sum)> =
        names.into_iter().zip(sums.iter().copied()).filter(|(_, sum)| sum.total > 0).collect();
    ranked.sort_unstable_by(|(name, sum), (other_name, other)| {
        (Reverse(sum.total), Reverse(sum.count), name).cmp(&(
            Reverse(other.total),
            Reverse(other.count),
            other_name,
        ))
    });
    ranked.truncate(10);
    ranked
        .into_iter()
        .map(|(username, sum)| TopPerformer {
            username,
            total_commission: Total::from_minor(sum.total),
            transaction_count: sum.count,
        })
        .collect()
}

/// Each affiliate's name once, with a number that stands for it.
#[derive(Debug, Default)]
pub(super) struct Affiliates {
    indices: HashMap<String, usize>,
    names: Vec<String>,
}

impl Affiliates {
    pub(super) fn index(&mut self, name: &str) -> usize {
        if let Some(&index) = self.indices.get(name) {
            return index;
        }
        self.indices.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
        self.names.len() - 1
    }

    pub(super) fn name(&self, index: usize) -> &str {
        &self.names[index]
    }
}
