//! Migration parity: both databases have the same migrations, each with a way there and a way back.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Findings;
use crate::project::Project;

const DATABASES: [&str; 2] = ["sqlite", "postgres"];

/// Lists migrations that one database lacks, and those without `up.sql` or `down.sql`.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    let folder = project.root().join("migrations");
    let [sqlite, postgres] = DATABASES.map(|database| names(&folder.join(database)));
    let (sqlite, postgres) = (sqlite?, postgres?);
    let mut findings = Findings::new();
    if sqlite.is_empty() {
        findings.push("there are no migrations".to_owned());
    }
    for name in sqlite.symmetric_difference(&postgres) {
        let lacking = if sqlite.contains(name) { "postgres" } else { "sqlite" };
        findings.push(format!("migrations/{lacking} lacks {name}"));
    }
    for database in DATABASES {
        for name in sqlite.intersection(&postgres) {
            for file in ["up.sql", "down.sql"] {
                let path = folder.join(database).join(name).join(file);
                let text = fs::read_to_string(&path).unwrap_or_default();
                if text.trim().is_empty() {
                    findings.push(format!("migrations/{database}/{name} has no {file}"));
                }
            }
        }
    }
    Ok(findings)
}

fn names(folder: &Path) -> Result<BTreeSet<String>> {
    fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}
