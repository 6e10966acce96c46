//! The compiler's own opinions: format, clippy, documentation.

use anyhow::Result;

use super::Findings;
use crate::project::Project;
use crate::{run, server};

/// `cargo fmt --check`.
pub(crate) fn format(project: &Project) -> Result<Findings> {
    run::openly(server::cargo(project).args(["fmt", "--all", "--check"]))?;
    Ok(Findings::new())
}

/// `cargo clippy` on every target, warnings denied.
pub(crate) fn clippy(project: &Project) -> Result<Findings> {
    run::openly(server::cargo(project).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Findings::new())
}

/// `cargo doc` of our crates, warnings denied: broken links above all.
pub(crate) fn docs(project: &Project) -> Result<Findings> {
    run::openly(
        server::cargo(project)
            .env("RUSTDOCFLAGS", "-D warnings")
            .args(["doc", "--quiet", "--workspace", "--no-deps"])
            .arg("--document-private-items"),
    )?;
    Ok(Findings::new())
}
