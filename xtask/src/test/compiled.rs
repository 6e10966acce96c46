//! The Rust tests: built once for the whole workspace, so that every package is compiled with one set
//! of features, then run program by program with the database that a suite asks for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::outcome::Outcome;
use crate::project::Project;
use crate::{run, server};

/// A test program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The database that a run of a suite is for.
pub(crate) enum Database {
    Sqlite,
    Postgres { url: String, programs: PathBuf },
}

impl Database {
    /// Tells a test program of it. A test that concerns one database alone stands in a module named
    /// after it and belongs to that database's run; those of PostgreSQL are ignored elsewhere.
    fn give_to(&self, command: &mut Command) {
        match self {
            Database::Sqlite => {
                command.env("RR_TEST_DATABASE", "sqlite").args(["--skip", "on_postgres::"])
            }
            Database::Postgres { url, programs } => command
                .env("RR_TEST_DATABASE", "postgres")
                .env("RR_TEST_POSTGRES_URL", url)
                .env("RR_TEST_POSTGRES_PROGRAMS", programs)
                .args(["--skip", "on_sqlite::", "--include-ignored"]),
        };
    }
}

/// The test programs of the workspace.
pub(crate) struct Compiled {
    programs: Vec<Program>,
}

struct Program {
    package: String,
    target: String,
    executable: PathBuf,
    folder: PathBuf,
}

impl Compiled {
    /// Builds every library, binary and test of the workspace.
    pub(crate) fn build(project: &Project) -> Result<Compiled> {
        let mut cargo = server::cargo(project);
        cargo
            .args(["build", "--workspace", "--all-targets"])
            .arg("--message-format=json-render-diagnostics")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        let output = cargo.output().context("cannot start cargo")?;
        if !output.status.success() {
            bail!("the workspace does not build");
        }
        let messages = String::from_utf8(output.stdout).context("cargo printed no text")?;
        let mut programs = Vec::new();
        for line in messages.lines() {
            let message: Value = serde_json::from_str(line).context("cargo printed no JSON")?;
            programs.extend(Program::of_message(&message));
        }
        programs.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        Ok(Compiled { programs })
    }

    /// Runs the test programs of the packages that `belongs` chooses.
    pub(crate) fn run(
        &self,
        project: &Project,
        suite: &'static str,
        belongs: impl Fn(&str) -> bool,
        database: &Database,
        rest: &[String],
    ) -> Result<Outcome> {
        let mut outcome = Outcome::new(suite);
        for program in self.programs.iter().filter(|program| belongs(&program.package)) {
            let mut command = Command::new(&program.executable);
            command
                .args(rest)
                .current_dir(&program.folder)
                .env("CARGO_MANIFEST_DIR", &program.folder);
            database.give_to(&mut command);
            let log = project.log(&format!("{suite}-{}-{}", program.package, program.target))?;
            run_program(&mut command, &program.label(), &log, &mut outcome)?;
        }
        Ok(outcome)
    }
}

/// Runs the examples in the documentation comments.
pub(crate) fn run_doctests(
    project: &Project,
    outcome: &mut Outcome,
    rest: &[String],
) -> Result<()> {
    let mut cargo = server::cargo(project);
    // The shuttle package is the files of rr-keys once more, whose examples name rr-keys.
    let others = ["--workspace", "--exclude", "rr-keys-shuttle"];
    cargo.args(["test", "--quiet", "--doc"]).args(others).arg("--").args(rest);
    run_program(&mut cargo, "documentation", &project.log("unit-doctests")?, outcome)
}

fn run_program(
    command: &mut Command,
    label: &str,
    log: &Path,
    outcome: &mut Outcome,
) -> Result<()> {
    let (passed, failed) = (outcome.passed, outcome.failed);
    let ran = run::quietly(command, log, LIMIT)?;
    let ended = outcome.add_libtest(&ran.output);
    if ran.too_slow {
        outcome.fail(format!("{label} did not end within {} min", LIMIT.as_secs() / 60));
    } else if !ran.success && (!ended || outcome.failed == failed) {
        outcome.fail(format!("{label} broke off"));
    }
    println!(
        "    {label:<28} {} passed, {} failed ({})",
        outcome.passed - passed,
        outcome.failed - failed,
        run::seconds(ran.took),
    );
    if !ran.success {
        println!("{}", ran.output);
    }
    Ok(())
}

impl Program {
    /// The test program that one of cargo's messages tells of, if it does.
    fn of_message(message: &Value) -> Option<Program> {
        let is_test = message["reason"] == "compiler-artifact"
            && message["profile"]["test"] == true
            // Asked for all targets, cargo also builds those whose manifest says that nothing in
            // them is a test.
            && message["target"]["test"] == true
            // Benchmarks measure; they are built so that they keep compiling, not run.
            && message["target"]["kind"][0] != "bench";
        if !is_test {
            return None;
        }
        let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_path_buf();
        Some(Program {
            package: package_name(&folder)?,
            target: message["target"]["name"].as_str()?.to_owned(),
            executable: PathBuf::from(message["executable"].as_str()?),
            folder,
        })
    }

    fn label(&self) -> String {
        if self.package == self.target.replace('_', "-") {
            self.package.clone()
        } else {
            format!("{} {}", self.package, self.target)
        }
    }
}

/// A package has its folder's name; `tests` alone is published as `rr-tests`.
fn package_name(folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?;
    Some(if name == "tests" { "rr-tests".to_owned() } else { name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_test_programs_among_the_messages_of_cargo() {
        let message = |test: bool, kind: &str| {
            serde_json::json!({
                "reason": "compiler-artifact",
                "manifest_path": "/repository/tests/Cargo.toml",
                "target": {"name": "main", "kind": [kind], "test": true},
                "profile": {"test": test},
                "executable": "/repository/target/debug/deps/main-1",
            })
        };
        let program = Program::of_message(&message(true, "test")).unwrap();
        assert_eq!(program.label(), "rr-tests main");
        assert!(Program::of_message(&message(false, "bin")).is_none());
        assert!(Program::of_message(&message(true, "bench")).is_none());
    }
}
