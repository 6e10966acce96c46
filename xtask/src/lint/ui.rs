//! The panel's own checks: its linter and its types.

use anyhow::{Result, bail};

use super::Findings;
use crate::project::Project;
use crate::{panel, run, tools};

/// Runs the panel's linter and type check; where Node is missing it says so, and fails in CI.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    let mut npm = match panel::npm(project) {
        Ok(npm) => npm,
        Err(tools::Missing(why)) if project.is_ci() => bail!(why),
        Err(tools::Missing(why)) => {
            println!("    LEFT OUT: {why}");
            return Ok(Findings::new());
        }
    };
    panel::install(project)?;
    run::openly(npm.args(["run", "--silent", "check"]))?;
    Ok(Findings::new())
}
