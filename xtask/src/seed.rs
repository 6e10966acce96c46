//! `cargo xtask seed`: the server's own `seed`, built with optimisation because a million users of
//! history are arithmetic.

use std::ffi::OsString;

use anyhow::Result;

use crate::project::Project;
use crate::server::{self, Build};

/// Arguments of `seed`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed on to `revenue-ripple seed`: `--demo`, or `--users N --seed S [--days D]`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Builds the server and becomes its `seed`.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    // The demo is two users: not worth an optimised build.
    let demo = args.rest.iter().any(|argument| argument == "--demo");
    let build = if demo { Build::Debug } else { Build::Release };
    server::build(project, build)?;
    let arguments = std::iter::once(OsString::from("seed")).chain(args.rest.iter().cloned());
    Err(server::become_server(project, build, arguments))
}
