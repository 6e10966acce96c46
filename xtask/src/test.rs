//! `cargo xtask test`: every suite, and at the end one line for each: what ran, how many passed and
//! failed, what was left out and why.

mod compiled;
mod outcome;
mod panel;

use anyhow::{Result, bail};

use crate::cluster::Cluster;
use crate::project::Project;
use compiled::{Compiled, Database};
use outcome::{Outcome, State};

/// Arguments of `test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run this suite alone (may be given several times).
    #[arg(long, value_enum)]
    suite: Vec<Suite>,
    /// Passed on to each test program: a part of a test's name, `--nocapture`, …
    #[arg(last = true)]
    rest: Vec<String>,
}

/// What can be run alone.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Suite {
    /// Unit and documentation tests of every crate but the store.
    Unit,
    /// The store's tests on SQLite.
    StoreSqlite,
    /// The store's tests on a throw-away PostgreSQL.
    StorePostgres,
    /// The tests through the front door, on SQLite.
    HttpSqlite,
    /// The tests through the front door, on a throw-away PostgreSQL.
    HttpPostgres,
    /// The panel's unit tests.
    PanelUnit,
    /// The panel in Chromium against the real server.
    PanelE2e,
}

const EVERY_SUITE: &[Suite] = &[
    Suite::Unit,
    Suite::StoreSqlite,
    Suite::StorePostgres,
    Suite::HttpSqlite,
    Suite::HttpPostgres,
    Suite::PanelUnit,
    Suite::PanelE2e,
];

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Suite::Unit => "unit",
            Suite::StoreSqlite => "store-sqlite",
            Suite::StorePostgres => "store-postgres",
            Suite::HttpSqlite => "http-sqlite",
            Suite::HttpPostgres => "http-postgres",
            Suite::PanelUnit => "panel-unit",
            Suite::PanelE2e => "panel-e2e",
        }
    }

    /// The panel's unit tests are the only ones that need nothing of cargo's.
    fn needs_cargo(self) -> bool {
        self != Suite::PanelUnit
    }

    fn needs_postgres(self) -> bool {
        matches!(self, Suite::StorePostgres | Suite::HttpPostgres)
    }
}

/// Builds what the chosen suites need, runs them, and says how each ended.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let suites = if args.suite.is_empty() { EVERY_SUITE } else { &args.suite };
    let compiled = if suites.iter().any(|suite| suite.needs_cargo()) {
        println!("test: building the workspace and its tests");
        Some(Compiled::build(project)?)
    } else {
        None
    };
    let cluster = if suites.iter().any(|suite| suite.needs_postgres()) {
        Some(Cluster::start())
    } else {
        None
    };

    let mut outcomes = Vec::new();
    for suite in suites {
        println!("test: {}", suite.name());
        let mut outcome = run_suite(project, *suite, compiled.as_ref(), cluster.as_ref(), args)?;
        outcome.check(project.is_ci(), !args.rest.is_empty());
        outcomes.push(outcome);
    }
    // Before the summary, so that what stopping prints does not hide it.
    drop(cluster);

    if outcome::print_summary(&outcomes) {
        Ok(())
    } else {
        bail!("not every suite passed");
    }
}

fn run_suite(
    project: &Project,
    suite: Suite,
    compiled: Option<&Compiled>,
    cluster: Option<&Result<Cluster, crate::tools::Missing>>,
    args: &Args,
) -> Result<Outcome> {
    let name = suite.name();
    let database = match (suite, cluster) {
        (Suite::StorePostgres | Suite::HttpPostgres, Some(Ok(cluster))) => {
            Database::Postgres { url: cluster.url(), programs: cluster.programs().to_owned() }
        }
        (Suite::StorePostgres | Suite::HttpPostgres, Some(Err(missing))) => {
            return Ok(Outcome::left_out(name, &missing.0));
        }
        _ => Database::Sqlite,
    };
    match (suite, compiled) {
        (Suite::PanelUnit, _) => panel::unit(project, name),
        (Suite::PanelE2e, _) => panel::end_to_end(project, name),
        (Suite::Unit, Some(compiled)) => {
            let ours = |package: &str| package != "rr-store" && package != "rr-tests";
            let mut outcome = compiled.run(project, name, ours, &database, &args.rest)?;
            compiled::run_doctests(project, &mut outcome, &args.rest)?;
            Ok(outcome)
        }
        (Suite::StoreSqlite | Suite::StorePostgres, Some(compiled)) => {
            compiled.run(project, name, |package| package == "rr-store", &database, &args.rest)
        }
        (Suite::HttpSqlite | Suite::HttpPostgres, Some(compiled)) => {
            compiled.run(project, name, |package| package == "rr-tests", &database, &args.rest)
        }
        (_, None) => Ok(Outcome { state: State::Failed, ..Outcome::new(name) }),
    }
}
