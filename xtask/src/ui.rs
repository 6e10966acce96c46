//! `cargo xtask ui`: the OpenAPI document, the client made from it, and the panel made from that.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::project::Project;
use crate::server::{self, Build};
use crate::{panel, run, tools};

/// Arguments of `ui`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only write the OpenAPI document and the client; do not build the panel.
    #[arg(long)]
    client_only: bool,
}

/// Writes the document, generates the client, builds the panel.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    server::build(project, Build::Debug)?;
    let path = project.ui().join("openapi.json");
    let document = openapi(project)?;
    if fs::read_to_string(&path).is_ok_and(|committed| committed == document) {
        println!("openapi.json: unchanged");
    } else {
        fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))?;
        println!("openapi.json: written");
    }
    panel::install(project)?;
    println!("panel: generating its client");
    let mut npm = panel::npm(project).map_err(|tools::Missing(why)| anyhow!(why))?;
    run::openly(npm.args(["run", "--silent", "client"]))?;
    if args.client_only {
        return Ok(());
    }
    panel::build(project)
}

/// What the built server says its interface is.
pub(crate) fn openapi(project: &Project) -> Result<String> {
    run::output(Command::new(project.server_binary("debug")).arg("openapi"))
}
