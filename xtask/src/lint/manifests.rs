//! Every crate inherits: one version of each dependency, one table of lints, one edition. And what is there
//! to be inherited is.

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
    let mut inherited = String::new();
    for folder in folders {
        let path = folder.join("Cargo.toml");
        let name = folder.strip_prefix(project.root()).unwrap_or(&folder).display().to_string();
        let manifest =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        findings.extend(check_manifest(&manifest).map(|finding| format!("{name}: {finding}")));
        inherited.push_str(&manifest);
    }
    let shared = fs::read_to_string(project.root().join("Cargo.toml")).context("no Cargo.toml")?;
    findings.extend(
        unused(&shared, &inherited).map(|name| format!("no crate uses the dependency `{name}`")),
    );
    Ok(findings)
}

/// The shared dependencies that none of the members' manifests names. A crate of ours may be there for nobody
/// but the layering to judge.
fn unused<'a>(shared: &'a str, members: &str) -> impl Iterator<Item = &'a str> {
    let table = shared.split_once("[workspace.dependencies]").map_or("", |(_, table)| table);
    let lines = table.split("\n[").next().unwrap_or_default().lines();
    let names = lines.filter_map(|line| line.split_once(" =")).map(|(name, _)| name);
    names.filter(move |name| {
        !name.starts_with("rr-")
            && !members.lines().any(|line| {
                line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '.']))
            })
    })
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
    fn a_dependency_that_nobody_inherits_is_found() {
        let shared = "[workspace.dependencies]\nserde = \"1\"\ntime = \"1\"\ntim = \"1\"\nrr-y = \"1\"\n\n[x]\ny = 1\n";
        assert_eq!(unused(shared, GOOD).collect::<Vec<_>>(), ["tim"]);
    }

    #[test]
    fn a_version_or_a_lint_table_of_its_own_is_found() {
        assert_eq!(check_manifest(&format!("{GOOD}rand = \"0.8\"\n")).count(), 1);
        assert_eq!(check_manifest(&GOOD.replace("[lints]\nworkspace = true", "")).count(), 1);
        assert_eq!(check_manifest(&GOOD.replace("edition.workspace = true\n", "")).count(), 1);
    }
}
