//! What operators and their machines ask.

pub(crate) mod healthz;
pub(crate) mod metrics;
pub(crate) mod readyz;
pub(crate) mod root;
