//! What new facts change.

use std::collections::{BTreeMap, BTreeSet};

use rr_domain::Fact;
use uuid::Uuid;

use super::{Entry, Subject, TooLarge, customer_of, entries};

/// The entries that new facts add to the ledger.
///
/// `known` are all facts recorded before about the subjects of the new ones; for a subscription that
/// includes all subscriptions of every customer that a start of it names, in `known` or in `new`. More
/// than that does no harm. Both lists are in the order of recording, or in order of time with that
/// order within an instant. No fact comes twice.
pub fn posting(known: &[Fact], new: &[Fact]) -> Result<Vec<Entry>, TooLarge> {
    let mut facts: Vec<(&Fact, bool)> = known.iter().map(|fact| (fact, false)).collect();
    facts.extend(new.iter().map(|fact| (fact, true)));
    facts.sort_by_key(|(fact, _)| fact.occurred_at);

    let mut histories: BTreeMap<Subject, Vec<(&Fact, bool)>> = BTreeMap::new();
    for entry in &facts {
        histories.entry(Subject::of(&entry.0.kind)).or_default().push(*entry);
    }
    add_customers(&mut histories, &facts);
    histories.retain(|_, facts| facts.iter().any(|(_, new)| *new));

    let mut all = Vec::new();
    for (subject, facts) in histories {
        let after: Vec<&Fact> = facts.iter().map(|(fact, _)| *fact).collect();
        let before: Vec<&Fact> =
            facts.iter().filter(|(_, new)| !new).map(|(fact, _)| *fact).collect();
        all.extend(changes(entries(subject, &before)?, entries(subject, &after)?));
    }
    all.sort();
    Ok(all)
}

/// Adds each customer's history: all facts about every subscription that a start names them for.
fn add_customers<'a>(
    histories: &mut BTreeMap<Subject, Vec<(&'a Fact, bool)>>,
    facts: &[(&'a Fact, bool)],
) {
    let mut customers: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for (fact, _) in facts {
        if let Some(customer) = customer_of(&fact.kind) {
            let subscription = Subject::of(&fact.kind).id();
            customers.entry(subscription).or_default().insert(customer);
        }
    }
    for entry in facts {
        if let Subject::Subscription(id) = Subject::of(&entry.0.kind) {
            for customer in customers.get(&id).into_iter().flatten() {
                histories.entry(Subject::Customer(*customer)).or_default().push(*entry);
            }
        }
    }
}

/// What leads from the entries before to those after: what is new, and the reverse of what is no
/// longer there, in the order of entries.
pub fn changes(before: Vec<Entry>, mut after: Vec<Entry>) -> Vec<Entry> {
    if before.is_empty() {
        after.sort();
        return after;
    }
    let mut surplus: BTreeMap<Entry, i64> = BTreeMap::new();
    for entry in after {
        *surplus.entry(entry).or_default() += 1;
    }
    for entry in before {
        *surplus.entry(entry).or_default() -= 1;
    }
    let mut changes = Vec::new();
    for (entry, surplus) in surplus {
        let entry = if surplus < 0 { entry.reversed() } else { entry };
        changes.extend((0..surplus.unsigned_abs()).map(|_| entry.clone()));
    }
    changes.sort();
    changes
}
