//! Rules about files: what the top level holds, that every source file says what it is, and that
//! none grows past what one can hold in mind.

use std::path::Path;
use std::process::Command;
use std::{fs, str};

use anyhow::{Context, Result};

use super::Findings;
use crate::project::Project;
use crate::run;

/// The folders of the top level; beside them there are only dot files and text files.
const TOP_FOLDERS: &[&str] = &["crates", "migrations", "xtask", "docs", "tests", "fuzz"];

/// The files of the top level that do not begin with a dot.
const TOP_FILES: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

/// Past this a file has a second subject.
const MOST_LINES: usize = 450;

/// Lists what breaks a rule. Only files that are committed, or would be, count.
pub(crate) fn check(project: &Project) -> Result<Findings> {
    let files = run::output(Command::new("git").current_dir(project.root()).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))
    .context("the file rules read what git knows")?;
    let mut findings = Findings::new();
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        // Removed but not yet committed.
        let Ok(bytes) = fs::read(project.root().join(file)) else { continue };
        findings.extend(check_place(file));
        if file.ends_with(".rs") {
            let text = str::from_utf8(&bytes).with_context(|| format!("{file} is not UTF-8"))?;
            findings.extend(check_source(file, text));
        }
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

fn check_place(file: &str) -> Option<String> {
    let mut parts = Path::new(file).components().map(|part| part.as_os_str().to_string_lossy());
    let top = parts.next()?;
    let is_folder = parts.next().is_some();
    let known = if is_folder { TOP_FOLDERS } else { TOP_FILES };
    (!top.starts_with('.') && !known.contains(&top.as_ref()))
        .then(|| format!("{top} has no place at the top level"))
}

fn check_source(file: &str, text: &str) -> Findings {
    let mut findings = Findings::new();
    // A library whose README is its front page takes its head from there.
    if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!(") {
        findings.push(format!("{file} does not begin by saying what it is (`//!`)"));
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        findings
            .push(format!("{file} has {lines} lines; past {MOST_LINES} there is a second subject"));
    }
    if text.lines().any(|line| line.ends_with([' ', '\t'])) {
        findings.push(format!("{file} has lines that end in blanks"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_level_holds_what_it_should() {
        for fine in
            [".gitignore", ".ci/run", "README.md", "docs/api.md", "crates/rr-keys/Cargo.toml"]
        {
            assert_eq!(check_place(fine), None, "{fine}");
        }
        for stray in ["notes.md", "scripts/run.sh", "docs"] {
            assert!(check_place(stray).is_some(), "{stray}");
        }
    }

    #[test]
    fn a_source_file_begins_with_its_head_and_ends_in_time() {
        assert_eq!(check_source("a.rs", "//! A head.\n"), Findings::new());
        assert_eq!(check_source("a.rs", "fn main() {}\n").len(), 1);
        assert_eq!(check_source("a.rs", &"//! A head.\n".repeat(451)).len(), 1);
        assert_eq!(check_source("a.rs", "//! A head. \n").len(), 1);
    }
}
