//! The ledger: the sum, over all subjects, of a pure function of each subject's facts.
//!
//! A [`Subject`] is a user, a subscription, a customer, a payment or a commission. [`entries`] turns
//! all facts about one into signed entries, each dated when it takes effect: what a figure is at an
//! instant is the sum of the entries dated until then. So time moves figures with no job having to
//! run (what will happen later is an entry with a later date), a fact that arrives late moves them
//! from its own date only, and nothing depends on the order in which facts arrived.
//!
//! When facts arrive, [`posting()`] gives the difference between the entries before and after: what
//! is to be added, never edited. It costs the history of the subjects touched, whatever the size of
//! the rest.

mod commissions;
mod customers;
mod entry;
mod journal;
mod lifecycle;
mod payments;
mod posting;
mod subject;
mod subscriptions;
mod users;

pub use commissions::payable;
pub use entry::{Account, Entry, Sum, TooLarge, group, parts};
pub use posting::{changes, posting};
pub use subject::{Subject, customer_of, entries};
pub(crate) use subscriptions::is_recurring;
