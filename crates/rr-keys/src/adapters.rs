//! The verifier before a web service: a layer for tower, extractors for actix-web.
//!
//! Both read the key from `x-api-key` or `Authorization: Bearer`, judge it with a
//! [`Verifier`](crate::Verifier), leave the [`Grant`](crate::Grant) in the request's extensions and refuse
//! in the same words: `application/problem+json` (RFC 9457) with the challenge of RFC 6750. What they say
//! stands once, in [`Refusal`]; each adapter only translates it into its framework's types.

#[cfg(feature = "actix")]
mod actix;
mod gate;
mod refusal;
#[cfg(test)]
mod table;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "actix")]
pub use actix::{ActixGate, Allowed, AnyKey, Permission, send_rate_limits};
pub use refusal::{Reason, Refusal};
#[cfg(feature = "tower")]
pub use tower::{KeyLayer, KeyService, TowerGate};
