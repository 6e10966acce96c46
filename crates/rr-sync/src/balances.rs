//! Sums by account and group.

use std::collections::BTreeMap;

use crate::ledger::{Account, Entry, Sum, parts};

/// What the entries of a stretch of the ledger add up to. A group that adds up to nothing is not
/// there.
///
/// All entries until an instant give what stood then; the difference of two such
/// ([`Balances::since`]) is what happened in between.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Balances(BTreeMap<Account, BTreeMap<String, Sum>>);

impl Balances {
    /// Adds to a group.
    pub fn add(&mut self, account: Account, group: &str, sum: Sum) {
        if sum.is_zero() {
            return;
        }
        let groups = self.0.entry(account).or_default();
        if let Some(present) = groups.get_mut(group) {
            *present += sum;
            if present.is_zero() {
                groups.remove(group);
                if groups.is_empty() {
                    self.0.remove(&account);
                }
            }
        } else {
            groups.insert(group.to_owned(), sum);
        }
    }

    /// Adds all of another.
    pub fn add_all(&mut self, other: &Balances) {
        for (account, group, sum) in other.iter() {
            self.add(account, group, sum);
        }
    }

    /// What was added between `earlier` and this.
    #[must_use]
    pub fn since(&self, earlier: &Balances) -> Balances {
        let mut difference = self.clone();
        for (account, group, sum) in earlier.iter() {
            difference.add(account, group, -sum);
        }
        difference
    }

    /// Every group, by account and name.
    pub fn iter(&self) -> impl Iterator<Item = (Account, &str, Sum)> {
        self.0.iter().flat_map(|(account, groups)| {
            groups.iter().map(|(group, sum)| (*account, group.as_str(), *sum))
        })
    }

    /// The groups of one account, by name.
    pub fn groups(&self, account: Account) -> impl Iterator<Item = (&str, Sum)> {
        self.0.get(&account).into_iter().flatten().map(|(group, sum)| (group.as_str(), *sum))
    }

    /// One group.
    pub fn group(&self, account: Account, group: &str) -> Sum {
        self.0.get(&account).and_then(|groups| groups.get(group)).copied().unwrap_or_default()
    }

    /// All groups of an account together.
    pub fn total(&self, account: Account) -> Sum {
        self.total_where(account, |_| true)
    }

    /// The groups of an account whose parts (see [`Account`]) `counts` accepts, together.
    pub fn total_where(&self, account: Account, counts: impl Fn(&[&str]) -> bool) -> Sum {
        let mut total = Sum::default();
        for (group, sum) in self.groups(account) {
            if counts(&parts(group).collect::<Vec<_>>()) {
                total += sum;
            }
        }
        total
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<'a> FromIterator<&'a Entry> for Balances {
    fn from_iter<T: IntoIterator<Item = &'a Entry>>(entries: T) -> Balances {
        let mut balances = Balances::default();
        for entry in entries {
            balances.add(entry.account, &entry.group, entry.sum());
        }
        balances
    }
}
