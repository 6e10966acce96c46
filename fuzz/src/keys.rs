//! What rr-keys reads.

pub(crate) mod header;
pub(crate) mod text;
