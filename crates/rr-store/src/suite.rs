//! The store's behaviour, one function per behaviour, on the database that the environment names:
//! `RR_TEST_DATABASE` = `sqlite` (the default) or `postgres`, then with `RR_TEST_POSTGRES_URL`, a
//! URL whose user may create databases. Every test has a database of its own.

mod audit;
mod durability;
mod events;
mod facts;
mod key_changes;
mod key_usage;
mod keys;
mod leaks;
mod ledger;
mod ledger_facts;
mod ledger_reads;
mod ledger_repair;
mod lists;
mod meanings;
mod migrations;
mod on_postgres;
mod on_sqlite;
mod payable;
mod peppers;
mod readers;
mod retention;
mod rotation;
mod schema;
mod sources;
mod turnover;
mod users;
mod writer;

mod database;
mod dice;
mod questions;
mod samples;

use database::{TestDatabase, on_postgres};
use dice::{Dice, seeds};
use samples::*;
