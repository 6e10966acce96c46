//! `cargo xtask migrate`: the server's own `migrate`, freshly built.

use std::ffi::OsString;

use anyhow::Result;

use crate::project::Project;
use crate::server::{self, Build};

/// Arguments of `migrate`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed on to `revenue-ripple migrate`: `status`, `up` or `down`, and its options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// Builds the server and becomes its `migrate`.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    server::build(project, Build::Debug)?;
    let arguments = std::iter::once(OsString::from("migrate")).chain(args.rest.iter().cloned());
    Err(server::become_server(project, Build::Debug, arguments))
}
