//! What the integration tests share: a server per test with a clock that can be set, a database of
//! its own, an HTTP client, raw sockets, a proxy that can be cut, the real binary,
//! and what the benches and the fault rigs are made of.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "all of this runs in tests, where a panic is how a failure is told"
)]

pub mod app;
pub mod client;
pub mod clock;
pub mod cluster;
pub mod database;
pub mod durability;
pub mod follow;
pub mod load;
pub mod measure;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod sender;
pub mod sql;
pub mod typo;
