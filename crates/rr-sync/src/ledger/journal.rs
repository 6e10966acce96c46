//! Writes the entries of one subject.

use std::collections::BTreeMap;

use rr_domain::Timestamp;
use uuid::Uuid;

use super::{Account, Entry, Sum, TooLarge};

/// What a subject holds at a moment: what it adds to each group it is counted in.
pub(super) type Holding = BTreeMap<(Account, String), Sum>;

/// The entries so far and what they add up to.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: Vec<Entry>,
    held: Holding,
}

impl Journal {
    /// From `at` on the subject holds this and nothing else; the entries are what changes.
    pub(super) fn hold(
        &mut self,
        at: Timestamp,
        fact: Uuid,
        holding: Holding,
    ) -> Result<(), TooLarge> {
        let mut change = holding.clone();
        for (place, sum) in std::mem::replace(&mut self.held, holding) {
            *change.entry(place).or_default() -= sum;
        }
        for ((account, group), sum) in change {
            if !sum.is_zero() {
                self.note(at, fact, account, group, sum, None)?;
            }
        }
        Ok(())
    }

    /// Something happened that stays: an entry by itself.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        fact: Uuid,
        account: Account,
        group: String,
        sum: Sum,
        since: Option<Timestamp>,
    ) -> Result<(), TooLarge> {
        let (count, amount) = sum.narrow().ok_or(TooLarge { fact })?;
        self.entries.push(Entry { at, account, group, count, amount, since, fact });
        Ok(())
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}
