//! The integration tests: one binary, every test through the front door, each on a database of its
//! own. `RR_TEST_DATABASE` chooses SQLite or PostgreSQL; `cargo xtask test` runs both.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this runs in tests, where a panic is how a failure is told"
)]

mod coverage;
mod samples;

mod config;
mod dora;
mod events;
mod explain;
mod figures;
mod groups;
mod key_leaks;
mod key_lifecycle;
mod key_limits;
mod key_peppers;
mod key_quotas;
mod key_reach;
mod key_rotation;
mod key_usage;
mod keys;
mod metrics;
mod modules_socket;
mod recount;
mod stream;
mod webhook;

mod cross_site;
mod sender_troubles;
mod senders;
mod sessions;
mod short_way;
mod sign_in;
mod signed_senders;
mod sources;

mod bad_body;
mod bad_credential;
mod bad_parameter;
mod batch;
mod edge;
mod operations;
mod optional_services;
mod panel;
mod payout;
mod payout_recorded;

mod hostile;
mod hostile_webhooks;
mod smuggling;

mod canary;
mod command_line;
mod commands_shown;
mod documents;
mod import;
mod kill;
mod nodes;
mod outage;
mod overload;
mod scripts;
mod stop;
mod tail;
