//! Commissions as they are to be paid out, and as they were.

pub(crate) mod payout;
pub(crate) mod record;

mod payables;
