//! Commissions: what was earned, what of it is on hold, payable, paid or taken back.
//!
//! A commission is earned once; amount, tier and affiliate are fixed then. What was said about it
//! before waits and counts from then on.

use rr_domain::{Fact, FactKind, Label, Timestamp};
use uuid::Uuid;

use super::journal::{Holding, Journal};
use super::{Account, Entry, Sum, TooLarge, group};
use crate::Balances;

/// What is payable of what stands: how many commissions are in that state, and how much is left to pay.
pub fn payable(balances: &Balances) -> Sum {
    balances.total_where(Account::Commissions, |group| group.last() == Some(&"payable"))
}

pub(super) fn entries(facts: &[&Fact]) -> Result<Vec<Entry>, TooLarge> {
    let mut journal = Journal::default();
    let mut commission = Commission::default();
    for fact in facts {
        let at = fact.occurred_at;
        commission.release(at, &mut journal)?;
        match &fact.kind {
            FactKind::CommissionAccrued { affiliate, tier, amount, payable_at, .. }
                if commission.earned.is_none() =>
            {
                let amount = i128::from(*amount);
                let (by, payable_at, on_hold) = (fact.id, *payable_at, *payable_at > at);
                commission.earned =
                    Some(Earned { by, affiliate, tier, amount, payable_at, on_hold });
                let (accrual, tier) = (Sum { count: 1, amount }, tier.as_str().to_owned());
                journal.note(at, fact.id, Account::Accruals, tier, accrual, None)?;
            }
            FactKind::CommissionReversed { amount, .. } => {
                commission.reversed += i128::from(*amount);
            }
            FactKind::CommissionPaid { amount, .. } => commission.paid += i128::from(*amount),
            FactKind::CommissionAdjusted { amount, .. } => {
                commission.adjusted += i128::from(*amount);
            }
            _ => continue,
        }
        journal.hold(at, fact.id, commission.holding())?;
    }
    if let Some(payable_at) = commission.earned.as_ref().map(|earned| earned.payable_at) {
        commission.release(payable_at, &mut journal)?;
    }
    Ok(journal.into_entries())
}

/// All that was said about a commission so far.
#[derive(Debug, Default)]
struct Commission<'a> {
    earned: Option<Earned<'a>>,
    reversed: i128,
    adjusted: i128,
    paid: i128,
}

#[derive(Debug)]
struct Earned<'a> {
    by: Uuid,
    affiliate: &'a str,
    tier: &'a Label,
    amount: i128,
    payable_at: Timestamp,
    on_hold: bool,
}

impl Commission<'_> {
    /// Ends the hold when its time has come.
    fn release(&mut self, at: Timestamp, journal: &mut Journal) -> Result<(), TooLarge> {
        match &mut self.earned {
            Some(earned) if earned.on_hold && earned.payable_at <= at => {
                earned.on_hold = false;
                let (at, by) = (earned.payable_at, earned.by);
                journal.hold(at, by, self.holding())
            }
            _ => Ok(()),
        }
    }

    /// It is counted in one state; its money lies in `paid` as far as it was paid out, and the rest
    /// of the net in `on_hold` or `payable`, also when that is below zero.
    fn holding(&self) -> Holding {
        let Some(earned) = &self.earned else { return Holding::new() };
        let net = earned.amount - self.reversed + self.adjusted;
        let wholly_reversed = self.reversed > 0 && self.reversed >= earned.amount;
        let open = if earned.on_hold { "on_hold" } else { "payable" };
        let state = match () {
            () if wholly_reversed => "reversed",
            () if self.paid > 0 && self.paid >= net => "paid",
            () => open,
        };
        let mut holding = Holding::new();
        let mut add = |state: &str, count, amount| {
            let place = (Account::Commissions, group(&[earned.tier.as_str(), state]));
            *holding.entry(place).or_default() += Sum { count, amount };
        };
        add(state, 1, 0);
        add("paid", 0, self.paid);
        add(open, 0, net - self.paid);
        let count = i64::from(!wholly_reversed);
        let affiliate = (Account::Affiliates, earned.affiliate.to_owned());
        holding.insert(affiliate, Sum { count, amount: net });
        holding
    }
}
