//! The HTTP edge of the integration server: actix, and nothing below it.
//!
//! Read [`routes()`] first: it is the list of everything that answers. An endpoint is one file
//! under `endpoints/`; who may use it stands in its handler's signature ([`Allowed`],
//! [`Administrator`]); what can go wrong is a [`Problem`] whose code, status and text stand in
//! one table. `live/` is what they follow who want to see events
//! happen; `frame.rs` is what happens around every request, `connection/` what happens below
//! them, `limits.rs` how much one client may cost.
//!
//! Invariants: no SQL; no clock and no randomness but [`AppState`]'s; nothing blocks a worker; no
//! secret reaches a log line, an error or a `Debug`.

mod limits;
mod settings;
mod sources;
mod state;

mod codes;
mod problem;
mod request_id;

mod connection;
mod cors;
mod frame;
mod host;
mod routes;
mod server;

mod auth;
mod body;
mod csv;
mod detached;
mod exchange;
mod format;
mod github_keys;
mod idempotency;
mod json_fault;
pub mod key_words;
mod leaks;
mod moves;
mod query;
mod repeatable;
mod room;
mod seal;
mod short_way;
mod tag;

mod figures;
mod live;
mod metrics;
mod openapi;
mod traffic;
mod verifications;

mod endpoints;

pub use auth::{
    Admin, Administrator, Allowed, Caller, KeyCaller, ManageKeys, ManageWebhooks, Needs,
    PasswordError, Permission, ReadEvents, ReadMetrics, ReadUsers, WriteData, WriteWebhooks,
    check_password, hash_password,
};
pub use codes::Code;
pub use endpoints::keys::{Key, KeyStatus};
pub use github_keys::GithubKeyring;
pub use host::Hosts;
pub use limits::Limits;
pub use metrics::Metrics;
pub use openapi::openapi;
pub use problem::{FieldError, Outcome, Problem};
pub use request_id::RequestId;
pub use routes::{Access, RouteInfo, routes};
pub use server::{Server, ServerHandle};
pub use settings::HttpSettings;
pub use state::AppState;
