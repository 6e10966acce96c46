//! The ledger: what every fact changed, kept so that no figure has to be computed from all facts.
//!
//! Whoever appends facts posts them in the same transaction: once per transaction, by the writer,
//! just before the commit. The numbers of facts are handed out under a lock that is held until the
//! commit, so postings follow each other and the number of the last fact posted is the version of
//! every figure. A database whose facts are older than its ledger [catches up](crate::Store::catch_up)
//! by the same posting, in pieces.

mod catch_up;
mod check;
mod compare;
mod explain;
mod look;
mod memory;
mod pay_out;
mod payable;
mod post;
mod read;
mod rebuild;
mod restatements;
mod rows;
mod slice;
mod spans;
mod touched;
mod verify;

pub use catch_up::Progress;
pub use compare::Fault;
pub use explain::{EntryFilter, EntryPlace, PlacedEntry};
pub(crate) use look::{Seen, look};
pub(crate) use memory::Memory;
pub use memory::Present;
pub use pay_out::{NewPayout, PayOut};
pub use payable::{PayablePlace, PayableShare};
pub(crate) use post::{Posted, positions, post};
pub use restatements::{Gained, Restatement};
pub use slice::FactCheck;
pub use spans::Spans;
pub use verify::Verification;

use crate::StoreError;

/// What was read of the ledger before and what would be read now are of two: neither continues the other.
fn made_anew() -> StoreError {
    StoreError::Unavailable("the ledger was made anew meanwhile".into())
}
