//! The slow and obvious way to the figures: read every fact.
//!
//! It is what the ledger and the board are held against, here by property tests and in an
//! installation by `revenue-ripple verify`. It shares no code with them, only the types of
//! [`figures`](crate::figures), so that one mistake cannot be made on both sides.

mod commissions;
pub mod course;
mod fold;
mod growth;
mod labels;
mod newest;
mod payments;
mod rounding;
mod subscriptions;
mod users;
mod windows;

pub use fold::{Fold, compute};
