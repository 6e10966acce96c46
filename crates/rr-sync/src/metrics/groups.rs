//! A figure told group by group.

use std::collections::BTreeMap;

use super::formula::{Formula, Metric, Value};
use crate::Balances;
use crate::ledger::parts;

impl Metric {
    /// What it can be told by: the parts of the groups of its account, of which a figure has one. A rate
    /// cannot; the parts of a relation do not add up to it.
    pub fn dimensions(&self) -> &'static [&'static str] {
        match self.formula {
            Formula::Sum { terms: [term, ..], .. } => term.account.parts(),
            Formula::Sum { terms: [], .. } | Formula::Ratio(_) | Formula::ChurnRatio(_) => &[],
        }
    }

    /// What all these entries make of a stock or flow, by one of the [`dimensions`](Self::dimensions). The groups
    /// add up to the value but for their rounding, each for itself; what adds up to nothing is left out.
    pub fn groups(&self, by: &str, balances: &Balances) -> BTreeMap<String, Value> {
        let some = self.exact_groups(by, balances).into_iter().filter(|(_, sum)| *sum != 0);
        some.map(|(name, sum)| (name.to_owned(), self.show(sum))).collect()
    }

    /// The parts of the [exact](Self::exact) sum.
    pub(crate) fn exact_groups<'a>(
        &self,
        by: &str,
        balances: &'a Balances,
    ) -> BTreeMap<&'a str, i128> {
        let mut sums = BTreeMap::new();
        let part = self.dimensions().iter().position(|name| *name == by);
        let (Some(part), Formula::Sum { terms, .. }) = (part, self.formula) else { return sums };
        for term in terms {
            for (group, sum) in balances.groups(term.account) {
                let parts: Vec<&str> = parts(group).collect();
                if let Some(name) = parts.get(part)
                    && (term.counts)(&parts)
                {
                    let taken = term.take.of(sum.count.into(), sum.amount);
                    *sums.entry(*name).or_default() += taken;
                }
            }
        }
        sums
    }
}
