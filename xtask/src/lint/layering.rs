//! Who may know whom: the table of `docs/architecture.md`, held against the manifests.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::project::Project;
use crate::{run, server};

/// Each crate and the crates of ours that it may depend on. Tests and developer commands stand
/// outside: they may know everything.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("rr-domain", &[]),
    ("rr-keys", &[]),
    ("rr-sync", &["rr-domain"]),
    ("rr-webhooks", &["rr-domain"]),
    ("rr-store", &["rr-domain", "rr-keys", "rr-sync", "rr-webhooks"]),
    ("rr-outbound", &["rr-domain", "rr-webhooks"]),
    ("rr-http", &["rr-domain", "rr-keys", "rr-sync", "rr-webhooks", "rr-store", "rr-outbound"]),
    ("rr-admin", &[]),
    (
        "rr-server",
        &[
            "rr-domain",
            "rr-keys",
            "rr-sync",
            "rr-webhooks",
            "rr-store",
            "rr-outbound",
            "rr-http",
            "rr-admin",
        ],
    ),
];

/// Packages that are no part of the product.
const OUTSIDE: &[&str] = &["xtask", "rr-tests", "rr-keys-shuttle", "rr-fuzz"];

/// The crates that speak SQL, and the only crate of ours that may name them.
const DATABASE_CRATES: &[&str] = &["diesel", "diesel-async", "diesel_migrations", "libsqlite3-sys"];
const DATABASE_OWNER: &str = "rr-store";

/// Lists every dependency that the table does not allow, and every crate it does not know.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    let metadata =
        run::output(server::cargo(project).args(["metadata", "--format-version=1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut findings = Findings::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        // Development dependencies may point anywhere: they are not in what we ship.
        let dependencies: Vec<&str> = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| dependency["kind"] != "dev")
            .filter_map(|dependency| dependency["name"].as_str())
            .collect();
        findings.extend(check_package(name, &dependencies));
    }
    Ok(findings)
}

fn check_package(name: &str, dependencies: &[&str]) -> Findings {
    if OUTSIDE.contains(&name) {
        return Findings::new();
    }
    let Some((_, allowed)) = MAY_KNOW.iter().find(|(crate_name, _)| *crate_name == name) else {
        return vec![format!("{name} has no line in the layering table")];
    };
    let mut findings = Findings::new();
    for dependency in dependencies {
        let ours = dependency.starts_with("rr-") || *dependency == "xtask";
        if ours && !allowed.contains(dependency) {
            findings.push(format!("{name} must not know {dependency}"));
        }
        if DATABASE_CRATES.contains(dependency) && name != DATABASE_OWNER {
            findings.push(format!("{name} names {dependency}; only {DATABASE_OWNER} speaks SQL"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_outside_the_table_is_found() {
        assert_eq!(check_package("rr-store", &["rr-domain", "diesel", "serde"]), Findings::new());
        assert_eq!(check_package("rr-keys", &["rr-domain"]), ["rr-keys must not know rr-domain"]);
        assert_eq!(check_package("rr-sync", &["rr-tests"]), ["rr-sync must not know rr-tests"]);
        assert_eq!(check_package("rr-http", &["diesel"]).len(), 1);
        assert_eq!(check_package("rr-new", &[]).len(), 1);
        assert_eq!(check_package("rr-tests", &["rr-http"]), Findings::new());
    }
}
