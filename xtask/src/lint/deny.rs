//! `cargo deny`: licences, sources and banned crates, by the rules in `deny.toml`.

use std::process::{Command, Stdio};

use anyhow::Result;

use super::Findings;
use crate::project::Project;
use crate::{run, server};

/// Runs `cargo deny`, installing it first where it is missing.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    if !is_installed(server::cargo(project)) {
        println!("    cargo-deny is missing: installing it with cargo install (a few minutes)");
        run::openly(server::cargo(project).args(["install", "--quiet", "--locked", "cargo-deny"]))?;
    }
    run::openly(server::cargo(project).args([
        "deny",
        "--log-level",
        "error",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))?;
    Ok(Findings::new())
}

fn is_installed(mut cargo: Command) -> bool {
    cargo
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
