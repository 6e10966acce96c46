//! Connections: the watchdog that cuts slow and silent clients, and the count that a stopping
//! server waits for.
//!
//! actix-http bounds the first request head of a connection and nothing after it. Here every
//! socket is wrapped in a [`Guarded`] stream that knows, from what passes through it and from
//! what the frame around the application tells it (see [`Activity`]), what the connection is
//! waiting for, and ends it when that takes too long. It also gives the framework's own refusals
//! (a malformed head, for example) the body that every other problem has.

mod activity;
mod drain;
mod guarded;
mod refusal;

pub(crate) use activity::{Activity, Serving};
pub(crate) use drain::{Drain, Draining};
pub(crate) use guarded::{Guarded, Settings};
