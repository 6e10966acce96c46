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

/// `cargo doc` of our crates, warnings denied: broken links above all. Bare addresses are fine: the
/// help of the command line is made from doc comments, and a terminal shows no angle brackets.
pub(crate) fn docs(project: &Project) -> Result<Findings> {
    run::openly(
        server::cargo(project)
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::bare_urls")
            .args(["doc", "--quiet", "--workspace", "--no-deps"])
            .arg("--document-private-items"),
    )?;
    Ok(Findings::new())
}
