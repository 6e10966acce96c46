//! The binary `revenue-ripple`: configuration, wiring, background tasks, shutdown, command line.
//!
//! Reading order: [`cli`] says what can be asked for, [`config`] what is configured, [`commands`]
//! does it; [`serve`] is the largest of them. [`system`] is the only place of the whole program
//! that reads the clock and draws randomness.

mod bulk;
mod cli;
mod commands;
mod config;
mod email;
mod failure;
mod import;
mod interrupt;
mod logging;
mod output;
mod permission;
mod progress;
mod seed;
mod serve;
mod system;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;

/// An event is made by one thread and dropped by another, and each connection has its own small things:
/// both cost less here than with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = commands::run(Cli::parse());
    logging::flush();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}
