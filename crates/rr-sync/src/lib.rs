#![doc = include_str!("../README.md")]

mod commissions;
pub mod demo;
mod figures;
mod fold;
mod growth;
mod labels;
mod newest;
mod revenue;
mod rounding;
mod subscriptions;
mod users;
mod windows;

pub use figures::{
    CURRENCY, CommissionFigures, Dashboard, Figures, Headline, RecentCommission, RecentTransaction,
    RevenueFigures, TierCommissions, TierFigures, TopPerformer, TransactionKind, Trend,
    UserFigures,
};
pub use fold::{Fold, compute};
pub use growth::Percent;

#[cfg(test)]
mod tests;
