//! What each command does.

mod admin;
pub(crate) mod database;
mod doctor;
mod import;
mod keys;
mod migrate;
mod openapi;
mod rebuild;
mod seed;
mod stdin;
mod tail;
mod verify;

pub(crate) use admin::give_password;
pub(crate) use keys::{Wish, all as all_keys, make as make_key, peppers};

use std::future::Future;

use anyhow::Context as _;

use rr_domain::{Clock, Random};
use rr_store::{Actor, Audit};

use crate::cli::{Cli, Command, Demo, Serve};
use crate::config::Config;
use crate::failure::Failure;
use crate::{logging, serve, system};

/// What every command is handed.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

impl Context {
    /// Who writes and when, for the audit log.
    pub(crate) fn audit(&self, actor: Actor) -> Audit {
        Audit { at: self.clock.now(), actor, request_id: None, address: None }
    }
}

/// Does what was asked for.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    if matches!(cli.command, Some(Command::Openapi)) {
        return openapi::run(); // needs no configuration, and should work with a broken one
    }
    let config = Config::load(cli.flags(), std::env::vars())?;
    let command =
        cli.command.unwrap_or_else(|| Command::Serve(Serve { listen: Default::default() }));
    let is_server = matches!(command, Command::Serve(_) | Command::Demo(_));
    let usual = if is_server { "info,actix_server=warn" } else { "warn" };
    let clock = system::clock();
    logging::start(&config.log, usual, clock.clone()).context("the log did not start")?;
    let context = Context { config, clock, random: system::random() };
    match command {
        Command::Serve(Serve { .. }) => serve::run(&context, serve::Mode::Plain),
        Command::Demo(Demo { .. }) => serve::run(&context, serve::Mode::Demo),
        Command::Migrate(args) => block_on(migrate::run(&context, &args)),
        Command::Admin(args) => block_on(admin::run(&context, args)),
        Command::Keys(args) => block_on(keys::run(&context, args)),
        Command::Import(args) => block_on(import::run(&context, args)),
        Command::Doctor(args) => block_on(doctor::run(&context, &args)),
        Command::Seed(args) => block_on(seed::run(&context, args)),
        Command::Verify(args) => block_on(verify::run(&context, &args)),
        Command::Rebuild(args) => block_on(rebuild::run(&context, &args)),
        Command::Tail(args) => tail::run(&context, &args),
        Command::Openapi => openapi::run(),
    }
}

/// Runs a command to its end, on this thread.
pub(crate) fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Trouble(error.into()))?
        .block_on(work)
}
