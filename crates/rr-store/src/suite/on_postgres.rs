//! What concerns PostgreSQL alone. Ignored where there is none; `cargo xtask test` has one.

mod errors;
mod healing;
mod months;
mod schema;
mod usage;

use super::*;
