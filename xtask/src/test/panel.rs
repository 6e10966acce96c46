//! The panel's tests: unit tests by vitest, and the real panel in Chromium against the real server.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::outcome::Outcome;
use crate::project::Project;
use crate::{panel, run, tools};

/// A run of the panel's tests that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Runs the panel's unit tests.
pub(crate) fn unit(project: &Project, name: &'static str) -> Result<Outcome> {
    let npm = match panel::npm(project) {
        Ok(npm) => npm,
        Err(tools::Missing(why)) => return Ok(Outcome::left_out(name, &why)),
    };
    panel::install(project)?;
    run_vitest(project, name, npm, "test")
}

/// Runs the panel in Chromium against the server that cargo has just built.
pub(crate) fn end_to_end(project: &Project, name: &'static str) -> Result<Outcome> {
    let npm = match panel::npm(project) {
        Ok(npm) => npm,
        Err(tools::Missing(why)) => return Ok(Outcome::left_out(name, &why)),
    };
    let chromium = match tools::chromium() {
        Ok(chromium) => chromium,
        Err(tools::Missing(why)) => return Ok(Outcome::left_out(name, &why)),
    };
    panel::build(project)?;
    let mut npm = npm;
    npm.env("RR_TEST_CHROMIUM", chromium).env("RR_TEST_SERVER", project.server_binary("debug"));
    run_vitest(project, name, npm, "e2e")
}

/// Runs one of the panel's npm scripts, which is a vitest, and reads its own report.
fn run_vitest(
    project: &Project,
    name: &'static str,
    mut npm: Command,
    script: &str,
) -> Result<Outcome> {
    let log = project.log(name)?;
    let report = log.with_extension("json");
    if report.exists() {
        fs::remove_file(&report).context("cannot remove the last report")?;
    }
    npm.env("CI", "true").args(["run", "--silent", script, "--"]);
    npm.arg("--reporter=default").arg("--reporter=json");
    npm.arg(format!("--outputFile.json={}", report.display()));

    let ran = run::quietly(&mut npm, &log, LIMIT)?;
    let mut outcome = Outcome::new(name);
    if let Some(counts) = read_report(&report) {
        (outcome.passed, outcome.failed) = counts;
    }
    if ran.too_slow {
        outcome.fail(format!("did not end within {} min", LIMIT.as_secs() / 60));
    } else if !ran.success && outcome.failed == 0 {
        outcome.fail("broke off".to_owned());
    }
    println!(
        "    {name:<28} {} passed, {} failed ({})",
        outcome.passed,
        outcome.failed,
        run::seconds(ran.took),
    );
    if !ran.success {
        println!("{}", ran.output);
    }
    Ok(outcome)
}

/// The passed and failed tests of a vitest report.
fn read_report(path: &std::path::Path) -> Option<(u32, u32)> {
    let report: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let count = |name: &str| report[name].as_u64().and_then(|count| u32::try_from(count).ok());
    Some((count("numPassedTests")?, count("numFailedTests")?))
}
