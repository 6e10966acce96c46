#![doc = include_str!("../README.md")]

pub mod demo;
mod figures;
pub mod ledger;
mod oracle;
mod percent;
mod ratio;

pub use figures::{
    CURRENCY, CommissionFigures, Dashboard, Figures, Headline, RecentCommission, RecentTransaction,
    RevenueFigures, TierCommissions, TierFigures, TopPerformer, TransactionKind, Trend,
    UserFigures,
};
pub use oracle::{Fold, compute};
pub use percent::Percent;

#[cfg(test)]
mod tests;
