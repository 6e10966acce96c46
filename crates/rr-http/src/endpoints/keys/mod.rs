//! API keys: made, listed, changed, rotated, revoked.

pub(crate) mod change;
pub(crate) mod generate;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;

mod fields;
mod view;
