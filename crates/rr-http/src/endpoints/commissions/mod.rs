//! Commissions as they are to be paid out.

pub(crate) mod payout;

mod payables;
