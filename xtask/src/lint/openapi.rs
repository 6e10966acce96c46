//! The committed OpenAPI document is the one the server gives: the panel's client is made from it.

use std::fs;

use anyhow::Result;

use super::Findings;
use crate::project::Project;
use crate::{server, ui};

/// Builds the server and compares.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    server::build_with_tests(project)?;
    let said = ui::openapi(project)?;
    let committed = fs::read_to_string(project.ui().join("openapi.json")).unwrap_or_default();
    if said == committed {
        return Ok(Findings::new());
    }
    let differs = said.lines().zip(committed.lines()).position(|(a, b)| a != b);
    let place = differs.map_or(String::new(), |line| format!(" from line {}", line + 1));
    Ok(vec![format!("openapi.json differs from the server{place}: run `cargo xtask ui`")])
}
