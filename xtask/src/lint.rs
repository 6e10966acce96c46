//! `cargo xtask lint`: what can be said about the repository without running it.

mod deny;
mod embedding;
mod layering;
mod manifests;
mod migrations;
mod openapi;
mod rust;
mod tidy;
mod ui;

use anyhow::{Result, bail};

use crate::project::Project;

/// Arguments of `lint`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Check this alone (may be given several times).
    #[arg(long, value_enum)]
    only: Vec<Check>,
}

/// What can be checked alone, in the order of a whole run: the quick ones first.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Check {
    /// `cargo fmt --check`.
    Format,
    /// No crate knows one that the design does not let it know.
    Layering,
    /// `rr-keys` brings little along, and each of its features stands alone.
    Embedding,
    /// Every crate inherits versions and lints.
    Manifests,
    /// Both databases have the same migrations, each with its way back.
    Migrations,
    /// File heads, file lengths, the top level of the repository.
    Tidy,
    /// `cargo deny`: licences, sources, banned crates.
    Deny,
    /// The panel's linter and type check.
    Ui,
    /// `cargo clippy`, warnings denied.
    Clippy,
    /// `cargo doc`, warnings denied.
    Docs,
    /// The committed OpenAPI document is what the server says.
    Openapi,
}

const EVERY_CHECK: &[Check] = &[
    Check::Format,
    Check::Layering,
    Check::Embedding,
    Check::Manifests,
    Check::Migrations,
    Check::Tidy,
    Check::Deny,
    Check::Ui,
    Check::Clippy,
    Check::Docs,
    Check::Openapi,
];

/// What a check found: an empty list is a pass.
type Findings = Vec<String>;

/// Runs the chosen checks, every one of them even when an early one fails.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let checks = if args.only.is_empty() { EVERY_CHECK } else { &args.only };
    let mut failed = Vec::new();
    for check in checks {
        let name = check.name();
        println!("lint: {name}");
        match check.run(project) {
            Ok(findings) if findings.is_empty() => {}
            Ok(findings) => {
                for finding in findings {
                    println!("    {finding}");
                }
                failed.push(name);
            }
            Err(error) => {
                println!("    {error:#}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        println!("lint: all well");
        Ok(())
    } else {
        bail!("lint found something: {}", failed.join(", "));
    }
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Check::Format => "format",
            Check::Layering => "layering",
            Check::Embedding => "embedding",
            Check::Manifests => "manifests",
            Check::Migrations => "migrations",
            Check::Tidy => "tidy",
            Check::Deny => "deny",
            Check::Ui => "ui",
            Check::Clippy => "clippy",
            Check::Docs => "docs",
            Check::Openapi => "openapi",
        }
    }

    fn run(self, project: &Project) -> Result<Findings> {
        match self {
            Check::Format => rust::format(project),
            Check::Layering => layering::check(project),
            Check::Embedding => embedding::check(project),
            Check::Manifests => manifests::check(project),
            Check::Migrations => migrations::check(project),
            Check::Tidy => tidy::check(project),
            Check::Deny => deny::check(project),
            Check::Ui => ui::check(project),
            Check::Clippy => rust::clippy(project),
            Check::Docs => rust::docs(project),
            Check::Openapi => openapi::check(project),
        }
    }
}
