//! Issue API keys, store their hashes, judge requests, take keys back.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(any(feature = "tower", feature = "actix"))]
pub mod adapters;
mod allow_list;
#[cfg(test)]
mod behaviours;
mod decide;
mod denial;
mod format;
mod hash;
mod hashing;
mod limit;
#[cfg(any(test, feature = "memory"))]
mod memory;
mod permissions;
mod quota;
mod reach;
mod record;
mod request;
mod rotation;
mod secret;
mod shown;
mod store;
mod sync;
mod verifier;

pub use allow_list::{AllowList, InvalidNetwork};
pub use decide::{Granted, decide};
pub use denial::Denial;
pub use format::{
    InvalidPrefix, InvalidShape, Issued, KeyFormat, LegacyShape, Malformed, Presented,
};
pub use hash::{InvalidHash, KeyHash};
pub use hashing::{HashScheme, WeakPepper};
pub use limit::{
    InvalidLimits, InvalidWindowName, QuotaStatus, RateLimit, RateLimitStatus, RateLimits,
    WindowName, WindowStatus,
};
#[cfg(any(test, feature = "memory"))]
pub use memory::MemoryStore;
pub use permissions::PermissionSet;
pub use quota::{QuotaPeriod, QuotaUse, Quotas};
pub use reach::{Beyond, Reach};
pub use record::KeyRecord;
pub use request::Request;
pub use rotation::{CannotRotate, rotate, secret_end};
pub use secret::Secret;
pub use shown::{ConflictingCredentials, shown_key};
pub use store::KeyStore;
pub use verifier::{
    CacheStats, Grant, KeyUsage, Outdated, Pass, UseTally, Verifier, VerifierOptions, VerifyError,
};
