//! What comes along with `rr-keys`: whoever embeds it without features gets no runtime, no framework, no
//! database, no serialisation and no random source, and every feature can be had alone.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::project::Project;
use crate::{run, server};

const EMBEDDED: &str = "rr-keys";

/// Crates that must not come along, and families of them.
const ABSENT: &[&str] = &["getrandom", "http", "rand"];
const ABSENT_FAMILIES: &[&str] =
    &["actix", "axum", "diesel", "futures", "hyper", "rr-", "serde", "sqlx", "tokio", "tower"];

/// Lists what comes along and should not, and features that do not stand alone.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    let bare = along(project, &[])?;
    let mut findings = unwanted(&bare);
    if bare.is_empty() {
        findings.push(format!("{EMBEDDED} has no dependencies at all, or they cannot be read"));
    }
    for feature in features(project)? {
        let with = along(project, &["--features", &feature]);
        findings.extend(with.err().map(|error| format!("feature {feature}: {error:#}")));
        let mut check = server::cargo(project);
        check.args(["check", "--quiet", "--locked", "--lib", "--package", EMBEDDED]);
        check.args(["--no-default-features", "--features", &feature]);
        if let Err(error) = run::openly(&mut check) {
            findings.push(format!("feature {feature} by itself: {error:#}"));
        }
    }
    Ok(findings)
}

/// The names of the crates in the closure, itself left out.
fn along(project: &Project, more: &[&str]) -> Result<Vec<String>> {
    let mut cargo = server::cargo(project);
    cargo.args(["tree", "--locked", "--package", EMBEDDED, "--no-default-features"]);
    cargo.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]).args(more);
    Ok(names(&run::output(&mut cargo)?))
}

fn names(tree: &str) -> Vec<String> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != EMBEDDED).map(str::to_owned).collect()
}

fn unwanted(names: &[String]) -> Findings {
    let is_unwanted = |name: &&String| {
        ABSENT.contains(&name.as_str())
            || ABSENT_FAMILIES.iter().any(|family| name.starts_with(family))
    };
    let mut findings: Findings = names
        .iter()
        .filter(is_unwanted)
        .map(|name| format!("{EMBEDDED} without features brings {name} along"))
        .collect();
    findings.sort();
    findings.dedup();
    findings
}

fn features(project: &Project) -> Result<Vec<String>> {
    let metadata =
        run::output(server::cargo(project).args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let package = packages.iter().find(|package| package["name"] == EMBEDDED);
    let features = package.and_then(|package| package["features"].as_object());
    Ok(features.context("rr-keys has no features")?.keys().cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_come_along_is_found() {
        let tree = "rr-keys v0.1.0 (/x)\nuuid v1.29.3\nserde_core v1.0.229\nhttp v1.4.0\n\
            httparse v1.0.0\ntokio v1.54.1\ntokio v1.54.1 (*)\nrr-domain v0.1.0 (/y)\nsha2 v0.11.1\n";
        let told = unwanted(&names(tree));
        let crates: Vec<&str> = told.iter().filter_map(|text| text.split(' ').nth(4)).collect();
        assert_eq!(crates, ["http", "rr-domain", "serde_core", "tokio"]);
        assert_eq!(unwanted(&names("rr-keys v0.1.0\nuuid v1.29.3\n")), Findings::new());
    }
}
