//! The only crate that speaks SQL: one [`Store`] over SQLite and PostgreSQL.
//!
//! Reads run on a fixed set of threads, writes go to the writer, which commits whatever waits
//! together in one transaction and answers after the commit. No connection leaves this crate, and
//! no caller ever blocks: every method is async and waits on a channel. The queues are bounded; a
//! full one is [`StoreError::Busy`] at once.
//!
//! Invariants: an `Ok` from a writing method means the change is synced to disk; every mutation by
//! an administrator or a key writes its audit row in the same transaction; no clock is read and no
//! random number is drawn here.

mod advice;
mod error;
mod options;
mod stats;
mod store;
mod url;

mod activity;
mod audit;
mod dora;
mod events;
mod facts;
mod figures;
mod idempotency;
mod import;
mod keys;
mod ledger;
mod migrate;
mod page;
mod sequence;
mod sessions;
mod settings;
mod sources;
mod sweep;
mod users;

mod checkpoint;
mod conn;
mod queue;
mod readers;
mod schema;
mod types;
mod writer;

#[cfg(test)]
mod suite;

pub use activity::{ActivityRow, NewActivity};
pub use audit::{Actor, Audit};
pub use error::{OpenError, StoreError};
pub use events::{
    AcceptEvent, EventBody, EventFilter, EventRow, FullEvent, NewEvent, OfferedEvent, Together,
};
pub use idempotency::Idempotency;
pub use import::{ImportBatch, ImportCounts};
pub use keys::{
    ChangedKeys, CreateKey, KeyChanges, KeyPatch, KeyRow, KeySchemes, KnownSecret, Leak,
    LeakPolicy, LeakReport, NewKey, PendingSecret, PepperPlace, PepperUse, PepperVersion,
    PermissionUses, RotateKey, Rotation, RotationStart, SecretHash, UpdateKey, UsageBatch,
    UseTally,
};
pub use ledger::{
    EntryFilter, EntryPlace, FactCheck, Fault, Gained, NewPayout, PayOut, PayablePlace,
    PayableShare, PlacedEntry, Present, Progress, Restatement, Spans, Verification,
};
pub use migrate::Migration;
pub use options::StoreOptions;
pub use page::{Cursor, CursorError, Page, PageRequest};
pub use sessions::{NewSession, SessionRow};
pub use settings::AgentSwitches;
pub use sources::{
    DEFAULT_SOURCE, NewSourceSecret, SourceOutcome, SourcePatch, SourceSecret, WebhookSource,
};
pub use stats::{BATCH_BUCKETS, ReaderStats, StoreStats};
pub use store::Store;
pub use sweep::{Chore, Swept};
pub use url::{DatabaseUrl, UrlError};
pub use users::{CreateUser, Login, NewUser, UserFilter, UserRow};
