//! Users: each one by role and status while they are there, and every signup.
//!
//! A user begins once: a second creation of one who is there changes nothing, and neither does a
//! change of one who is not.

use rr_domain::{Fact, FactKind};

use super::journal::{Holding, Journal};
use super::{Account, Entry, Sum, TooLarge, group};

const ONE: Sum = Sum { count: 1, amount: 0 };

pub(super) fn entries(facts: &[&Fact]) -> Result<Vec<Entry>, TooLarge> {
    let mut journal = Journal::default();
    let mut present = None;
    for fact in facts {
        present = match (&fact.kind, present) {
            (FactKind::UserCreated { role, status, .. }, None) => {
                let signup = String::new();
                journal.note(fact.occurred_at, fact.id, Account::Signups, signup, ONE, None)?;
                Some((role, status))
            }
            (FactKind::UserChanged { role, status, .. }, Some((old_role, old_status))) => {
                Some((role.as_ref().unwrap_or(old_role), status.as_ref().unwrap_or(old_status)))
            }
            (FactKind::UserDeleted { .. }, _) => None,
            (_, unchanged) => unchanged,
        };
        let holding = present.map(|(role, status)| {
            ((Account::Users, group(&[role.as_str(), status.as_str()])), ONE)
        });
        journal.hold(fact.occurred_at, fact.id, Holding::from_iter(holding))?;
    }
    Ok(journal.into_entries())
}
