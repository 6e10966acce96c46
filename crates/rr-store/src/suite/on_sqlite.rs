//! What concerns SQLite alone, and so belongs to one of the two runs.

mod file;
mod place;
mod schema;
mod statements;

use super::*;
