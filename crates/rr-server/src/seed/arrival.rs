//! How facts come to be recorded: nearly all when they happen, a few per cent late, some twice.

use std::time::Duration;

use rr_domain::{Fact, FactKind, Timestamp};

use super::dice::Dice;

/// The arrivals of a fact, each with the instant at which it is recorded: the same one once more when
/// an answer was lost and its sender tried again, and another one of the same content when a second sender
/// tells of the same beginning, dated when that one heard of it.
pub(super) fn arrivals(
    at: Timestamp,
    kind: FactKind,
    until: Timestamp,
    dice: &mut Dice,
) -> impl Iterator<Item = (Timestamp, Fact)> + use<> {
    let fate = dice.below(1_000);
    let first = if fate < 25 { late(at, until, dice) } else { at };
    let fact = Fact { id: dice.id(first), occurred_at: at, kind };
    let second = match fate {
        25..30 => Some((soon(at, until, dice), fact.clone())),
        30..40 if begins(&fact.kind) => {
            let heard = within(at, dice.between(1, 86_400), until);
            let arrives = soon(heard, until, dice);
            Some((arrives, Fact { id: dice.id(arrives), occurred_at: heard, ..fact.clone() }))
        }
        _ => None,
    };
    std::iter::once((first, fact)).chain(second)
}

/// Seconds late on the way, hours after an outage, weeks when somebody finds it in the books; if the
/// history ends before that, at once.
fn late(at: Timestamp, until: Timestamp, dice: &mut Dice) -> Timestamp {
    let (first, last) = match dice.weighted(&[10, 60, 30]) {
        0 => (1, 59),
        1 => (120, 86_400),
        _ => (3_600, 40 * 86_400),
    };
    within(at, dice.between(first, last), until)
}

fn soon(at: Timestamp, until: Timestamp, dice: &mut Dice) -> Timestamp {
    within(at, dice.between(1, 3_600), until)
}

fn within(at: Timestamp, seconds: u64, until: Timestamp) -> Timestamp {
    let later = at.plus(Duration::from_secs(seconds));
    if later < until { later } else { at }
}

/// Whether it is a beginning: what has begun does not begin again, whoever says so.
fn begins(kind: &FactKind) -> bool {
    matches!(
        kind,
        FactKind::UserCreated { .. }
            | FactKind::SubscriptionStarted { .. }
            | FactKind::PaymentCaptured { .. }
            | FactKind::CommissionAccrued { .. }
    )
}
