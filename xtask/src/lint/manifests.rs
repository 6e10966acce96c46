//! Every crate inherits: one version of each dependency, one table of lints, one edition.

use std::fs;

use anyhow::{Context, Result};

use super::Findings;
use crate::project::Project;

/// Lines every manifest of a member has.
const INHERITED: &[&str] = &[
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
    "publish.workspace = true",
    "[lints]\nworkspace = true",
];

/// Lists what the members' manifests decide for themselves and should not.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    let mut folders = ["xtask", "tests", "fuzz"].map(|folder| project.root().join(folder)).to_vec();
    let crates = project.root().join("crates");
    for entry in fs::read_dir(&crates).context("cannot list crates")? {
        folders.push(entry.context("cannot list crates")?.path());
    }
    folders.sort();
    let mut findings = Findings::new();
    for folder in folders {
        let path = folder.join("Cargo.toml");
        let name = folder.strip_prefix(project.root()).unwrap_or(&folder).display().to_string();
        let manifest =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        findings.extend(check_manifest(&manifest).map(|finding| format!("{name}: {finding}")));
    }
    Ok(findings)
}

fn check_manifest(manifest: &str) -> impl Iterator<Item = String> {
    let missing = INHERITED
        .iter()
        .filter(|line| !manifest.contains(**line))
        .map(|line| format!("does not inherit `{}`", line.replace('\n', " ")));
    let mut own = Vec::new();
    let mut in_dependencies = false;
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            in_dependencies = section.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies && line.contains('=') && !inherits(line) {
            own.push(format!("`{}` names its own version", line.trim()));
        }
    }
    if manifest.contains("description = \"\"") {
        own.push("has an empty description".to_owned());
    }
    missing.chain(own).collect::<Vec<_>>().into_iter()
}

fn inherits(line: &str) -> bool {
    line.starts_with('#') || line.replace(' ', "").contains("workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"rr-x\"\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
        publish.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\n\
        serde = { workspace = true }\ntime.workspace = true\n";

    #[test]
    fn a_manifest_that_inherits_is_fine() {
        assert_eq!(check_manifest(GOOD).count(), 0);
    }

    #[test]
    fn a_version_or_a_lint_table_of_its_own_is_found() {
        assert_eq!(check_manifest(&format!("{GOOD}rand = \"0.8\"\n")).count(), 1);
        assert_eq!(check_manifest(&GOOD.replace("[lints]\nworkspace = true", "")).count(), 1);
        assert_eq!(check_manifest(&GOOD.replace("edition.workspace = true\n", "")).count(), 1);
    }
}
