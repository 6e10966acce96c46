//! Events: taken in durably, listed.

pub(crate) mod batch;
pub(crate) mod export;
pub(crate) mod handshake;
pub(crate) mod list;
pub(crate) mod metrics;
pub(crate) mod stream;
pub(crate) mod webhook;

mod refused;
mod signed;
