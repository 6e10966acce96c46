//! Payments: what was captured, what went back, each on its own date.
//!
//! A payment is captured once. Only the capture tells what the money was for, so what moved before
//! it waits and counts from the capture on.

use rr_domain::{Fact, FactKind, Label, Product, Timestamp};

use super::journal::Journal;
use super::{Account, Entry, Sum, TooLarge, group};

/// A fact that moved money: which way, and what it added to revenue.
type Moved<'a> = (&'a Fact, &'static str, i128);

pub(super) fn entries(facts: &[&Fact]) -> Result<Vec<Entry>, TooLarge> {
    let mut journal = Journal::default();
    let mut booked: Option<(&str, &Label)> = None;
    let mut waiting: Vec<Moved<'_>> = Vec::new();
    for fact in facts {
        let moved = match &fact.kind {
            FactKind::PaymentCaptured { product, amount, .. } if booked.is_none() => {
                booked = Some(match product {
                    Product::Subscription(tier) => ("subscription", tier),
                    Product::Tripwire => ("tripwire", const { &Label::TRIPWIRE }),
                });
                (*fact, "captured", i128::from(*amount))
            }
            FactKind::PaymentRefunded { amount, .. } => (*fact, "refunded", -i128::from(*amount)),
            FactKind::PaymentDisputed { amount, .. } => (*fact, "disputed", -i128::from(*amount)),
            FactKind::DisputeWon { amount, .. } => (*fact, "won", i128::from(*amount)),
            _ => continue,
        };
        waiting.push(moved);
        if let Some(product) = booked {
            for moved in waiting.drain(..) {
                book(&mut journal, fact.occurred_at, product, moved)?;
            }
        }
    }
    Ok(journal.into_entries())
}

fn book(
    journal: &mut Journal,
    at: Timestamp,
    (product, tier): (&str, &Label),
    (fact, way, amount): Moved<'_>,
) -> Result<(), TooLarge> {
    let group = group(&[product, tier.as_str(), way]);
    journal.note(at, fact.id, Account::Revenue, group, Sum { count: 1, amount }, None)
}
