//! Subscriptions by tier and status, with their annual bases.

use rr_domain::{Fact, SubscriptionStatus};

use super::journal::{Holding, Journal};
use super::lifecycle::{State, turns};
use super::{Account, Entry, Sum, TooLarge, group};

pub(super) fn entries(facts: &[&Fact]) -> Result<Vec<Entry>, TooLarge> {
    let mut journal = Journal::default();
    for turn in turns(facts.iter().copied()) {
        journal.hold(turn.at, turn.fact, turn.state.as_ref().map_or_else(Holding::new, holding))?;
    }
    Ok(journal.into_entries())
}

/// Whether subscriptions in a state, by the name that their group has, make recurring revenue.
pub(crate) fn is_recurring(status: &str) -> bool {
    matches!(status, "active" | "past_due")
}

fn holding(state: &State<'_>) -> Holding {
    let place = || (Account::Subscriptions, group(&[state.tier.as_str(), name(state.status)]));
    let sum = state.basis().map(|basis| Sum { count: 1, amount: basis });
    Holding::from_iter(sum.map(|sum| (place(), sum)))
}

fn name(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Active => "active",
        SubscriptionStatus::PastDue => "past_due",
        SubscriptionStatus::Trialing => "trialing",
        SubscriptionStatus::Paused => "paused",
        SubscriptionStatus::Unpaid => "unpaid",
        SubscriptionStatus::Incomplete => "incomplete",
    }
}
