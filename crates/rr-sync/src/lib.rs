#![doc = include_str!("../README.md")]

pub mod ledger;

pub mod metrics;

pub mod dora;

pub mod commission;

mod balances;
mod board;
mod figures;
mod percent;
mod ratio;

mod oracle;

pub mod demo;

pub use balances::Balances;
pub use board::{Board, Need};
pub use figures::{
    CURRENCY, CommissionFigures, CommissionStates, Dashboard, Figures, Headline, RecentCommission,
    RecentTransaction, RevenueFigures, TierCommissions, TierFigures, TopPerformer, TransactionKind,
    Trend, UserFigures,
};
pub use oracle::{Fold, compute, course};
pub use percent::Percent;

#[cfg(test)]
mod tests;
