//! The endpoints, one file each: what goes in, what comes out, and the few lines in between.

pub(crate) mod activity;
pub(crate) mod auth;
pub(crate) mod commissions;
pub(crate) mod config;
pub(crate) mod docs;
pub(crate) mod dora;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod keys;
pub(crate) mod modules;
pub(crate) mod operations;
pub(crate) mod payments;
pub(crate) mod sources;
pub(crate) mod sync;
pub(crate) mod users;
