//! The vocabulary every other crate speaks: ids, money, labels, facts, what events mean, time and randomness as values.
//!
//! Invariants: no I/O, no clock is read, no random source is opened. A [`Clock`] and a [`Random`]
//! are made once by the binary and handed down, which is what makes expiry and signatures testable.

mod clock;
mod fact;
mod id;
mod label;
mod meaning;
mod money;
mod random;

pub use clock::{Clock, Timestamp, TimestampError};
pub use fact::{Fact, FactKind, Interval, IntervalUnit, Product, SubscriptionStatus};
pub use id::{imported_id, new_id};
pub use label::{Label, LabelError};
pub use meaning::{
    Alert, AlertState, Build, Change, Commit, Deployment, Incident, IncidentState, Meaning,
    Progress, Trigger,
};
pub use money::{Money, MoneyError, Total};
pub use random::Random;
