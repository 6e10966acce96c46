//! `cargo xtask up`: from a fresh clone to a server with demo data, in one command.

use std::ffi::OsString;

use anyhow::Result;

use crate::project::Project;
use crate::server::{self, Build};
use crate::{panel, tools};

/// Arguments of `up`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build with optimisation.
    #[arg(long)]
    release: bool,
    /// Passed on to `revenue-ripple demo`.
    #[arg(last = true)]
    rest: Vec<OsString>,
}

/// Builds what changed, then becomes the server's demo mode.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    match tools::npm() {
        Ok(_) => panel::build(project)?,
        Err(tools::Missing(why)) => println!("panel: left out, {why}"),
    }
    let build = if args.release { Build::Release } else { Build::Debug };
    server::build(project, build)?;
    let arguments = std::iter::once(OsString::from("demo")).chain(args.rest.iter().cloned());
    Err(server::become_server(project, build, arguments))
}
