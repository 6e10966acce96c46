//! The referrer's commission: held back, taken back with each refund, corrected, paid out.

use rr_domain::{FactKind, Label, Timestamp};
use rr_sync::commission as rules;

use super::calendar::{days_after, next_pay_day};
use super::history::History;
use super::people;
use super::signups::DAY;

/// What a commission is earned for.
pub(super) struct Earned<'a> {
    /// The number of the user who referred the buyer.
    pub(super) referrer: u64,
    /// The tier that was sold.
    pub(super) tier: Label,
    /// For how much.
    pub(super) sale: i64,
    /// What the buyer is given back, and when.
    pub(super) refunds: &'a [(Timestamp, i64)],
}

/// For how many days a commission is held back before it can be paid out: thirty, but for a few
/// affiliates who are trusted more or less.
fn hold_days(referrer: u64) -> u32 {
    match referrer % 20 {
        0 => 60,
        1 => 14,
        2 => 0,
        _ => 30,
    }
}

pub(super) fn credit(earned: Earned<'_>, at: Timestamp, history: &mut History) {
    let Earned { referrer, tier, sale, refunds } = earned;
    let commission = history.dice.id(at);
    let amount = rules::commission(sale, rules::DEFAULT_RATE);
    let payable_at = at.plus(DAY * hold_days(referrer));
    let affiliate = people::username(referrer);
    let accrued =
        FactKind::CommissionAccrued { commission, affiliate, tier, sale, amount, payable_at };
    history.expect(at, accrued);

    let pay_day = next_pay_day(payable_at);
    let mut due = amount;
    let (mut refunded, mut reversed) = (0, 0);
    for (when, refund) in refunds {
        refunded += refund;
        let back = rules::reversal(amount, sale, refunded, reversed);
        if back > 0 {
            reversed += back;
            due -= if *when < pay_day { back } else { 0 };
            history.expect(*when, FactKind::CommissionReversed { commission, amount: back });
        }
    }
    if history.dice.chance(15) {
        let when = days_after(at, 1, 60, &mut history.dice);
        let (amount, reason) = correction(amount, history);
        due += if when < pay_day { amount } else { 0 };
        let adjusted = FactKind::CommissionAdjusted { commission, amount, reason };
        history.expect(when, adjusted);
    }
    if due <= 0 {
        return;
    }
    // Now and then only half is paid, and the rest a week later.
    let half = if history.dice.chance(30) { due / 2 } else { 0 };
    history.expect(pay_day, FactKind::CommissionPaid { commission, amount: due - half });
    if half > 0 {
        let rest = FactKind::CommissionPaid { commission, amount: half };
        history.expect(next_pay_day(pay_day), rest);
    }
}

/// A correction by hand of a commission of this amount.
fn correction(amount: i64, history: &mut History) -> (i64, String) {
    let share = i64::try_from(history.dice.between(5, 40)).unwrap_or(5);
    let part = amount * share / 100;
    if history.dice.chance(600) {
        (part, "seasonal bonus".to_owned())
    } else {
        (-part, "the sale was another affiliate's in part".to_owned())
    }
}
