//! Customers: how the annual basis of all their subscriptions together moves.
//!
//! What happens at one instant is one movement: who ends one subscription and starts a dearer one at
//! the same moment has expanded, not churned and come back.

use std::collections::BTreeMap;

use rr_domain::{Fact, Timestamp};
use uuid::Uuid;

use super::journal::Journal;
use super::lifecycle::turns;
use super::{Account, Entry, Subject, Sum, TooLarge};

pub(super) fn entries(customer: Uuid, facts: &[&Fact]) -> Result<Vec<Entry>, TooLarge> {
    let mut basis = Basis::default();
    let mut journal = Journal::default();
    for (at, changes) in by_instant(customer, facts) {
        let mut fact = None;
        let mut now = basis.total;
        for (by, change) in changes {
            now += change;
            fact = Some(by);
        }
        if let Some(fact) = fact
            && let Some((kind, since)) = basis.moves(at, now)
        {
            let sum = Sum { count: 1, amount: now - basis.total };
            journal.note(at, fact, Account::Movements, kind.to_owned(), sum, since)?;
            basis.total = now;
        }
    }
    Ok(journal.into_entries())
}

/// By how much each instant changes the customer's annual basis, and through which facts.
fn by_instant(customer: Uuid, facts: &[&Fact]) -> BTreeMap<Timestamp, Vec<(Uuid, i128)>> {
    let mut subscriptions: BTreeMap<Uuid, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        subscriptions.entry(Subject::of(&fact.kind).id()).or_default().push(fact);
    }
    let mut instants: BTreeMap<Timestamp, Vec<(Uuid, i128)>> = BTreeMap::new();
    for facts in subscriptions.into_values() {
        let mut before = 0;
        for turn in turns(facts) {
            let own = turn.state.filter(|state| state.customer == customer);
            let now = own.map_or(0, |state| state.recurring());
            if now != before {
                instants.entry(turn.at).or_default().push((turn.fact, now - before));
                before = now;
            }
        }
    }
    instants
}

/// The customer's annual basis, and where its stretch above zero began.
#[derive(Debug, Default)]
struct Basis {
    total: i128,
    since: Option<Timestamp>,
}

impl Basis {
    /// The kind of movement that brings the basis to `now`, and for churn since when it was above
    /// zero.
    fn moves(&mut self, at: Timestamp, now: i128) -> Option<(&'static str, Option<Timestamp>)> {
        let kind = match (self.total, now) {
            (before, now) if before == now => return None,
            (0, _) if self.since.is_none() => "new",
            (0, _) => "reactivation",
            (_, 0) => return Some(("churn", self.since)),
            (before, now) if before < now => "expansion",
            _ => "contraction",
        };
        if self.total == 0 {
            self.since = Some(at);
        }
        Some((kind, None))
    }
}
