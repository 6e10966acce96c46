//! The best affiliates, of however many there are.
//!
//! Kept are the best few hundred and a bound that all others stay behind. What others earn meanwhile
//! raises the bound for them; when one of them could have come among the first ten, the list is
//! asked for again.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use crate::Balances;
use crate::figures::TopPerformer;
use crate::ledger::{Account, Sum};
use rr_domain::Total;

/// How many performers are shown.
const SHOWN: usize = 10;

/// Beyond this many more than it was told of the list is asked for again rather than let grow.
const LIMIT: usize = 10_000;

/// The better, the smaller: by amount, then by count, then by name.
type Rank = (Reverse<i128>, Reverse<i64>, String);

fn rank(name: &str, sum: Sum) -> Rank {
    (Reverse(sum.amount), Reverse(sum.count), name.to_owned())
}

/// The affiliates known, as they stand at the board's floor.
#[derive(Debug)]
pub(super) struct Affiliates {
    sums: HashMap<String, Sum>,
    /// How many it was told of. Asking again would only tell of them again, however many they are.
    told: usize,
    ranks: BTreeSet<Rank>,
    /// All others rank behind this; `None` when there are no others.
    others: Option<Rank>,
    /// How much at most others earned since.
    raises: HashMap<String, i128>,
    highest_raise: i128,
}

impl Affiliates {
    /// Before anything is known.
    pub(super) fn unknown() -> Affiliates {
        let best = (Reverse(i128::MAX), Reverse(i64::MAX), String::new());
        Affiliates {
            sums: HashMap::new(),
            told: 0,
            ranks: BTreeSet::new(),
            others: Some(best),
            raises: HashMap::new(),
            highest_raise: 0,
        }
    }

    /// From counters that hold later entries too, and what of them is later: of all affiliates who
    /// have such, so that the counters of all others are what stands at the floor.
    pub(super) fn new(
        best: Vec<(String, Sum)>,
        complete: bool,
        later: Vec<(String, Sum, Sum)>,
    ) -> Affiliates {
        let last = best.last().map(|(name, sum)| rank(name, *sum));
        let mut sums: HashMap<String, Sum> = best.into_iter().collect();
        for (name, mut counter, later) in later {
            counter -= later;
            sums.insert(name, counter);
        }
        let ranks = sums.iter().map(|(name, sum)| rank(name, *sum)).collect();
        let others = last.filter(|_| !complete);
        Affiliates { told: sums.len(), sums, ranks, others, ..Affiliates::unknown() }
    }

    /// An entry was recorded, perhaps one that takes effect later.
    pub(super) fn hear(&mut self, name: &str, amount: i128) {
        if self.others.is_some() && !self.sums.contains_key(name) {
            let raise = self.raises.entry(name.to_owned()).or_default();
            *raise += amount.max(0);
            self.highest_raise = self.highest_raise.max(*raise);
        }
    }

    /// An entry took effect.
    pub(super) fn add(&mut self, name: &str, sum: Sum) {
        let before = match self.sums.get(name) {
            Some(before) => *before,
            None if self.others.is_none() => Sum::default(),
            None => return,
        };
        let mut now = before;
        now += sum;
        self.ranks.remove(&rank(name, before));
        self.ranks.insert(rank(name, now));
        self.sums.insert(name.to_owned(), now);
    }

    /// Whether one that is not known could be among those shown.
    pub(super) fn need(&self, pending: &Balances) -> bool {
        let grown = self.sums.len() - self.told + self.raises.len() > LIMIT;
        let Some(others) = &self.others else { return grown };
        let Reverse(amount) = others.0;
        // One who was not there at all began at nothing, also where the list ends below.
        let reach = amount.max(0).saturating_add(self.highest_raise);
        let best = self.best(pending);
        match best.get(SHOWN - 1) {
            None => reach > 0,
            Some(last) => last > others || (!self.raises.is_empty() && reach >= last.0.0) || grown,
        }
    }

    /// Those shown, with what is pending for them added.
    pub(super) fn top(&self, pending: &Balances) -> Vec<TopPerformer> {
        self.best(pending)
            .into_iter()
            .map(|(Reverse(amount), Reverse(count), username)| TopPerformer {
                username,
                total_commission: Total::from_minor(amount),
                // A count of commissions is never below zero.
                transaction_count: count.unsigned_abs(),
            })
            .collect()
    }

    /// The best with something left, at most as many as are shown.
    fn best(&self, pending: &Balances) -> Vec<Rank> {
        let moved: HashMap<&str, Sum> = pending.groups(Account::Affiliates).collect();
        let still = self.ranks.iter().filter(|(_, _, name)| !moved.contains_key(name.as_str()));
        let mut best: Vec<Rank> = still.take(SHOWN).cloned().collect();
        for (name, change) in &moved {
            if self.others.is_none() || self.sums.contains_key(*name) {
                let mut sum = self.sums.get(*name).copied().unwrap_or_default();
                sum += *change;
                best.push(rank(name, sum));
            }
        }
        best.sort();
        best.retain(|(Reverse(amount), _, _)| *amount > 0);
        best.truncate(SHOWN);
        best
    }
}
